"""The state on disk: what is written is read, what is damaged is refused, what is cut leaves the former whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rkx.errors import ConfigError, Refused
from rkx.model.identity import CredentialInfo
from rkx.reconcile.files import without_logins
from rkx.reconcile.state import Credential, Former, NodeRecord, ObjectRecord, State, new_state
from rkx.reconcile.state_json import dump, header, parse
from rkx.secret import Secret

words = st.text(max_size=12)
tuples = st.lists(words, max_size=3).map(tuple)
dates = st.none() | st.datetimes(timezones=st.just(UTC))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | words | words.map(Secret),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=2),
    max_leaves=4,
)
saved = st.builds(
    CredentialInfo,
    name=words,
    serial=words,
    not_before=dates,
    not_after=dates,
    description=words,
    authority_serial=words,
)
credentials = st.builds(
    Credential,
    saved=saved,
    parts=st.dictionaries(words, st.binary(max_size=20).map(Secret), max_size=2),
    digests=st.dictionaries(words, words, max_size=2),
)
formers = st.builds(Former, path=words, empty=st.booleans(), mode=words, uid=st.integers(0), gid=st.integers(0))
nodes = st.builds(
    NodeRecord,
    address=words,
    internal_address=words,
    roles=tuples,
    options=st.dictionaries(st.text(min_size=1, max_size=5), values, max_size=2),
    paths=tuples,
    former=st.lists(formers, max_size=2).map(tuple),
    containers=tuples,
)
objects = st.builds(ObjectRecord, api_version=words, kind=words, namespace=words, name=words, wanted=words, live=words)
states = st.builds(
    State,
    cluster_id=words,
    digest_key=st.binary(min_size=32, max_size=32).map(Secret),
    generation=st.integers(0, 99),
    immutable=st.dictionaries(words, words, max_size=2),
    credentials=st.dictionaries(words, credentials, max_size=2),
    nodes=st.dictionaries(words, nodes, max_size=2),
    objects=st.lists(objects, max_size=2).map(lambda found: {str(each.key): each for each in found}),
)


@given(states)
@settings(max_examples=30, deadline=None)
def test_what_is_written_is_read(state: State) -> None:
    assert parse(dump(state), "here") == state


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damage_anywhere_is_refused_and_never_read(data: st.DataObject) -> None:
    text = dump(State(cluster_id="cafe", digest_key=Secret(b"k" * 32), immutable={"pod_cidr": "10.42.0.0/16"}))
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[place]))
    damaged = text[:place] + bytes([other]) + text[place + 1 :]
    with suppress(ConfigError, Refused):  # what can be read after all is blank space between two values
        assert parse(damaged, "here") == parse(text, "here")


@pytest.mark.parametrize("place", [5, 20, 60, 150, 300])
def test_damage_is_told_with_its_place(place: int) -> None:
    text = dump(new_state())
    with pytest.raises(ConfigError, match=r"^here: "):
        parse(text[:place] + b"\x00" + text[place + 1 :], "here")


@pytest.mark.parametrize("length", [0, 1, 40, 200])
def test_a_state_cut_short_is_refused(length: int) -> None:
    with pytest.raises(ConfigError, match="not a valid state of rkx"):
        parse(dump(new_state())[:length], "here")


def test_a_newer_version_is_refused_as_such() -> None:
    with pytest.raises(Refused, match="written by a newer rkx"):
        parse(dump(new_state()).replace(b'"rkxstate": 1', b'"rkxstate": 2'), "here")


def test_the_copy_on_nodes_tells_nobody_how_the_operator_logs_in() -> None:
    options = {"user": "ubuntu", "password": Secret("hidden"), "bastion": {"ssh_key": Secret("hidden too")}}
    record = NodeRecord(address="192.0.2.1", internal_address="", roles=(), options=options)
    bare = without_logins(State(cluster_id="cafe", digest_key=Secret(b"k"), nodes={"one": record}))
    assert bare.nodes["one"].options == {}
    assert b"hidden" not in dump(bare)


def test_dates_keep_their_zone() -> None:
    moment = datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
    credential = Credential(
        saved=CredentialInfo(
            name="a", serial="1", not_before=moment, not_after=None, description="", authority_serial=""
        )
    )
    state = State(cluster_id="cafe", digest_key=Secret(b"k" * 32), credentials={"a": credential})
    assert parse(dump(state), "").credentials["a"].saved.not_before == moment


def bent(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Write a state with a change of what is inside, and a checksum that fits."""
    now = datetime(2026, 11, 25, tzinfo=UTC)
    saved = CredentialInfo(name="ca", serial="1", not_before=now, not_after=now, description="")
    record = ObjectRecord(api_version="v1", kind="ConfigMap", namespace="a", name="b")
    node = NodeRecord(address="192.0.2.1", internal_address="", roles=("etcd",))
    state = replace(
        new_state(),
        credentials={"ca": Credential(saved=saved)},
        nodes={"one": node},
        objects={str(record.key): record},
    )
    outer = json.loads(dump(state))
    inner = json.loads(outer["state"])
    change(inner)
    text = json.dumps(inner)
    return json.dumps({**outer, "state": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}).encode()


ODD: dict[str, Callable[[dict[str, Any]], object]] = {
    "no credentials": lambda s: s.pop("credentials"),
    "no immutable values": lambda s: s.pop("immutable"),
    "credentials without parts": lambda s: s["credentials"]["ca"].pop("parts"),
    "a node without paths": lambda s: s["nodes"]["one"].pop("paths"),
    "an unknown field": lambda s: s["credentials"]["ca"]["saved"].update(more=1),
    "half a pair of surrogates": lambda s: s["immutable"].update(domain="\ud800"),
    "a date without a zone": lambda s: s["credentials"]["ca"]["saved"].update(not_after="2030-01-01T00:00:00"),
    "a date before all dates": lambda s: s["credentials"]["ca"]["saved"].update(not_after="0001-01-01T00:00:00+23:59"),
    "another word for a version": lambda s: s["immutable"].update(kubernetes_version="abc"),
    "a version of many digits": lambda s: s["immutable"].update(kubernetes_version="v1.34." + "9" * 5000),
    "an object in another's place": lambda s: s["objects"].update(other=next(iter(s["objects"].values()))),
    "an empty key": lambda s: s["digest_key"].update(secret=""),
}


def test_a_state_that_is_bent_by_nothing_is_read() -> None:
    assert parse(bent(lambda inner: inner), "here").nodes.keys() == {"one"}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_a_state_with_a_right_checksum_and_odd_values_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(ConfigError, match=r"^here: "):
        parse(bent(change), "here")


@pytest.mark.parametrize("name", ["cluster_id", "run", "sha256", "seal"])
def test_a_mark_that_is_no_text_is_passed_over(name: str) -> None:
    outer = json.loads(dump(new_state()))
    assert header(json.dumps(outer).encode()) is not None
    assert header(json.dumps({**outer, name: "\ud800"}).encode()) is None
