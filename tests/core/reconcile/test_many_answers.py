"""What a small answer may become in memory is bounded: rows, lists and mappings, and the answers of a batch."""

from __future__ import annotations

import json
import tracemalloc
from types import SimpleNamespace
from typing import Any

import pytest

from rkx.errors import BadAnswer
from rkx.reconcile import answers, batch
from rkx.reconcile.answers import Said, parsed

PLACE = batch.Place(node="one", container="rkx-node", cluster="c")


def test_a_list_has_a_bound_of_rows() -> None:
    most = answers.ROWS
    assert len(Said([{}] * most, "one", "/images/json").rows()) == most
    with pytest.raises(BadAnswer, match="one: /images/json: the answer has no list of at most 20000"):
        Said([{}] * (most + 1), "one", "/images/json").rows()
    with pytest.raises(BadAnswer, match="no list of at most 20000 where items is"):
        Said({"items": [{}] * (most + 1)}, "one", "/x").rows("items")
    with pytest.raises(BadAnswer, match="no list of at most 20000 where names is"):
        Said({"names": [""] * (most + 1)}, "one", "/x").texts("names")


@pytest.mark.parametrize("piece", [b"{},", b"[],"])
def test_an_answer_of_too_many_mappings_is_refused_before_it_is_read(piece: bytes) -> None:
    body = b"[" + piece * answers.BRACKETS + b"0]"
    tracemalloc.start()
    try:
        with pytest.raises(BadAnswer, match="one: /x: the answer holds more than 3000000 lists and mappings"):
            parsed(body, "one", "/x")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_row_takes_little() -> None:
    tracemalloc.start()
    try:
        rows = Said([{}] * 1000, "one", "/" + "x" * 300).rows()
        assert tracemalloc.get_traced_memory()[0] / len(rows) < 250
    finally:
        tracemalloc.stop()


def test_where_a_value_stands_is_said_from_the_outside_in() -> None:
    said = Said({"a": [{}, {"b": {"c": 1}}]}, "one", "/x")
    with pytest.raises(BadAnswer, match=r"one: /x: a\[1\]: b: the answer has no str where c is"):
        said.rows("a")[1].table("b").text("c")
    with pytest.raises(BadAnswer) as found:
        Said({}, "one", "/x")._sub({}, "n" * 5000).text("c")
    assert len(found.value.message) < 500
    with pytest.raises(BadAnswer) as found:
        Said({"Labels": {"n" * 5000: 1}}, "one", "/x").labels("Labels")
    assert len(found.value.message) < 500


def answered(more: int, monkeypatch: pytest.MonkeyPatch) -> list[Said]:
    """Have three operations done by an rkx-node that gives so many answers beyond theirs."""

    def run(_client: object, _place: object, lines: bytes, _hold: object) -> tuple[bytes, str]:
        name = json.loads(lines.splitlines()[0])["batch"]
        said: list[dict[str, Any]] = [{"ok": True, "batch": name}, *[{"ok": True}] * (3 + more)]
        return b"\r\n".join(json.dumps(each).encode() for each in [*said, {"ok": True, "verb": "end"}]), ""

    monkeypatch.setattr(batch, "_run", run)
    return batch.carry_out(SimpleNamespace(), PLACE, [{"verb": "look"}] * 3, batch.Hold())  # type: ignore[arg-type]


def test_a_batch_has_one_answer_for_each_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(answered(0, monkeypatch)) == 3


def test_a_batch_of_more_answers_is_read_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []

    def counted(line: bytes, node: str, asked: str) -> Said:
        read.append(line)
        return parsed(line, node, asked)

    monkeypatch.setattr(batch, "parsed", counted)
    with pytest.raises(BadAnswer, match="one: rkx-node answers more than it was asked: 3 operations"):
        answered(1000, monkeypatch)
    assert len(read) == 6
