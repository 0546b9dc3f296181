"""What takes a machine out of the cluster, as actions. Pure: nothing is asked, nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence

from rkx.model.action import Action, CleanNode, PullImage, RemoveContainer
from rkx.model.image import listed
from rkx.model.key import ContainerKey
from rkx.model.resource import HostCleanup
from rkx.reconcile.layout import NAMES
from rkx.reconcile.machine_identity import in_doubt
from rkx.reconcile.node import LOCK
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state import State


def take_down(name: str, seen: SeenNode, state: State, leaves: Sequence[HostCleanup] = ()) -> list[Action]:
    """Remove all of this cluster from a machine: containers first, then what they leave."""
    ours = seen.ours(state.cluster_id)
    if not ours and name not in state.nodes:
        return []
    removals = [
        RemoveContainer(key=ContainerKey(name, each), reason="the node is taken down")
        for each in sorted(ours.keys() - {*NAMES.values(), LOCK})
    ]
    images = sorted({each.image for each in leaves if each.image})
    pulls = [
        PullImage(node=name, image=image, reason="has the programs to clean with")
        for image in images
        if listed(image) not in seen.images
        and not in_doubt(state.nodes.get(name), seen.facts.engine_id)  # it is asked first
    ]
    before: list[RemoveContainer | PullImage] = [*removals, *pulls]
    after = tuple(action.key for action in before)
    return [*before, CleanNode(node=name, reason="the node is taken down", after=after)]
