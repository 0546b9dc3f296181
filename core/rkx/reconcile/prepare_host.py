"""Prepare a machine: install rkx-node there, and note what it says of itself and what lay there before."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from rkx.errors import Refused
from rkx.model.facts import HostFacts
from rkx.model.resource import File, Folder
from rkx.reconcile.desired import Desired
from rkx.reconcile.machine_identity import refuse_another
from rkx.reconcile.members import all_keepers
from rkx.reconcile.node import NodeProgram
from rkx.reconcile.state import NodeRecord
from rkx.reconcile.state_store import StateStore


def prepare(program: NodeProgram, desired: Desired, store: StateStore) -> None:
    """Install rkx-node and note what lay there before, and what the machine says of itself."""
    name = program.link.name
    layout = desired.layouts[name]
    record = store.state.nodes[name]
    with program.link.docker() as engine:
        program.load_image(engine)
        program.ensure(engine, "host", layout)
    known = {*record.paths, *(each.path for each in record.former)}
    folders = sorted({str(each.path) for each in desired.on(name) if isinstance(each, Folder)} - known)
    files = [] if record.was_asked else sorted(str(each.path) for each in desired.on(name) if isinstance(each, File))
    host, found = program.facts([*folders, *files])
    recognise(program, record, host)
    _refuse_strangers(name, [each.path for each in found if each.path in files])
    there = tuple(each for each in found if each.path in folders)
    former = (*record.former, *there)
    paths = tuple(sorted({*record.paths, *folders} - {each.path for each in former}))
    facts = noted(host, record)
    engine_id = desired.facts[name].engine_id
    known_now = lambda r: replace(r, former=former, paths=paths, facts=facts, engine_id=engine_id)  # noqa: E731
    store.note_node(name, known_now, save=True)
    program.install(layout, keeps=name in all_keepers(desired.cluster, store.began))
    store.note_node(name, lambda r: replace(r, prepared=True))


def recognise(program: NodeProgram, record: NodeRecord, host: HostFacts) -> None:
    """Stop at a machine that is another than before, and take away what was put there to ask it."""
    try:
        refuse_another(program.link.name, record, host)
    except Refused:
        program.withdraw()
        raise


def noted(host: HostFacts, record: NodeRecord) -> HostFacts:
    """Return what is kept of a machine's answer: once it was prepared, our own programs listen."""
    if not record.was_asked:
        return host
    return replace(host, listening=record.facts.listening if record.facts else ())


def _refuse_strangers(node: str, files: Sequence[str]) -> None:
    """Stop where our files lie on a machine that this cluster never prepared: they carry another authority's keys."""
    if files:
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        raise Refused(
            f"{node}: {files[0]}{more} of another cluster, or of one whose state is lost, is there",
            hint="take that cluster down with its own state; if it is gone, delete the files",
        )
