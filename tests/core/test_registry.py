"""The door to plugins: what is not chosen is not imported, and each fault names plugin and distribution."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.core.conftest import SOURCE, Install

import rkx
from rkx.errors import PluginApiMismatch, PluginConflict, PluginFault, PluginNotFound
from rkx.model.cluster import Cluster, PluginRef
from rkx.registry import Chosen, Plugins, calls, find
from rkx.testing.world import NoOptions

CLUSTER = Cluster(name="sample", nodes=(), kubernetes_version="v1.34.4")
NETWORK = rkx.NetworkSettings(cni="none", pod_cidr="10.42.0.0/16")


def test_an_installed_plugin_that_is_not_named_is_never_imported(install: Install) -> None:
    unnamed, named = install("unnamed-thing", "unnamed"), install("named-thing", "named")
    kind, owner = find("addon", "named")
    assert (kind.name, owner) == ("named", "named-thing")
    assert named in sys.modules
    assert unnamed not in sys.modules


def test_an_unknown_name_is_answered_with_what_there_is(install: Install) -> None:
    install("named-thing", "metrics-serve")
    with pytest.raises(PluginNotFound) as caught:
        find("addon", "metrics-servr")
    assert "no addon plugin named 'metrics-servr'" in caught.value.message
    assert "did you mean 'metrics-serve" in caught.value.hint
    assert "coredns, manifests, metrics-serve, metrics-server" in caught.value.hint
    assert "pip install rkx-addon-metrics-servr" in caught.value.hint
    assert caught.value.exit_code == 3


def test_two_owners_of_a_name_are_a_conflict_before_either_is_imported(install: Install) -> None:
    modules = {install("first-thing", "twice"), install("second-thing", "twice")}
    with pytest.raises(PluginConflict, match="first-thing and second-thing"):
        find("addon", "twice")
    assert modules.isdisjoint(sys.modules)


def test_another_version_of_the_hooks_is_refused(install: Install) -> None:
    install("newer-thing", "newer", api=7)
    with pytest.raises(PluginApiMismatch, match="version 7"):
        find("addon", "newer")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise RuntimeError('broken at import')", "cannot be imported: RuntimeError"),
        ("Made = 3", "is not a class derived from rkx's"),
        (SOURCE.format(name="other", api=0), "calls itself addon 'other'"),
    ],
)
def test_a_broken_plugin_is_named_with_its_distribution(install: Install, source: str, said: str) -> None:
    install("bad-thing", "bad", source=source)
    with pytest.raises(PluginFault) as caught:
        find("addon", "bad")
    assert said in caught.value.message
    assert (caught.value.plugin, caught.value.owner) == ("bad", "bad-thing")


class Extension(rkx.ExtensionPlugin[NoOptions]):
    """Puts its name at the end of each manifest."""

    name = "made"
    Config = NoOptions

    @rkx.hookimpl
    def rkx_amend(self, cluster: Cluster, resources: Sequence[rkx.Resource]) -> Sequence[rkx.Resource]:
        return [replace(each, text=f"{each.text}+{self.mark}") for each in resources if isinstance(each, rkx.Manifest)]

    def __init__(self, mark: str) -> None:
        super().__init__(NoOptions())
        self.mark = mark


class Signer(rkx.AuthPlugin[NoOptions]):
    """Keeps what it is asked to sign."""

    name = "made"
    Config = NoOptions

    @rkx.hookimpl
    def rkx_auth_settings(self, cluster: Cluster, facts: rkx.Facts) -> rkx.AuthSettings:
        return rkx.AuthSettings()

    @rkx.hookimpl
    def rkx_issue(
        self, requests: Sequence[rkx.identity.IssueRequest], now: datetime
    ) -> Sequence[rkx.identity.Issued | rkx.identity.Pending]:
        self.requests = requests
        return []


class Addon(rkx.AddonPlugin[NoOptions]):
    """An addon that does what its test wants."""

    name = "made"
    Config = NoOptions

    def __init__(self, work: Callable[[], Any] = list) -> None:
        super().__init__(NoOptions())
        self.work = work

    @rkx.hookimpl
    def rkx_addon_resources(self, cluster: Cluster, network: rkx.NetworkSettings) -> Sequence[rkx.Resource]:
        found: Sequence[rkx.Resource] = self.work()
        return found


def chosen(plugin: Any) -> Plugins:  # noqa: ANN401 - also plugins that break the rules
    return Plugins([Chosen(ref=PluginRef(stage="addon", name="made"), plugin=plugin, owner="made-thing")])


def fault(work: Callable[[], Any]) -> PluginFault:
    with pytest.raises(PluginFault) as caught:
        chosen(Addon(work)).addon_resources(CLUSTER, NETWORK)
    assert (caught.value.plugin, caught.value.owner) == ("made", "made-thing")
    assert "addon plugin 'made' (made-thing): rkx_addon_resources" in caught.value.message
    return caught.value


def test_a_hook_that_raises() -> None:
    found = fault(lambda: [].pop())
    assert "IndexError" in found.message
    assert "in rkx_addon_resources" in found.trace


def test_a_hook_that_exits() -> None:
    assert "raised SystemExit(3)" in fault(lambda: sys.exit(3)).message


def test_a_hook_that_hangs_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "DEADLINE_S", 0.05)
    never = threading.Event()
    assert "gave no answer in 0.05 s" in fault(never.wait).message
    never.set()


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (iter(()), "returned tuple_iterator"),
        ({}, "returned dict"),
        (["text"], "returned str among its results"),
        ([rkx.NodeMetadata(node="two"), rkx.Folder(node="two", path=Path("/x"))], "returned two folder /x"),  # type: ignore[arg-type]
    ],
)
def test_a_hook_that_returns_what_it_must_not(result: object, said: str) -> None:
    assert said in fault(lambda: result).message


def test_what_a_hook_returns_is_stamped_with_its_owner() -> None:
    [found] = chosen(Addon(lambda: [rkx.Manifest(name="m", text="")])).addon_resources(CLUSTER, NETWORK)
    assert found.owner == "addon:made"


def test_a_hook_without_its_marker_is_refused() -> None:
    class Unmarked(Addon):
        def rkx_validate(self, cluster: Cluster) -> Sequence[rkx.Problem]:
            return []

    with pytest.raises(PluginFault, match="rkx_validate lacks the marker"):
        chosen(Unmarked())


def test_a_misspelt_hook_is_refused() -> None:
    class Misspelt(Addon):
        @rkx.hookimpl
        def rkx_addon_resorces(self, cluster: Cluster) -> Sequence[rkx.Resource]:
            return []

    with pytest.raises(PluginFault, match="rkx_addon_resorces"):
        chosen(Misspelt())


def test_an_argument_that_the_hook_lacks_is_refused() -> None:
    class Greedy(Addon):
        @rkx.hookimpl
        def rkx_validate(self, cluster: Cluster, secrets: object) -> Sequence[rkx.Problem]:
            return []

    with pytest.raises(PluginFault, match="secrets"):
        chosen(Greedy())


def test_extensions_change_resources_in_the_files_order() -> None:
    every = [
        Chosen(ref=PluginRef(stage="extension", name=mark), plugin=Extension(mark), owner="made-thing")
        for mark in ("b", "a")
    ]
    [found] = Plugins(every).amended(CLUSTER, [rkx.Manifest(name="m", text="text")])
    assert isinstance(found, rkx.Manifest)
    assert found.text == "text+b+a"


def test_the_key_of_an_authority_goes_to_its_owner_alone() -> None:
    signer = Signer(NoOptions())
    plugins = Plugins([Chosen(ref=PluginRef(stage="auth", name="made"), plugin=signer, owner="made-thing")])
    key = rkx.Secret(b"key")
    owners = ("auth:made", "service:other")
    requests = [
        rkx.identity.IssueRequest(
            identity=rkx.identity.Identity(name=owner, kind="authority", owner=owner), csr=b"", key=key
        )
        for owner in owners
    ]
    plugins.issue(requests, datetime.now(UTC))
    assert [request.key for request in signer.requests] == [key, None]
