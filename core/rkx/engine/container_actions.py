"""Carry out what a plan says about a container that a node should have, and wait until it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from rkx.engine import containers
from rkx.engine.bootstrap import Bootstrap
from rkx.engine.content import reads_fingerprint
from rkx.engine.desire import Desired
from rkx.engine.ledger import Ledger
from rkx.engine.link import Link
from rkx.engine.patience import Patience
from rkx.engine.probe import wait_until_ready
from rkx.engine.records import note_first_version
from rkx.engine.state import NodeRecord
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
from rkx.model.resource import Container

Emit = Callable[[Event], None]


class Containers:
    """Changes of containers in one run."""

    def __init__(
        self,
        links: Mapping[str, Link],
        ledger: Ledger,
        desired: Desired,
        patience: Patience,
        emit: Emit,
        bootstrap: Bootstrap,
    ) -> None:
        self._bootstrap = bootstrap
        self._links, self._ledger, self._desired, self._patience, self._emit = links, ledger, desired, patience, emit

    def do(self, action: ContainerAction) -> None:
        """Carry out one action; NotReady where the container's probe does not succeed in time."""
        if isinstance(action, RemoveContainer):
            containers.remove(self._links[action.key.node], action.key.name)
        else:
            self._keep(action)

    def wait_for(self, container: Container) -> None:
        """Wait until a container's probe succeeds, that nothing of the run changes."""
        wait_until_ready(self._links[container.node], container, self._ledger, self._patience, lambda _why: None)

    def _keep(self, action: KeepContainer) -> None:
        container, link = action.container, self._links[action.key.node]
        self._note(container)
        self._carry_out(action, link)
        wait_until_ready(link, container, self._ledger, self._patience, self._teller(container))

    def _teller(self, container: Container) -> Callable[[str], None]:
        return lambda why: self._emit(Waiting(node=container.node, key=str(container.key), why=why))

    def _note(self, container: Container) -> None:
        """Keep in the state that the node has this container, before it is made, and from which version on."""

        def added(record: NodeRecord) -> NodeRecord:
            return replace(record, containers=tuple(sorted({*record.containers, container.name})))

        note_first_version(self._ledger, self._desired.cluster)
        if container.name not in self._ledger.state.nodes[container.node].containers:
            self._ledger.note_node(container.node, added, save=True)

    def _carry_out(self, action: KeepContainer, link: Link) -> None:
        container, ledger = action.container, self._ledger
        reads = reads_fingerprint(ledger.state, container, self._desired.on(container.node))
        match action:
            case CreateContainer():
                containers.create(link, self._bootstrap.of(container), ledger, reads)
            case ReplaceContainer():
                containers.replace(link, self._bootstrap.of(container), ledger, reads)
            case StartContainer():
                containers.start(link, container)
            case RestartContainer():
                containers.restart(link, container)
            case UpdateContainer():
                containers.update(link, container)
            case _:
                assert_never(action)
