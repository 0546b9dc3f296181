"""Laws for what networks, services and addons describe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import PurePosixPath
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from rkx.errors import ConfigError, PluginFault
from rkx.model.key import Key
from rkx.model.manifest import Manifest
from rkx.model.milestone import Milestone
from rkx.model.resource import Container, File, Folder, HostCleanup, Resource
from rkx.reconcile.desired import layout
from rkx.reconcile.manifests import split
from rkx.testing.conformance.samples import PINNED
from rkx.testing.conformance.subject import Case, Subject, holds_secret

STAGES = ("network", "service", "addon")
NEVER_BOUND = ("/", "/var", "/etc", "/usr")
LINKS_OF_OTHERS = ("lo", "eth0", "docker0")
R = TypeVar("R")


def test_a_key_means_one_thing(subject: Subject) -> None:
    """Resources of one node, kind and name are equal: what two nodes ask for may be described twice."""
    for _, resources in subject.described:
        found: dict[Key, Resource] = {}
        for resource in resources:
            assert found.setdefault(resource.key, resource) == resource


def test_resources_are_of_nodes_that_there_are(subject: Subject) -> None:
    """Each resource belongs to the cluster, or to one of its nodes."""
    for case, found in _described(subject):
        names = {"", *(node.name for node in case.cluster.nodes)}
        assert [str(resource.key) for resource in found if resource.key.node not in names] == []


def test_images_are_pinned(subject: Subject) -> None:
    """Each image has a tag other than latest, or a digest: else nodes differ by the day that they pulled it."""
    for _, found in _described(subject):
        images = {image for each in _only(Container, found) for image in (each.image, *each.images)}
        images |= {image for body in _bodies(found) for image in _images(body)}
        assert sorted(image for image in images if not PINNED.match(image)) == []


def test_images_asked_for_are_declared(subject: Subject) -> None:
    """``images`` holds each name that is looked up under system_images: else core says that it has no effect."""
    for case in subject.cases():
        heard = _Heard()
        subject.resources(replace(case, cluster=replace(case.cluster, images=heard)))
        assert sorted(heard.names - subject.kind.images) == []


class _Heard(Mapping[str, str]):
    """No image is named; what is asked for is kept."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_files_lie_in_folders_of_their_own(subject: Subject) -> None:
    """Each file is under a folder that the plugin describes: only there core sees whether it is as it should be."""
    for case, found in _described(subject):
        for node in case.cluster.nodes:
            try:
                layout(found, node.name)
            except PluginFault as fault:
                pytest.fail(fault.message)


def test_secrets_are_closed_to_others(subject: Subject) -> None:
    """A file with a key or a secret can be read by its owner and group only."""
    for _, found in _described(subject):
        opened = [each for each in _only(File, found) if each.mode & 0o007 and holds_secret(each)]
        assert [f"{each.path} {each.mode:04o}" for each in opened] == []


def test_paths_are_whole(subject: Subject) -> None:
    """Paths begin at the root and go up nowhere; modes are of files."""
    for _, found in _described(subject):
        placed: list[File | Folder] = [*_only(File, found), *_only(Folder, found)]
        assert [str(each.path) for each in placed if not each.path.is_absolute() or ".." in each.path.parts] == []
        assert [str(each.path) for each in placed if not 0 < each.mode <= 0o7777] == []


def test_no_bind_is_of_the_whole_machine(subject: Subject) -> None:
    """A container gets folders of its own, and not those that everything lies under."""
    for _, found in _described(subject):
        binds = [(each.name, mount.source) for each in _only(Container, found) for mount in each.mounts]
        assert [bind for bind in binds if bind[1] in NEVER_BOUND or not bind[1].startswith("/")] == []


def test_manifests_are_objects(subject: Subject) -> None:
    """Each manifest is YAML of whole objects, and no object is in two."""
    for _, found in _described(subject):
        keys = [each.key for manifest in _only(Manifest, found) for each in _split(manifest)]
        assert sorted({str(key) for key in keys if keys.count(key) > 1}) == []


def test_awaited_workloads_are_described(subject: Subject) -> None:
    """A manifest waits for workloads that are in it: for another one it would wait forever."""
    for _, found in _described(subject):
        for manifest in _only(Manifest, found):
            there = {(each.kind, each.namespace, each.name) for each in _split(manifest)}
            awaited = {(check.kind, check.namespace, check.name) for check in manifest.health_checks}
            assert awaited - there == set()


def test_after_names_what_there_is(subject: Subject) -> None:
    """What a resource waits for is described by the same plugin, or a milestone of a node that there is."""
    for case, found in _described(subject):
        keys = {resource.key for resource in found}
        names = {"", *(node.name for node in case.cluster.nodes)}
        awaited = {each for resource in found for each in getattr(resource, "after", ())}
        assert {each for each in awaited if isinstance(each, Key)} - keys == set()
        assert {each.node for each in awaited if isinstance(each, Milestone)} - names == set()


def test_what_is_left_is_its_own(subject: Subject) -> None:
    """Removal deletes what these name, so none of it may be another's: no empty prefix, no system's folder."""
    for _, found in _described(subject):
        for each in _only(HostCleanup, found):
            assert "" not in (*each.links, *each.chains, *each.comments, *each.routes), f"{each.name}: an empty name"
            assert set(each.links).isdisjoint(LINKS_OF_OTHERS)
            assert [chain for chain in each.chains if len(chain) < 4] == []  # such as IN, which INPUT begins with
            assert [path for path in (*each.paths, *each.mounts) if not _is_deep(path)] == []


def _is_deep(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return parts[:1] == ("/",) and len(parts) > 2 and ".." not in parts


def _described(subject: Subject) -> Iterator[tuple[Case, list[Resource]]]:
    for case, found in subject.described:
        yield case, list({resource.key: resource for resource in found}.values())


def _only(kind: type[R], found: list[Resource]) -> list[R]:
    return [each for each in found if isinstance(each, kind)]


@cache
def _split(manifest: Manifest) -> list[Any]:
    try:
        return list(split(manifest))
    except ConfigError as error:
        pytest.fail(error.message)


def _bodies(found: list[Resource]) -> Iterator[Any]:
    for manifest in _only(Manifest, found):
        yield from (each.body for each in _split(manifest))


def _images(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever YAML holds
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("containers", "initContainers"):
                yield from (each.get("image", "") for each in inner or ())
            else:
                yield from _images(inner)
    if isinstance(value, list):
        for inner in value:
            yield from _images(inner)
