"""Ask prepared machines again for what they said of themselves: they may have been repaired since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from msgspec.structs import replace

from rkx.errors import RkxError
from rkx.reconcile import preflight
from rkx.reconcile.connection_prefetch import AT_ONCE
from rkx.reconcile.context import Context
from rkx.reconcile.gather import gather
from rkx.reconcile.layout import NAMES
from rkx.reconcile.node import NodeProgram
from rkx.reconcile.prepare_host import noted
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state_store import StateStore


def to_ask_again(context: Context, nodes: Mapping[str, SeenNode]) -> list[str]:
    """Name the prepared machines that are refused for what they said last."""
    names = preflight.judged_by_host(context.plugins, gather(context, nodes))
    return [name for name in sorted(names) if NAMES["host"] in nodes[name].containers]


def ask_again(context: Context, names: Iterable[str]) -> dict[str, RkxError]:
    """Note what machines say of themselves now; return what failed."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = {name: pool.submit(_ask, context.programs[name], context.store) for name in names}
    return {name: error for name, done in asked.items() if (error := _failure(done)) is not None}


def _failure(done: Future[None]) -> RkxError | None:
    """Return what failed; a bug is raised."""
    try:
        done.result()
    except RkxError as error:
        return error
    return None


def _ask(program: NodeProgram, store: StateStore) -> None:
    host, _ = program.facts()
    store.note_node(program.link.name, lambda record: replace(record, facts=noted(host, record)))
