"""What a copy of the state on a node may say to a run that has its state."""

from __future__ import annotations

from rkx.errors import Refused
from rkx.model.checks import Finding
from rkx.reconcile.context import Context
from rkx.reconcile.members import all_keepers
from rkx.reconcile.state_json import StateHeader

NEWER = "the newer one is taken from the nodes, and its authority shown and checked"


def judge_copy(context: Context, name: str, said: StateHeader) -> list[Finding]:
    """Refuse an older state than a node's copy; return what is to tell of one that is none of this state."""
    if name not in all_keepers(context.cluster, context.store.began):
        why = "a node with its roles keeps none"
    elif said.is_of(context.state) or said.cluster_id != context.cluster.id:
        refuse_older(context, name, said)  # another cluster's is refused before anything is written there
        return []
    else:
        why = "its message authentication code is not of this cluster's state"
    message = f"its copy of the state is ignored: {why}"
    return [Finding(node=name, check="state", message=message, hint="find out who put it there", warning=True)]


def refuse_older(context: Context, name: str, said: StateHeader) -> None:
    """Raise Refused if a sealed copy shows that a run from elsewhere is newer than the state, or unknown to it."""
    state = context.state
    if not said.is_of(state):
        return
    if said.generation > state.generation:
        raise Refused(
            f"{context.path}: generation {state.generation} is older than {said.generation} on {name}",
            hint=f"move the file away: {NEWER}",
        )
    if said.run != state.run and said.number >= state.number:
        raise Refused(
            f"{context.path}: run {state.run or 'unknown'} wrote it, and {name} has a copy of run"
            f" {said.run or 'unknown'}, which did not know of that",
            hint=f"two computers changed the cluster; to go on with what that run did, move the file away: {NEWER}",
        )
