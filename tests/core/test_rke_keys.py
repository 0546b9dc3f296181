"""Each key of RKE's, set alone: it changes the cluster or what a plugin is given, or it is named at its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from rkx import api
from rkx.config import Loaded, decode, load_text
from rkx.errors import ConfigError, PluginNotFound, Problem
from rkx.hooks import Plugin
from rkx.model.cluster import Cluster, PluginRef, Stage
from rkx.registry import find

FILE = Path(__file__).parent / "fixtures" / "rke-keys.txt"
PATH = Path("/etc/site/cluster.yml")
STEP = re.compile(r"\[0\]|[^.\[]+")
ASKED = {
    *("kubernetes", "etcd", "kubernetes_services_sidecar", "nginx_proxy", "pod_infra_container"),
    *("flannel", "coredns", "metrics_server"),
}
FULFILLED = "bastion_host.ignore_proxy_env_vars"
"""What it asks for is so in any case."""
Value: TypeAlias = Any


def keys() -> Iterator[tuple[str, Value]]:
    for line in FILE.read_text().splitlines()[1:]:
        path, _, value = line.partition(": ")
        yield path, yaml.safe_load(value)


def plain() -> dict[str, Any]:
    """Return a file that a key can be set in, beside what it needs."""
    taint = {"key": "one", "effect": "NoSchedule"}
    node = {"address": "10.0.0.5", "user": "u", "role": ["controlplane", "etcd", "worker"], "taints": [taint]}
    return {
        "kubernetes_version": "v1.34.11",
        "nodes": [node],
        "network": {"plugin": "flannel"},
        "bastion_host": {"address": "10.0.0.20"},
    }


def put(tree: Value, steps: list[str], value: Value) -> Value:
    """Return the tree with a value at a path; ``[0]`` is the first item of a list."""
    if not steps:
        return value
    first, *rest = steps
    if first == "[0]":
        return [put(tree[0] if tree else None, rest, value)]
    return {**(tree or {}), first: put((tree or {}).get(first), rest, value)}


def written(path: str, value: Value) -> str:
    return json.dumps(put(plain(), STEP.findall(path), value), indent=1)


@cache
def installed(stage: Stage, name: str) -> type[Plugin[Any]] | None:
    try:
        return find(stage, name)[0]
    except PluginNotFound:
        return None


def given(loaded: Loaded, ref: PluginRef) -> tuple[Value, list[Problem]]:
    """Return what a plugin makes of its options, or the options of one that is not there."""
    kind = installed(ref.stage, ref.name)
    if kind is None:
        return (ref.name, dict(ref.options)), []
    return decode(kind.Config, ref.options, where=ref.where, document=loaded.document)


def understood(text: str) -> tuple[Value, list[Problem]]:
    """Return all that a file comes to, and what is said of it."""
    loaded = load_text(text, PATH)
    found: Cluster = loaded.cluster
    several = ("auth", "services", "addons", "extensions")
    refs = [found.network, *(ref for name in several for ref in getattr(found, name))]
    results = [given(loaded, ref) for ref in refs]
    rest = [getattr(found, name) for name in Cluster.__struct_fields__ if name not in ("network", *several)]
    return (rest, [config for config, _ in results]), [*loaded.warnings, *(p for _, said in results for p in said)]


def is_named(path: str, problems: list[Problem]) -> bool:
    """Return whether a problem stands at the path, inside or around it; that a key is unknown does not count."""
    placed = [problem for problem in problems if problem.line and not problem.message.startswith("unknown key")]
    inside = (".", "[")
    return any(
        f"{path}.".startswith(f"{each.where}{sign}") or each.where.startswith(f"{path}{sign}")
        for each in placed
        for sign in inside
    )


def is_silent(path: str, value: Value, before: Value) -> bool:
    try:
        after, said = understood(written(path, value))
    except ConfigError as error:
        return not is_named(path, list(error.problems))
    return after == before and not is_named(path, said)


@pytest.mark.whole
def test_every_key_of_rkes_alone_has_an_effect_or_is_named_at_its_place() -> None:
    before, _ = understood(json.dumps(plain()))
    assert [path for path, value in keys() if is_silent(path, value, before)] == [FULFILLED]


def current_images() -> list[str]:
    names = [path.removeprefix("system_images.") for path, _ in keys() if path.startswith("system_images.")]
    return [name for name in names if not name.endswith("_image") and name != "wave_node"]


def test_an_image_that_no_plugin_asks_for_is_a_warning_at_its_key(file: Path) -> None:
    images = dict.fromkeys(current_images(), "a:1")
    file.write_text(json.dumps({**plain(), "ssh_key_path": "./id", "system_images": images}, indent=1))
    lines = file.read_text().splitlines()
    warned = {each.where: each for each in api.load(file).warnings if each.where.startswith("system_images.")}
    assert images.keys() - {where.removeprefix("system_images.") for where in warned} == ASKED
    for where, each in warned.items():
        assert lines[each.line - 1][each.column - 1 :].startswith(json.dumps(where.removeprefix("system_images.")))


@pytest.mark.parametrize("provider", ["none", ""])
def test_options_beside_a_provider_that_is_none_are_warnings_but_not_what_rke_config_writes(provider: str) -> None:
    written = {
        "provider": provider,
        "http_port": 8080,
        "options": {"a": "b"},
        "default_backend": False,
        "extra_args": {},
    }
    loaded = load_text(json.dumps({**plain(), "ingress": written}), PATH)
    assert [each.where for each in loaded.warnings if each.line] == ["ingress.http_port", "ingress.options"]


@pytest.mark.parametrize(
    ("section", "written", "where"),
    [
        ("dns", {"provider": "none", "nodelocal": {"ip_address": "169.254.20.10"}}, "dns.nodelocal"),
        ("monitoring", {"provider": "none", "replicas": 2}, "monitoring.replicas"),
        ("bastion_host", {"address": "", "user": "u", "port": "", "ssh_agent_auth": False}, "bastion_host.user"),
    ],
)
def test_what_nobody_is_there_to_heed_is_a_warning(section: str, written: dict[str, Value], where: str) -> None:
    loaded = load_text(json.dumps({**plain(), section: written}), PATH)
    assert where in [each.where for each in loaded.warnings if each.message.startswith("no effect")]
