"""Questions: asked on a terminal, never answered by silence."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tests.core.cli.conftest import FakeApi, rkx

from rkx import api
from rkx.errors import Refused
from rkx.model.plan import Confirmation

DANGER = Confirmation(what="remove node two", why="its pods move")


def _needs_agreement(_run: api.Run, options: api.Options) -> None:
    if not options.accept([DANGER]):
        raise Refused("not confirmed: remove node two", hint="answer yes, or give --yes")


@pytest.mark.parametrize("command", ["up", "remove"])
def test_danger_when_nobody_can_be_asked_then_exits_8(fake: FakeApi, command: str) -> None:
    fake.work = _needs_agreement
    result = rkx(command)
    assert result.exit_code == 8
    assert "hint: answer yes, or give --yes" in result.stderr


@pytest.mark.parametrize("flag", ["--yes", "--force"])
def test_danger_when_agreed_to_beforehand_then_goes_on(fake: FakeApi, flag: str) -> None:
    fake.work = _needs_agreement
    assert rkx("remove", flag).exit_code == 0


def test_passphrase_when_nobody_can_be_asked_then_there_is_no_prompt(fake: FakeApi) -> None:
    rkx("up", "--allow-unreachable", "two", "--break-lock", "beef")
    [options] = fake.asked
    assert options.prompt is None
    assert (options.allow_unreachable, options.break_lock) == (frozenset({"two"}), "beef")


@pytest.mark.parametrize("command", ["plan", "up", "remove"])
def test_found_authority_when_nobody_can_be_asked_then_yes_is_no_answer(fake: FakeApi, command: str) -> None:
    rkx(command, *(["--yes"] if command != "plan" else []), "--ca-fingerprint", "sha256:ab", "--replace", "two")
    [options] = fake.asked
    assert not options.confirm("sha256:ab")
    assert (options.ca_fingerprint, options.replace) == ("sha256:ab", frozenset({"two"}))


CONFIRMS = """
from rkx.cli.ask import Operator
from rkx.cli.signals import Stop
with Stop() as stop:
    print("OURS" if Operator(stop, yes=True).confirm("sha256:ab") else "NOT OURS")
"""


@pytest.mark.parametrize(("answer", "ours"), [("y", True), ("", False), ("\x04", False)])
def test_found_authority_when_on_a_terminal_then_is_shown_and_asked_for(answer: str, *, ours: bool) -> None:
    code, output = _on_terminal(CONFIRMS, b"[y/N]", answer.encode() + b"\n")
    assert code == 0
    assert "state found on the nodes: sha256:ab" in output
    assert output.splitlines()[-1] == ("OURS" if ours else "NOT OURS")


ON_A_TERMINAL = """
import sys
from rkx.cli.ask import Operator
from rkx.cli.signals import Stop
from rkx.model.plan import Confirmation
with Stop() as stop:
    agreed = Operator(stop).accept([Confirmation(what="remove node two", why="its pods move")])
print("AGREED" if agreed else "NOT AGREED")
"""


@pytest.mark.parametrize(
    ("answer", "agrees"), [("y", True), ("yes", True), ("Y", True), ("", False), ("n", False), ("\x04", False)]
)
def test_danger_when_on_a_terminal_then_only_yes_agrees(answer: str, *, agrees: bool) -> None:
    code, output = _on_terminal(ON_A_TERMINAL, b"[y/N]", answer.encode() + b"\n")
    assert code == 0
    assert "remove node two: its pods move" in output
    assert output.splitlines()[-1] == ("AGREED" if agrees else "NOT AGREED")


def test_question_when_interrupted_then_ends_at_once_with_7() -> None:
    code, output = _on_terminal(ON_A_TERMINAL, b"[y/N]", b"\x03")
    assert code == 7
    assert "AGREED" not in output


def _on_terminal(script: str, question: bytes, answer: bytes) -> tuple[int, str]:
    """Run a script on a terminal of its own, answer its question, and give its exit code and all it wrote."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_own_the_terminal,
    )
    os.close(theirs)
    output = b""
    while piece := _read(ours):
        output += piece
        if question in output and answer:
            os.write(ours, answer)
            answer = b""
    os.close(ours)
    return process.wait(), output.decode()


def _own_the_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C becomes a signal


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that the other end is closed
        return b""


WAITS_FOR_ITS_END = """
from rkx import (api)
from rkx.cli.main import cli
from rkx.errors import Interrupted
from tests.core.cli.conftest import FakeApi

def work(run, options):
    print("begun", flush=True)
    run.cancelled.wait()
    raise Interrupted("cancelled; 3 actions are left", hint="run rkx again to finish")

fake = FakeApi(work=work)
api.load, api.up = fake.load, fake.start
cli(["up"], prog_name="rkx")
"""


@pytest.mark.whole
def test_run_when_terminated_then_running_actions_finish_and_it_exits_7() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS_FOR_ITS_END],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    while "begun" not in process.stdout.readline():
        assert process.poll() is None
    process.terminate()
    _, errors = process.communicate()
    assert process.returncode == 7
    assert "error: cancelled; 3 actions are left\nhint: run rkx again to finish" in errors
