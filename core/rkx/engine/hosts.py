"""Ask prepared machines again for what they said of themselves: it may have been mended since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from rkx.engine import preflight
from rkx.engine.context import Context
from rkx.engine.early import AT_ONCE
from rkx.engine.gather import gather
from rkx.engine.layout import NAMES
from rkx.engine.ledger import Ledger
from rkx.engine.node import NodeProgram
from rkx.engine.observe import SeenNode
from rkx.engine.prepare_host import noted
from rkx.errors import RkxError


def to_ask_again(context: Context, nodes: Mapping[str, SeenNode]) -> list[str]:
    """Name the prepared machines that are refused for what they said last."""
    names = preflight.judged_by_host(context.plugins, gather(context, nodes))
    return [name for name in sorted(names) if NAMES["host"] in nodes[name].containers]


def ask_again(context: Context, names: Iterable[str]) -> dict[str, RkxError]:
    """Note what machines say of themselves now; return what failed."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = {name: pool.submit(_ask, context.programs[name], context.ledger) for name in names}
    return {name: error for name, done in asked.items() if (error := _failure(done)) is not None}


def _failure(done: Future[None]) -> RkxError | None:
    """Return what failed; a bug is raised."""
    try:
        done.result()
    except RkxError as error:
        return error
    return None


def _ask(program: NodeProgram, ledger: Ledger) -> None:
    host, _ = program.facts()
    ledger.note_node(program.link.name, lambda record: replace(record, facts=noted(host, record)))
