"""Return the state's copies to the nodes that keep one."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from rkx.errors import RkxError, TransportError
from rkx.reconcile.connection_prefetch import AT_ONCE
from rkx.reconcile.context import Context
from rkx.reconcile.files import state_copy
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state_copies import keepers
from rkx.reconcile.state_json import StateHeader


def send_copies(context: Context) -> dict[str, RkxError]:
    """Send the state to the nodes that keep a copy; return why those that may be away got none."""
    records = context.state.nodes
    names = [name for name in keepers(context.cluster) & context.programs.keys() if name in records]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = {name: pool.submit(_send, context, name) for name in names if records[name].was_asked}
    return {name: error for name, done in sent.items() if (error := done.result()) is not None}


def _send(context: Context, name: str) -> RkxError | None:
    program = context.programs[name]
    try:
        program.refuse_other_state()  # what ended the run may be that it lies there
        program.batch("files", state_copy(context.store))
    except TransportError as error:
        if name not in context.allowed_unreachable:
            raise
        return error
    return None


def are_late(context: Context, nodes: Mapping[str, SeenNode]) -> bool:
    """Return whether a copy is outdated; that of another cluster is left, and refused at a change."""
    return any(_is_late(context, nodes[name].copy) for name in keepers(context.cluster) & nodes.keys())


def _is_late(context: Context, copy: StateHeader | None) -> bool:
    state = context.state
    if copy is None:
        return True
    return copy.cluster_id == state.cluster_id and not (copy.is_of(state) and copy.generation == state.generation)
