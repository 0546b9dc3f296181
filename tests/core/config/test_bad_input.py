"""Every mistake is one message with place, value and hint; the shown texts are recorded beside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rkx.config import load, load_text, show
from rkx.errors import ConfigError

from .bad_inputs import BAD, HEAD, Bad, added, changed

PATH = Path("cluster.yml")


@pytest.mark.parametrize("bad", BAD, ids=[bad.name for bad in BAD])
def test_a_mistake_points_to_its_place_and_says_what_to_do(bad: Bad, golden: Callable[[str, str], None]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(bad.text, PATH)
    problems = [problem for problem in caught.value.problems if not problem.warning]
    text = show(problems)
    assert tuple(f"{problem.line}:{problem.column}" for problem in problems) == bad.places, text
    assert all(said in text for said in bad.says), text
    assert all(problem.file == "cluster.yml" for problem in problems)
    assert [problem.message for problem in problems if not problem.hint] == []
    golden(f"{bad.name}.txt", f"{text}\n")


def test_the_good_file_has_no_warning() -> None:
    assert load_text(HEAD, PATH).warnings == ()


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    loaded = load_text(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode(), PATH)
    assert loaded.cluster.nodes[0].address == "10.0.0.5"
    assert loaded.document.locate("nodes[0].address").column == 14


def test_two_etcd_nodes_are_a_warning_at_nodes() -> None:
    second = "  - address: 10.0.0.6\n    role: [etcd]\n"
    [warning] = load_text(changed("ingress", f"{second}ingress"), PATH).warnings
    assert (warning.line, warning.column) == (2, 1)
    assert "2 etcd nodes survive no failure" in warning.message


def test_key_and_key_path_together_are_a_warning_that_names_both_places() -> None:
    keys = "    ssh_key_path: ./id\n    ssh_key: hidden\n"
    [warning] = load_text(changed("ingress", f"{keys}ingress"), PATH).warnings
    assert (warning.line, warning.column) == (6, 5)
    assert "5:19" in warning.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*none\.yml: No such file"):
        load(tmp_path / "none.yml")


def test_mode_warn_reads_unknown_and_repeated_keys_and_documents_as_rke_did() -> None:
    text = added("nod: 1\ncluster_name: one\ncluster_name: two\n---\nother: 1\n")
    loaded = load_text(text, PATH, "warn")
    assert loaded.cluster.name == "two"
    assert [warning.line for warning in loaded.warnings] == [7, 9, 10]


@pytest.mark.parametrize(
    "line",
    [
        "private_registries: [{url: r, user: u, password: [hunter2]}]",
        "private_registries: [{url: r, user: u, pasword: hunter2}]",
        "private_registries: [{url: r, user: u, password: hunter2, x: 1}]",
        "private_registries: [{password: {hunter2: 1}}]",
        "network: {plugin: weave, options: {weave_password: hunter2}}",
        'private_registries: [{password: "hunter2}]',
        "state: {key: {file: hunter2, env: x}}",
        "state: {key: hunter2}",
        "services: {etcd: {key: hunter2, ca_cert: x}}",
    ],
)
def test_no_message_shows_a_secret(line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(changed("network: {plugin: flannel}\n", f"{line}\n"), PATH)
    assert caught.value.problems
    assert "hunter2" not in show(caught.value.problems) + str(caught.value) + caught.value.hint
