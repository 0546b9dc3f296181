"""Laws for every plugin. That name, stage, API and entry point agree is seen when it is loaded."""

from __future__ import annotations

import collections.abc
from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from rkx.config import decode
from rkx.hooks import Specifications
from rkx.model.cluster import Stage
from rkx.testing.conformance import samples
from rkx.testing.conformance.subject import Subject

STAGES = get_args(Stage)
OF_ALL = {"rkx_validate", "rkx_checks", "rkx_identities"}
OF_STAGE = {
    "transport": {"rkx_open_transport"},
    "auth": {"rkx_renewals", "rkx_issue", "rkx_auth_settings"},
    "network": {"rkx_network_settings", "rkx_network_resources"},
    "service": {"rkx_service_resources", "rkx_queries", "rkx_updates", "rkx_step"},
    "addon": {"rkx_addon_resources"},
    "extension": {"rkx_amend"},
}
HOOKS = sorted(name for name in dir(Specifications) if name.startswith("rkx_"))
FREE = (dict, list, set, bytearray)


def test_hooks_are_marked_and_take_known_arguments(subject: Subject) -> None:
    """The registry takes the plugin: each hook has its marker, exists, and takes arguments that it has."""
    assert subject.plugins.of(subject.stage)


def test_hooks_are_asked_of_its_stage(subject: Subject) -> None:
    """Nothing is implemented that core never asks of this stage."""
    own = {name for name in HOOKS if subject.has(name)}
    assert own - OF_ALL - OF_STAGE[subject.stage] == set(), f"never asked of a {subject.stage} plugin"


def test_config_is_a_frozen_struct(subject: Subject) -> None:
    """The options are a value: a frozen msgspec.Struct, and so is each Struct in it."""
    assert issubclass(subject.kind.Config, msgspec.Struct), "Config is not a msgspec.Struct"
    values = [value for value in _parts(subject.chosen.plugin.config) if isinstance(value, msgspec.Struct)]
    assert [type(value).__name__ for value in values if not value.__struct_config__.frozen] == [], "not frozen"


def test_config_holds_nothing_that_can_be_changed(subject: Subject) -> None:
    """No default is a dict, a list or a set."""
    found = [type(value).__name__ for value in _parts(subject.chosen.plugin.config) if isinstance(value, FREE)]
    assert found == [], "a tuple or a MappingProxyType cannot be changed"


def _parts(value: Any) -> Iterator[Any]:  # noqa: ANN401 - whatever options hold
    yield value
    if isinstance(value, msgspec.Struct):
        inner: list[Any] = [getattr(value, name) for name in value.__struct_fields__]
    elif isinstance(value, collections.abc.Mapping):
        inner = list(value.values())
    else:
        inner = list(value) if isinstance(value, tuple | frozenset | list | set) else []
    for each in inner:
        yield from _parts(each)


def test_each_option_has_a_default_or_is_explained(subject: Subject) -> None:
    """An option that must be given is named in the docstring of Config."""
    config = subject.kind.Config
    needed = [each.name for each in msgspec.structs.fields(config) if each.required]
    assert [name for name in needed if name not in (config.__doc__ or "")] == []


def test_an_unknown_option_is_refused_with_its_path(subject: Subject) -> None:
    """Config takes nothing that it does not name."""
    options = {**subject.chosen.ref.options, "rkx_conformance": 1}
    _, problems = decode(subject.kind.Config, options, where="options", document=None)
    assert [each.where for each in problems if not each.warning] == ["options.rkx_conformance"]


def test_some_cluster_is_accepted_and_problems_say_where(subject: Subject) -> None:
    """Of one, three or six machines with public images or rkx's, one at least is taken; what is refused has a place."""
    every = [problem for cluster in samples.clusters(subject.chosen.ref) for problem in subject.problems(cluster)]
    assert [problem for problem in every if not (problem.where and problem.message)] == []
    assert subject.clusters, "; ".join(sorted({f"{problem.where}: {problem.message}" for problem in every}))
