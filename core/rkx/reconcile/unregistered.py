"""Nodes whose Node object is gone: a kubelet registers only when it starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rkx.model.action import Action, RestartContainer
from rkx.model.milestone import node_started
from rkx.reconcile.desired import Desired, containers, node_metadata
from rkx.reconcile.observation import Observation


def unregistered(desired: Desired, actions: Sequence[Action], observation: Observation) -> Iterator[RestartContainer]:
    """Restart the agent of each node that has no Node object, where the plan does not start it anyway."""
    planned = {action.key for action in actions}
    known = observation.nodes.keys() if observation.objects is None else observation.objects.nodes.keys()
    missing = {each.node for each in node_metadata(desired)} & (observation.nodes.keys() - known)
    for each in containers(desired.resources.values()):
        if each.node in missing and node_started(each.node) in each.reaches and each.key not in planned:
            yield RestartContainer(key=each.key, reason="its Node object is missing", owner=each.owner)
