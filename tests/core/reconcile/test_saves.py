"""What a save costs: only what changed is encoded, and one save serves all that wait."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from tests.core.reconcile.test_growth import named
from tests.core.reconcile.test_state import states

from rkx.reconcile import texts
from rkx.reconcile.state import NodeRecord, State, new_state
from rkx.reconcile.state_file import StateFile
from rkx.reconcile.state_json import dump
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.texts import Texts, encoded

RECORD = NodeRecord(address="192.0.2.1", internal_address="", roles=("worker",))


def a_state(count: int) -> State:
    return replace(new_state(), nodes={name: replace(RECORD, address=name) for name in named(count)})


def test_only_what_changed_since_the_last_save_is_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def noted(value: object) -> str:
        seen.append(value)
        return encoded(value)

    monkeypatch.setattr(texts, "encoded", noted)
    file, state = StateFile(tmp_path / "cluster.rkxstate"), a_state(100)
    state = file.save(state)
    assert sum(isinstance(each, NodeRecord) for each in seen) == 100
    seen.clear()
    moved = replace(RECORD, address="elsewhere")
    file.save(replace(state, nodes={**state.nodes, "n007": moved}))
    assert [each for each in seen if isinstance(each, NodeRecord)] == [moved]
    found = file.load()
    assert found is not None
    assert found.nodes["n007"] == moved


@pytest.mark.whole
@given(states, states)
@settings(max_examples=30, deadline=None)
def test_a_text_of_kept_pieces_is_the_text_of_the_whole(first: State, second: State) -> None:
    kept = Texts()
    for state in (first, replace(second, nodes=first.nodes), second, first):
        assert kept.of(state) == encoded(state)
        assert dump(state, kept) == dump(state)


def test_one_save_serves_all_that_waited_for_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = StateStore(a_state(20), StateFile(tmp_path / "cluster.rkxstate"))
    begun, go, changed, saved = threading.Event(), threading.Event(), threading.Semaphore(0), list[State]()
    write = StateFile.save

    def slow(file: StateFile, state: State) -> State:
        begun.set()
        go.wait(10)
        saved.append(write(file, state))
        return saved[-1]

    def prepared(name: str) -> None:
        def noted(record: NodeRecord) -> NodeRecord:
            changed.release()
            return replace(record, prepared=True)

        store.note_node(name, noted, save=True)
        assert any(state.nodes[name].prepared for state in saved), "it went on before it was on the disk"
        ended.append(name)

    monkeypatch.setattr(StateFile, "save", slow)
    ended: list[str] = []
    first, *others = threads = [threading.Thread(target=prepared, args=(name,)) for name in named(20)]
    first.start()
    begun.wait(10)
    for each in others:
        each.start()
    for _ in threads:
        assert changed.acquire(timeout=10), "a change in memory waited for a save"
    go.set()
    for each in threads:
        each.join()
    assert sorted(ended) == named(20)
    assert [sum(r.prepared for r in state.nodes.values()) for state in saved] == [1, 20]
    assert store.state.generation == saved[-1].generation == 2
