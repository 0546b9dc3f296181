"""Holes in templates add no structure; events and secrets show what they may."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rkx.events import ActionStarted, PlanReady
from rkx.model.plan import Plan
from rkx.reconcile.stream import Events
from rkx.secret import Secret
from rkx.template import render
from rkx.transport import Dials, Transport


@given(st.text())
def test_a_value_stays_one_scalar(value: str) -> None:
    assert yaml.safe_load(render("a: ${value}\nb: [${value}, 1]\n", value=value)) == {"a": value, "b": [value, 1]}


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("a: x${hole}", {"hole": 1}, "whole scalar"),
        ("a: ${hole}/24", {"hole": 1}, "whole scalar"),
        ("a: ${hole}", {}, "no value for hole"),
        ("a: 1", {"hole": 1}, "no hole for hole"),
    ],
)
def test_a_template_that_does_not_fit_is_refused(text: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        render(text, **values)


def test_events_are_numbered_in_their_order_and_end() -> None:
    events = Events("cafe")
    for verb in ("create", "start"):
        events.emit(ActionStarted(verb=verb))
    events.end()
    assert [(each.run, each.seq) for each in events] == [("cafe", 1), ("cafe", 2)]


def test_the_plan_is_no_part_of_an_events_json() -> None:
    found = PlanReady(actions=3, plan=Plan(cluster="sample")).as_dict()
    assert "plan" not in found
    assert (json.loads(json.dumps(found))["kind"], found["v"]) == ("plan-ready", 1)


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret("hidden")
    assert {str(secret), repr(secret), f"{secret}", f"{secret:>9}", f"{[secret]}"} == {"***", "[***]"}
    assert secret == Secret("hidden") != Secret("other")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_what_a_transport_must_give() -> None:
    class Bare:
        def engine(self) -> None: ...
        def close(self) -> None: ...

    assert isinstance(Bare(), Transport)
    assert not isinstance(Bare(), Dials)
    assert not isinstance(object(), Transport)
