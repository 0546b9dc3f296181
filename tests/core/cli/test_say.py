"""Nothing that somebody else said is obeyed by a terminal."""

from __future__ import annotations

import io
import json
import logging
import re
import tracemalloc
import unicodedata
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from tests.core.cli.conftest import FakeApi, numbered, rkx

from rkx.cli import faults
from rkx.cli.log import Shown
from rkx.cli.say import as_json, say, visible
from rkx.cli.show_plain import Plain
from rkx.cli.show_rich import Screen
from rkx.errors import ConfigError, NotReady, PreflightFailed, Problem
from rkx.events import ActionFailed, ProblemFound, RunStarted
from rkx.lines import WORDS
from rkx.model.action import DeleteObject, RemoveContainer
from rkx.model.checks import Finding
from rkx.model.key import ContainerKey, ObjectKey
from rkx.model.plan import Plan

ANY = st.text(st.characters(), max_size=40) | st.text(
    st.sampled_from("\x1b\x9b\x07\r\n\t\u202e\u2066\u2028\x7fa\ud800")
)
FEW = settings(max_examples=100, derandomize=True, deadline=None, database=None)
OTHER_WAYS = re.compile(r"click\.s?echo|(?<!console\.)\bprint\(|\bText\((?!visible)")
SHOWN = "\\x1b]52;c;Y3VybA==\\x07 \\x9b2J \\u202egnp.exe"
HOSTILE = "\x1b]52;c;Y3VybA==\x07 \x9b2J \u202egnp.exe"


def _sent(text: str) -> set[str]:
    """Return the characters that a terminal would act on."""
    return {each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n", "\t"}


@FEW
@given(ANY)
def test_text_is_shown_and_never_sent(text: str) -> None:
    shown = visible(text)
    assert not _sent(shown)
    assert visible(shown) == shown
    assert [each for each in text if each.isprintable()] == [
        each for each in text if each in shown and each.isprintable()
    ]
    assert shown.count("\n") == text.count("\n")


@FEW
@given(ANY)
def test_json_says_the_same_without_a_control_character(text: str) -> None:
    shown = as_json({"a": text})
    assert json.loads(shown) == {"a": text}
    assert shown.isprintable()


def test_an_error_its_hint_and_its_problems_are_shown(fake: FakeApi) -> None:
    problem = Problem(where=HOSTILE, message=HOSTILE, hint=HOSTILE, source=HOSTILE, line=1, column=1, file=HOSTILE)
    fake.warnings = (problem,)
    before = rkx("plan").stderr
    fake.load_error = NotReady(HOSTILE, hint=f"its last lines:\n{HOSTILE}")
    for shown in (before, rkx("plan").stderr):
        assert SHOWN in shown
        assert not _sent(shown)


def test_a_plan_is_shown(fake: FakeApi) -> None:
    action = DeleteObject(key=ObjectKey("", "ConfigMap", "", HOSTILE), reason=HOSTILE)
    fake.plan = Plan(cluster="sample", actions=(action,))
    for options, escaped in (([], SHOWN), (["--json"], "\\u001b]52")):
        shown = rkx("plan", *options).stdout
        assert escaped in shown
        assert not _sent(shown)


def test_a_live_screen_shows_them_too() -> None:
    out = io.StringIO()
    screen = Screen(Console(file=out, width=200))
    failed = ActionFailed(node=HOSTILE, key=HOSTILE, verb="create", message=HOSTILE)
    for event in numbered(RunStarted(command="up", cluster=HOSTILE), ProblemFound(message=HOSTILE), failed):
        screen.show(event)
    screen.close()
    assert not _sent(out.getvalue())
    assert "\\x1b]52" in out.getvalue()


FORGED = "it went on\nerror: as before\r\nhint: run this\n\tand that"
FORGERIES = re.compile(r"^(error|hint|warning|asks|two)\b.*(as before|run this|and that)", re.MULTILINE)


def test_no_line_of_a_message_is_taken_for_one_of_rkx(fake: FakeApi) -> None:
    problem = Problem(where="two", message=FORGED, hint=FORGED)
    for error in (NotReady(FORGED, hint=FORGED), PreflightFailed(FORGED, problems=(problem,))):
        fake.load_error = error
        shown = rkx("plan").stderr
        assert not FORGERIES.search(shown)
        assert "it went on\n  error: as before\n  hint: run this\n  \tand that\n" in shown


def test_a_plan_has_each_name_and_reason_on_its_line(fake: FakeApi) -> None:
    action = RemoveContainer(key=ContainerKey("two", FORGED), reason=FORGED)
    finding = Finding(node="two", check="any", message=FORGED, warning=True)
    fake.plan = Plan(cluster="sample", actions=(action,), findings=(finding,))
    shown = rkx("plan").stdout.splitlines()
    assert len(shown) == 4
    assert shown[3] == "warning: two: it went on\\nerror: as before\\x0d\\nhint: run this\\n\tand that"


@pytest.mark.parametrize("plain", [True, False])
def test_a_run_is_followed_without_forged_lines(*, plain: bool) -> None:
    out = io.StringIO()
    screen = Screen(Console(file=out, width=200))
    reader = Plain(say) if plain else screen
    failed = ActionFailed(node="two", key=FORGED, verb="create", message=FORGED)
    with redirect_stdout(out):
        for event in numbered(ProblemFound(node="two", message=FORGED, hint=FORGED), failed):
            reader.show(event)
        reader.close()
    assert "run this" in out.getvalue()
    assert not FORGERIES.search(out.getvalue())


def test_a_servers_banner_forges_no_line_of_the_log() -> None:
    record = logging.LogRecord("paramiko", logging.INFO, "", 0, "banner: %s", (FORGED,), None)
    assert not FORGERIES.search(Shown("%(message)s").format(record))


def test_the_log_of_the_connections_is_shown() -> None:
    record = logging.LogRecord("paramiko", logging.INFO, "", 0, "banner: %s", (HOSTILE,), None)
    assert not _sent(Shown("%(message)s").format(record))


def test_there_is_one_way_to_the_terminal() -> None:
    for module in resources.files("rkx.cli").iterdir():
        if module.name.endswith(".py") and module.name != "say.py":
            assert not re.search(r"click\.s?echo|(?<!console\.)\bprint\(|\bText\((?!visible)", module.read_text()), (
                module.name
            )


@pytest.mark.whole
@pytest.mark.parametrize("show", [visible, as_json])
def test_what_is_escaped_becomes_no_list_of_letters(show: Callable[[str], str]) -> None:
    said = "\x01\u202e\U000e0001\x1b" * 50_000
    tracemalloc.start()
    try:
        shown = show(said)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(shown)
    finally:
        tracemalloc.stop()


def test_an_error_is_no_longer_than_a_message_may_be(capsys: pytest.CaptureFixture[str]) -> None:
    faults.show(NotReady("\x01" * 100_000, hint="x" * 100_000))
    shown = capsys.readouterr().err
    assert shown.count("\\x01") == shown.count("x" * 20_000) * 20_000 == 20_000
    assert len(shown) < 6 * 20_000


def test_each_of_several_problems_has_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem(where="a" * 100_000, message="\x01" * 100_000, hint="x" * 100_000)
    faults.show(ConfigError("2 mistakes", problems=[problem, problem]))
    shown = capsys.readouterr().err
    assert (shown.count("a" * WORDS), shown.count("\\x01"), shown.count("x" * WORDS)) == (2, 2 * WORDS, 2)
    assert len(shown) < 2 * 7 * WORDS
