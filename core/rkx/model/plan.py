"""What a run will do, as a value: shown by ``plan``, applied by ``up``. It holds nothing of what it writes."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from rkx.model.action import Action, IssueCredentials, PrepareNode
from rkx.model.checks import Finding
from rkx.model.risk import Risk
from rkx.model.update import NodeUpdate, RolloutGroup


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the operator must agree to before it is done."""

    what: str
    why: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The graph of actions of one run; ``updates`` say which of them take a place in one of the ``groups``.

    ``digest`` is a keyed one of all that the actions write, which they name by key alone. ``unknown`` says what could
    not be looked at yet, ``unreachable`` names nodes left out on purpose, ``findings`` are warnings of nodes, ``risks``
    those that cluster.yml accepts.
    """

    cluster: str
    actions: tuple[Action, ...] = ()
    digest: str = ""
    updates: tuple[NodeUpdate, ...] = ()
    groups: tuple[RolloutGroup, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    unknown: tuple[str, ...] = ()
    unreachable: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    risks: tuple[Risk, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to do."""
        return not self.actions

    @property
    def prepared(self) -> frozenset[str]:
        """Name the nodes that are prepared."""
        return frozenset(action.node for action in self.actions if isinstance(action, PrepareNode))

    def preparation(self) -> Plan:
        """Return the part that rests on nothing that a prepared machine would say: preparing, and issuing."""
        first = (action for action in self.actions if isinstance(action, PrepareNode | IssueCredentials))
        return Plan(cluster=self.cluster, actions=tuple(replace(action, after=()) for action in first))
