"""What is wanted less what is there, as actions with reasons. Pure: nothing is asked, nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rkx.lines import cut
from rkx.model.action import (
    Action,
    Change,
    ContainerAction,
    CreateContainer,
    CreatePath,
    IssueCredentials,
    PathAction,
    PrepareNode,
    PullImage,
    RemoveContainer,
    RemovePath,
    ReplaceContainer,
    RestartContainer,
    StartContainer,
    UpdateContainer,
    UpdatePath,
)
from rkx.model.image import listed
from rkx.model.key import ContainerKey, FileKey, FolderKey
from rkx.model.milestone import node_started
from rkx.model.resource import NODE_PROGRAM, Container, CredentialRef, File, Folder
from rkx.reconcile import digest
from rkx.reconcile.container_drift import changes_of, set_by_hand, why_made_otherwise
from rkx.reconcile.content import fingerprint, reads, reads_fingerprint
from rkx.reconcile.desired import Desired
from rkx.reconcile.layout import NAMES, Layout, within
from rkx.reconcile.machine_identity import in_doubt
from rkx.reconcile.manifests import daemon_images
from rkx.reconcile.members import keeps_lock
from rkx.reconcile.node import LOCK
from rkx.reconcile.seen import SeenContainer, SeenNode
from rkx.reconcile.state import State
from rkx.reconcile.take_down import take_down


def diff_nodes(desired: Desired, seen: Mapping[str, SeenNode], state: State) -> list[Action]:
    """Compare every node that was seen; nodes that cluster.yml no longer has are taken down."""
    actions: list[Action] = list(_credentials(desired))
    for name, node in sorted(seen.items()):
        wanted = name in desired.layouts
        actions += _Comparison(desired, state, name, node).actions() if wanted else take_down(name, node, state)
    return actions


def _credentials(desired: Desired) -> Iterator[IssueCredentials]:
    if desired.renewals:
        changes = tuple(Change(field=due.identity, after=due.reason) for due in desired.renewals)
        reasons = sorted({due.reason for due in desired.renewals})
        yield IssueCredentials(reason=f"{len(changes)}: {', '.join(reasons)}", changes=changes)


class _Comparison:
    """One node, wanted and seen."""

    def __init__(self, desired: Desired, state: State, name: str, seen: SeenNode) -> None:
        self.desired, self.state, self.name, self.seen = desired, state, name, seen
        self.ours = seen.ours(state.cluster_id)
        self.wanted = desired.on(name)
        self._host = desired.facts[name].host

    def actions(self) -> list[Action]:
        if self.ours and (self.seen.layout is None or self._host is None):
            return list(self._prepare())  # its files, or what they hold, are unknown: prepare, then plan again
        found: list[Action] = [*self._prepare(), *self._files(), *self._leftovers()]
        changed = [action.key.path for action in found if isinstance(action.key, FileKey)]
        for container in self.wanted:
            if isinstance(container, Container):
                found += self._container(container, changed)
        return [*found, *self._pulls(found), *self._strangers()]

    def _pulls(self, found: Sequence[Action]) -> Iterator[PullImage]:
        keys = [action.key for action in found if isinstance(action, CreateContainer | ReplaceContainer)]
        made = [self.desired.container(key) for key in keys]
        images = {image for container in made for image in (container.image, *container.images)}
        if any(node_started(self.name) in container.reaches for container in made):
            images |= daemon_images(self.desired.objects.values())
        for image in sorted(images):
            if listed(image) not in self.seen.images:
                yield PullImage(node=self.name, image=image, reason="not on the node")

    def _prepare(self) -> Iterator[PrepareNode]:
        if why := self._unprepared():
            yield PrepareNode(node=self.name, reason=why)

    def _unprepared(self) -> str:
        program = self.seen.files.get(NODE_PROGRAM)
        if in_doubt(self.state.nodes.get(self.name), self.seen.facts.engine_id):
            return "Docker's id changed"
        if program is None or any(name not in self.seen.containers for name in NAMES.values()):
            return "missing"
        if self.seen.layout != self.desired.layouts[self.name]:
            return "folders changed"
        if self._host is None:
            return "what it said of its machine is unknown"
        expected = self.desired.programs[self.name]
        return "" if expected.fits(self.seen.containers) and program.size == expected.size else "another version"

    def _files(self) -> Iterator[PathAction]:
        for resource in self.wanted:
            if isinstance(resource, Folder):
                yield from self._compare(resource, digest.of_folder(resource))
            if isinstance(resource, File):
                yield from self._compare(resource, fingerprint(self.state, resource))

    def _compare(self, resource: File | Folder, word: str) -> Iterator[PathAction]:
        seen = self.seen.files.get(str(resource.path))
        if seen is None:
            yield CreatePath(key=resource.key, reason="missing", owner=resource.owner)
        elif isinstance(resource, File) and self._is_due(resource):
            why = "credentials are reissued"
            yield UpdatePath(key=resource.key, reason=why, owner=resource.owner)
        elif seen.word != word:
            why = _difference(seen.word, word)
            yield UpdatePath(key=resource.key, reason=why, owner=resource.owner)

    def _is_due(self, file: File) -> bool:
        return isinstance(file.content, CredentialRef) and not self.desired.renewal_names.isdisjoint(
            file.content.identities
        )

    def _leftovers(self) -> Iterator[RemovePath]:
        """Find files that rkx wrote earlier and that are no longer wanted."""
        wanted = {str(resource.path) for resource in self.wanted if isinstance(resource, File | Folder)}
        record = self.state.nodes.get(self.name)
        left = sorted({*record.paths} - {each.path for each in record.former} - wanted) if record else []
        unseen = dropped(left, self.desired.layouts[self.name])
        for path in left:
            if path in self.seen.files or path in unseen:
                word = self.seen.files[path].word if path in self.seen.files else ""
                kind = FolderKey if word.startswith("folder") else FileKey
                yield RemovePath(key=kind(self.name, path), reason="no longer wanted")

    def _container(self, container: Container, changed: Sequence[str]) -> Iterator[ContainerAction]:
        seen, word = self.ours.get(container.name), digest.of_container(self.state.key, container)
        key, owner = container.key, container.owner
        if seen is None or seen.state == "gone":
            yield CreateContainer(key=key, reason="missing", owner=owner)
        elif seen.digest != word:
            found = changes_of(container, seen)
            yield ReplaceContainer(key=key, reason=why_made_otherwise(found), owner=owner, changes=found)
        elif why := self._why_replaced(container, seen):
            yield ReplaceContainer(key=key, reason=why, owner=owner)
        else:
            yield from self._running(container, seen, changed)

    def _why_replaced(self, container: Container, seen: SeenContainer) -> str:
        if others := set_by_hand(container, seen, self.seen.images):
            return f"set by hand: {', '.join(others)}"
        return "is dead" if seen.state == "dead" else ""

    def _running(self, container: Container, seen: SeenContainer, changed: Sequence[str]) -> Iterator[ContainerAction]:
        """Compare a container that is made as it should be: does it run, with present files and restart policy."""
        key, owner = container.key, container.owner
        if seen.state not in ("running", "restarting"):
            yield StartContainer(key=key, reason=f"is {seen.state}", owner=owner)
        elif newer := self._newer(container, seen, changed):
            yield RestartContainer(key=key, reason=f"{cut(newer)} changed", owner=owner)
        elif seen.state == "restarting":
            yield StartContainer(key=key, reason="is restarting", owner=owner)
        elif seen.restart_policy != "always":
            yield UpdateContainer(key=key, reason=f"restart policy is {seen.restart_policy!r}", owner=owner)

    def _newer(self, container: Container, seen: SeenContainer, changed: Sequence[str]) -> str:
        """Name a file that the container read before its present content was written.

        The Engine shows times of files in whole seconds. So one written in the second of the start counts as newer only
        if the container was not made for the contents that are there now.
        """
        for path in changed:
            if reads(container, path):
                return path
        if seen.started_at is None:
            return ""
        same = seen.labels.get("rkx.reads") == reads_fingerprint(self.state, container, self.wanted)
        started = seen.started_at if same else seen.started_at.replace(microsecond=0)
        for name, file in self.seen.files.items():
            is_newer = file.modified > started or (not same and file.modified == started)
            if is_newer and reads(container, name) and not file.word.startswith("folder"):
                return name
        return ""

    def _strangers(self) -> Iterator[RemoveContainer]:
        """Find our own containers that are not wanted, half-done replacements too; a lock counts where one is kept."""
        wanted = {resource.name for resource in self.wanted if isinstance(resource, Container)} | {*NAMES.values()}
        if LOCK in self.ours and keeps_lock(self.name, self.desired.cluster, self.state):
            wanted |= {LOCK}
        for name in sorted(self.ours.keys() - wanted):
            base = ContainerKey(self.name, name.rpartition("-")[0])
            yield RemoveContainer(key=ContainerKey(self.name, name), reason="no longer wanted", after=(base,))


def dropped(left: Sequence[str], layout: Layout) -> set[str]:
    """Find what rkx wrote into folders that are no longer described, and these folders: no container mounts them now.

    A folder into which nothing was written holds data of others: it stays until the node is taken down.
    """
    outside = [path for path in left if not any(within(path, root) for root in layout.roots)]
    tops = [path for path in outside if any(other.startswith(f"{path}/") for other in outside)]
    return {path for path in outside if any(within(path, top) for top in tops)}


def _difference(seen: str, wanted: str) -> str:
    was, should = seen.split(" "), wanted.split(" ")
    if was[0] != should[0]:
        return "content differs"
    return f"mode or owner is {' '.join(was[1:])}, not {' '.join(should[1:])}"
