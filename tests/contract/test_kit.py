"""The conformance kit: rkx's own plugins keep its laws, and a plugin that breaks one is found."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path, PurePosixPath
from pkgutil import iter_modules
from typing import Any

import pytest
from msgspec.structs import replace
from tests.contract.kit import BROKEN, Law, keep, laws

import rkx
from rkx.model.key import ManifestKey
from rkx.testing import conformance
from rkx.testing.conformance import samples, test_describing, test_every, test_network, test_pure
from rkx.testing.conformance.subject import Subject, concerns, given, load
from rkx.testing.world import NoOptions

MODULES = [
    import_module(f"{conformance.__name__}.{each.name}")
    for each in iter_modules(conformance.__path__)
    if each.name.startswith("test_")
]
OWN = (
    *("auth:x509", "network:flannel", "service:kubernetes"),
    *("addon:coredns", "addon:metrics-server", "addon:manifests"),
)
IN_OTHER_PROCESSES = {"test_the_same_input_gives_the_same_under_another_hash_seed"}
"""Takes a second for each plugin: the whole kit runs by its command among the tests on machines."""
Described = Sequence[rkx.Resource]
Describe = Callable[[rkx.Cluster], Described]


@pytest.mark.whole
@pytest.mark.parametrize("reference", OWN)
def test_own_plugins_keep_every_law(reference: str, caplog: pytest.LogCaptureFixture) -> None:
    subject = load(reference, {})
    for module in MODULES:
        for law in laws(module) if concerns(module, subject) else ():
            if law.__name__ not in IN_OTHER_PROCESSES:
                keep(law, subject, caplog)


class Net(rkx.NetworkPlugin[NoOptions]):
    """A network that describes what its test wants."""

    name = "made"
    Config = NoOptions
    describe: Describe = staticmethod(lambda cluster: [])
    proxy: str | None = "iptables"
    counts = False

    @rkx.hookimpl
    def rkx_network_settings(self, cluster: rkx.Cluster, facts: rkx.Facts) -> rkx.NetworkSettings:
        cidr = f"10.42.{len(facts)}.0/24" if self.counts else cluster.pod_cidr
        return rkx.NetworkSettings(cni="made", pod_cidr=cidr, kube_proxy_mode=self.proxy)

    @rkx.hookimpl
    def rkx_network_resources(
        self, cluster: rkx.Cluster, facts: rkx.Facts, network: rkx.NetworkSettings
    ) -> Sequence[rkx.Resource]:
        return type(self).describe(cluster)


def net(describe: Describe = lambda cluster: [], **attributes: object) -> Subject:
    made = type("Made", (Net,), {"describe": staticmethod(describe), **attributes})
    plugin: Net = made(NoOptions())
    return given(plugin)


def node(cluster: rkx.Cluster) -> str:
    return cluster.nodes[0].name


def folder(cluster: rkx.Cluster, path: str = "/etc/made") -> rkx.Folder:
    return rkx.Folder(node=node(cluster), path=PurePosixPath(path))


def file(cluster: rkx.Cluster, content: Any = b"", mode: int = 0o600, path: str = "/etc/made/file") -> rkx.File:  # noqa: ANN401 - any content
    return rkx.File(node=node(cluster), path=PurePosixPath(path), content=content, mode=mode)


def container(cluster: rkx.Cluster, image: str = "made:1", **more: Any) -> rkx.Container:  # noqa: ANN401 - any field
    return rkx.Container(node=node(cluster), name="made", image=image, argv=("made",), **more)


def manifest(name: str = "made", kind: str = "ConfigMap", **more: Any) -> rkx.Manifest:  # noqa: ANN401 - any field
    text = more.pop("text", f"{{apiVersion: v1, kind: {kind}, metadata: {{name: made, namespace: default}}}}")
    return rkx.Manifest(name=name, text=text, **more)


def leaves(cluster: rkx.Cluster, **more: Any) -> rkx.HostCleanup:  # noqa: ANN401 - any field
    return rkx.HostCleanup(node=node(cluster), name="made", **more)


COUNT = itertools.count()
POD = "{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{initContainers: [{{name: b, image: '{}'}}]}}}}"
ABSENT = ManifestKey("of-another")
DESCRIBED: list[tuple[Law, Describe]] = [
    (test_describing.test_a_key_means_one_thing, lambda c: [manifest(), manifest(text="")]),
    (
        test_describing.test_resources_are_of_nodes_that_there_are,
        lambda c: [rkx.NodeMetadata(node="one"), replace(folder(c), node="gone")],
    ),
    (test_describing.test_images_are_pinned, lambda c: [container(c, "registry:5000/made")]),
    (test_describing.test_images_are_pinned, lambda c: [container(c, "made:latest")]),
    (test_describing.test_images_are_pinned, lambda c: [container(c, images=("made",))]),
    (test_describing.test_images_are_pinned, lambda c: [manifest(text=POD.format("made"))]),
    (test_describing.test_images_asked_for_are_declared, lambda c: [container(c, c.image("made", "made:1"))]),
    (test_describing.test_files_lie_in_folders_of_their_own, lambda c: [file(c)]),
    (
        test_describing.test_secrets_are_closed_to_others,
        lambda c: [folder(c), file(c, rkx.CredentialRef(identity="a", what="key"), 0o644)],
    ),
    (test_describing.test_secrets_are_closed_to_others, lambda c: [folder(c), file(c, rkx.Secret(b"word"), 0o604)]),
    (test_describing.test_paths_are_whole, lambda c: [folder(c), file(c, path="etc/made")]),
    (test_describing.test_paths_are_whole, lambda c: [folder(c, "/etc/made/../other")]),
    (test_describing.test_paths_are_whole, lambda c: [folder(c), file(c, mode=0)]),
    (
        test_describing.test_no_bind_is_of_the_whole_machine,
        lambda c: [container(c, mounts=(rkx.Mount(source="/", target="/host"),))],
    ),
    (
        test_describing.test_no_bind_is_of_the_whole_machine,
        lambda c: [container(c, mounts=(rkx.Mount(source="var", target="/var"),))],
    ),
    (test_describing.test_manifests_are_objects, lambda c: [manifest(text="a: [")]),
    (test_describing.test_manifests_are_objects, lambda c: [manifest(text="kind: Pod")]),
    (test_describing.test_manifests_are_objects, lambda c: [manifest(), manifest("other")]),
    (
        test_describing.test_awaited_workloads_are_described,
        lambda c: [manifest(health_checks=(rkx.HealthCheck(kind="Pod", namespace="default", name="another"),))],
    ),
    (test_describing.test_after_names_what_there_is, lambda c: [manifest(after=(ABSENT,))]),
    (test_describing.test_after_names_what_there_is, lambda c: [manifest(after=(rkx.node_ready("gone"),))]),
    (test_describing.test_what_is_left_is_its_own, lambda c: [leaves(c, chains=("",))]),
    (test_describing.test_what_is_left_is_its_own, lambda c: [leaves(c, chains=("IN",))]),
    (test_describing.test_what_is_left_is_its_own, lambda c: [leaves(c, links=("docker0",))]),
    (test_describing.test_what_is_left_is_its_own, lambda c: [leaves(c, paths=("/var",))]),
    (test_pure.test_no_secret_is_shown, lambda c: [manifest(text=f"a: {c.registries[0].password.reveal()}")]),  # type: ignore[union-attr] # the samples have one
    (test_pure.test_no_secret_is_shown, lambda c: [container(c, env={"LOGIN": samples.LOGIN})]),
    (test_pure.test_the_same_input_gives_the_same, lambda c: [manifest(f"made-{next(COUNT)}")]),
    (test_pure.test_hooks_touch_nothing_outside, lambda c: [manifest(Path("/etc/hostname").read_text())]),
    (test_pure.test_hooks_touch_nothing_outside, lambda c: touched(lambda: socket.socket().close())),
    (test_pure.test_hooks_touch_nothing_outside, lambda c: touched(lambda: subprocess.run(["true"], check=True))),
    (test_pure.test_hooks_touch_nothing_outside, lambda c: touched(lambda: os.environ.__setitem__("RKX_MADE", "1"))),
    (
        test_pure.test_hooks_touch_nothing_outside,
        lambda c: touched(lambda: Path(__file__).with_name("hooks.txt").open("a").close()),
    ),
]


def touched(act: Callable[[], object]) -> Described:
    act()
    return []


@pytest.mark.parametrize(("law", "describe"), DESCRIBED, ids=lambda each: getattr(each, "__name__", ""))
def test_what_breaks_a_law_is_found(
    law: Law, describe: Describe, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RKX_MADE", "0")
    with pytest.raises(BROKEN):
        keep(law, net(describe), caplog)


@pytest.mark.whole
def test_a_network_that_describes_nothing_keeps_every_law(caplog: pytest.LogCaptureFixture) -> None:
    for module in (test_every, test_pure, test_describing, test_network):
        for law in laws(module):
            if law.__name__ not in IN_OTHER_PROCESSES:
                keep(law, net(), caplog)
