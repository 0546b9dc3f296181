"""Carry out what a plan says about a container that a node should have, and wait until it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import assert_never

from msgspec.structs import replace

from rkx.events import Event, Waiting
from rkx.model.action import (
    ContainerAction,
    CreateContainer,
    KeepContainer,
    RemoveContainer,
    ReplaceContainer,
    RestartContainer,
    StartContainer,
    UpdateContainer,
)
from rkx.model.key import ContainerKey
from rkx.model.resource import Container
from rkx.reconcile import containers
from rkx.reconcile.bootstrap_args import Bootstrap
from rkx.reconcile.content import reads_fingerprint
from rkx.reconcile.desired import Desired
from rkx.reconcile.link import Link
from rkx.reconcile.probe import wait_until_ready
from rkx.reconcile.records import note_first_version
from rkx.reconcile.state import NodeRecord
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.wait_budget import WaitBudget

Emit = Callable[[Event], None]


class Containers:
    """Changes of containers in one run."""

    def __init__(
        self,
        links: Mapping[str, Link],
        store: StateStore,
        desired: Desired,
        budget: WaitBudget,
        emit: Emit,
        bootstrap: Bootstrap,
    ) -> None:
        self._bootstrap = bootstrap
        self._links, self._store, self._desired, self._budget, self._emit = links, store, desired, budget, emit

    def do(self, action: ContainerAction) -> None:
        """Carry out one action; NotReady where the container's probe does not succeed in time."""
        if isinstance(action, RemoveContainer):
            containers.remove(self._links[action.key.node], action.key.name)
        else:
            self._keep(action)

    def wait_for(self, key: ContainerKey) -> None:
        """Wait until a container's probe succeeds, that nothing of the run changes."""
        wait_until_ready(
            self._links[key.node], self._desired.container(key), self._store, self._budget, lambda _why: None
        )

    def _keep(self, action: KeepContainer) -> None:
        container, link = self._desired.container(action.key), self._links[action.key.node]
        self._note(container)
        self._carry_out(action, container, link)
        wait_until_ready(link, container, self._store, self._budget, self._teller(container))

    def _teller(self, container: Container) -> Callable[[str], None]:
        return lambda why: self._emit(Waiting(node=container.node, key=str(container.key), why=why))

    def _note(self, container: Container) -> None:
        """Keep in the state that the node has this container, before it is made, and from which version on."""

        def added(record: NodeRecord) -> NodeRecord:
            return replace(record, containers=tuple(sorted({*record.containers, container.name})))

        note_first_version(self._store, self._desired.cluster)
        if container.name not in self._store.state.nodes[container.node].containers:
            self._store.note_node(container.node, added, save=True)

    def _carry_out(self, action: KeepContainer, container: Container, link: Link) -> None:
        store = self._store
        reads = reads_fingerprint(store.state, container, self._desired.on(container.node))
        match action:
            case CreateContainer():
                containers.create(link, self._bootstrap.of(container), store, reads)
            case ReplaceContainer():
                containers.replace(link, self._bootstrap.of(container), store, reads)
            case StartContainer():
                containers.start(link, container)
            case RestartContainer():
                containers.restart(link, container)
            case UpdateContainer():
                containers.update(link, container)
            case _:
                assert_never(action)
