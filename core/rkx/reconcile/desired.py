"""What should be: every plugin's description of one cluster, put together and checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from rkx.errors import ConfigError, PluginFault
from rkx.model.action import Action
from rkx.model.cluster import Cluster
from rkx.model.facts import Facts
from rkx.model.identity import Identity, Renewal, describe
from rkx.model.key import ContainerKey, FileKey, FolderKey, Key, NodeKey, ObjectKey
from rkx.model.manifest import HealthCheck, Manifest, Object
from rkx.model.resource import Container, File, Folder, HostCleanup, NodeMetadata, Resource
from rkx.reconcile import digest
from rkx.reconcile.layout import HELD_MODE, MOST_FOLDERS, Expected, Layout
from rkx.reconcile.manifests import split
from rkx.reconcile.state import State
from rkx.reconcile.state_copies import keepers
from rkx.reconcile.told import told
from rkx.registry import Plugins

R = TypeVar("R", bound=Resource)
OPEN_TO_ALL = digest.of_file("folder", HELD_MODE, 0, 0)


class Desired(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The whole of what is wanted.

    ``health_checks`` come with the plugin that asked; ``leaving`` says of each node that is taken down what its folders
    are and what else lies there; ``programs`` how rkx-node should be installed.
    """

    cluster: Cluster
    facts: Facts
    resources: Mapping[Key, Resource]
    objects: Mapping[ObjectKey, Object]
    health_checks: tuple[tuple[HealthCheck, str], ...]
    identities: Mapping[str, Identity]
    renewals: tuple[Renewal, ...]
    layouts: Mapping[str, Layout]
    leaving: Mapping[str, tuple[Resource, ...]]
    programs: Mapping[str, Expected]

    def on(self, node: str) -> list[Resource]:
        """List the resources of one node."""
        return [*self._by_node.get(node, ())]

    def container(self, key: ContainerKey) -> Container:
        """Return the container that is described under a key; KeyError if none is."""
        return _of_type(Container, self.resources[key])

    def path(self, key: FileKey | FolderKey) -> File | Folder:
        """Return the file or folder that is described under a key; KeyError if none is."""
        found = self.resources[key]
        return found if isinstance(found, Folder) else _of_type(File, found)

    def metadata(self, key: NodeKey) -> NodeMetadata:
        """Return the labels and taints of a Node; KeyError if none are described."""
        return _of_type(NodeMetadata, self.resources[key])

    def written_by(self, actions: Iterable[Action]) -> list[Resource | Object]:
        """List what is described under the keys of actions."""
        keys = [action.key for action in actions]
        return [each for key in keys if (each := self.resources.get(key) or _object_of(self.objects, key))]

    @cached_property
    def _by_node(self) -> Mapping[str, Sequence[Resource]]:
        return by_node(self.resources.values())

    @cached_property
    def renewal_names(self) -> frozenset[str]:
        """Name the identities that are due."""
        return frozenset(due.identity for due in self.renewals)

    @cached_property
    def keepers(self) -> frozenset[str]:
        """Name the nodes that keep a copy of the state."""
        return frozenset(keepers(self.cluster))


def _object_of(objects: Mapping[ObjectKey, Object], key: Key) -> Object | None:
    return objects.get(key) if isinstance(key, ObjectKey) else None


def _of_type(kind: type[R], resource: Resource) -> R:
    if not isinstance(resource, kind):
        raise TypeError(f"{resource.key} is a {type(resource).__name__}")
    return resource


def by_node(resources: Iterable[Resource]) -> Mapping[str, Sequence[Resource]]:
    """Sort resources by node, so that each node's are found without a scan of all."""
    found: defaultdict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        found[resource.key.node].append(resource)
    return {name: tuple(each) for name, each in found.items()}


def describe_cluster(plugins: Plugins, cluster: Cluster, facts: Facts, state: State, now: datetime) -> Desired:
    """Ask every plugin, in the order that the hooks promise; nodes without facts are left out."""
    network = plugins.network_settings(cluster, facts)
    auth = plugins.auth_settings(cluster, facts)
    found: list[Resource] = list(auth.files)
    found += plugins.network_resources(cluster, facts, network)
    for node in cluster.nodes:
        if node.name in facts:
            found += plugins.service_resources(cluster, node, facts, auth, network)
    found += plugins.addon_resources(cluster, network)
    resources = _keyed(plugins.amended(cluster, found))
    on = by_node(resources.values())
    identities = plugins.identities(cluster)
    manifests = [resource for resource in resources.values() if isinstance(resource, Manifest)]
    return Desired(
        cluster=cluster,
        facts=facts,
        resources={key: each for key, each in resources.items() if not isinstance(each, Manifest)},
        objects=_keyed_objects([*(part for each in manifests for part in split(each)), told(identities, state)]),
        health_checks=tuple((check, manifest.owner) for manifest in manifests for check in manifest.health_checks),
        identities={identity.name: identity for identity in identities},
        renewals=(*plugins.renewals(cluster, identities, state.saved(), now), *_reshaped(identities, state)),
        layouts={n.name: layout(on.get(n.name, ()), n.name) for n in cluster.nodes if n.name in facts},
        leaving={},
        programs={},
    )


def _reshaped(identities: Iterable[Identity], state: State) -> list[Renewal]:
    """Find secrets whose form changed: the secret itself stays, so the auth plugin is not asked."""
    saved = state.saved()
    secrets = [i for i in identities if i.kind == "secret" and i.name in saved]
    return [
        Renewal(identity=i.name, reason="form changed") for i in secrets if saved[i.name].description != describe(i)
    ]


def without(desired: Desired, nodes: Collection[str]) -> Desired:
    """Want nothing any more on some nodes, or of the cluster if they are all; keep what they would leave behind."""
    stays = tuple(node for node in desired.cluster.nodes if node.name not in nodes)
    gone = {key for key in desired.resources if key.node in nodes or (isinstance(key, NodeKey) and key.name in nodes)}
    return replace(
        desired,
        cluster=replace(desired.cluster, nodes=stays),
        resources={key: each for key, each in desired.resources.items() if key not in gone},
        objects=desired.objects if stays else {},
        health_checks=desired.health_checks if stays else (),
        renewals=desired.renewals if stays else (),
        layouts={node: each for node, each in desired.layouts.items() if node not in nodes},
        leaving={**desired.leaving, **{node: _left_by(desired, node) for node in nodes if node in desired.layouts}},
    )


def _left_by(desired: Desired, node: str) -> tuple[Resource, ...]:
    return tuple(each for each in desired.on(node) if isinstance(each, HostCleanup | Folder))


def _keyed(resources: Iterable[Resource]) -> dict[Key, Resource]:
    """Sort resources by key; two different ones under one key are a fault of the second's plugin."""
    found: dict[Key, Resource] = {}
    for resource in resources:
        former = found.setdefault(resource.key, resource)
        if former is not resource and replace(former, owner="") != replace(resource, owner=""):
            raise PluginFault(
                f"{resource.key} is described differently by {former.owner} and by {resource.owner}",
                owner=resource.owner,
            )
    return {key: found[key] for key in sorted(found, key=lambda each: each.order())}


def _keyed_objects(objects: Iterable[Object]) -> dict[ObjectKey, Object]:
    found: dict[ObjectKey, Object] = {}
    for wanted in objects:
        if wanted.key in found:
            raise ConfigError(f"{wanted.where}: {wanted.key} is in {found[wanted.key].where} too")
        found[wanted.key] = wanted
    return found


def layout(resources: Iterable[Resource], node: str) -> Layout:
    """Return which folders are read file by file, the topmost with files; PluginFault for a file outside of all."""
    mine = [resource for resource in resources if resource.key.node == node]
    folders = {str(each.path): each for each in mine if isinstance(each, Folder)}
    tops = [path for path in sorted(folders) if not _under(path, folders)]
    files = [str(each.path) for each in mine if isinstance(each, File)]
    for path in files:
        if not _under(path, tops):
            raise PluginFault(f"{node}: the file {path} lies in no folder that a plugin describes")
    read = [top for top in tops if any(_under(path, (top,)) for path in files)]
    closed = [path for path in sorted(folders) if path not in read and not _under(path, read)]
    if len(folders) > MOST_FOLDERS:
        raise PluginFault(f"{node}: {len(folders)} folders are described, and {MOST_FOLDERS} are the most on a node")
    held = tuple(path for path in closed if digest.of_folder(folders[path]) == OPEN_TO_ALL)
    return Layout(read=tuple(read), guard=tuple(path for path in closed if path not in held), hold=held)


def _under(path: str, folders: Iterable[str]) -> bool:
    return path.startswith(tuple(f"{folder}/" for folder in folders))


def containers(resources: Iterable[Resource]) -> list[Container]:
    """Pick the containers."""
    return [resource for resource in resources if isinstance(resource, Container)]


def node_metadata(desired: Desired) -> list[NodeMetadata]:
    """Pick the Node objects."""
    return [resource for resource in desired.resources.values() if isinstance(resource, NodeMetadata)]
