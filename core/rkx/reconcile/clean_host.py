"""Leave a machine as it was found."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from msgspec.structs import replace

from rkx.errors import Interrupted
from rkx.model.resource import Folder, HostCleanup
from rkx.reconcile.batch import Operation
from rkx.reconcile.bounds import BATCH
from rkx.reconcile.containers import pull
from rkx.reconcile.desired import Desired
from rkx.reconcile.layout import Layout
from rkx.reconcile.machine_identity import in_doubt
from rkx.reconcile.node import NodeProgram
from rkx.reconcile.prepare_host import recognise
from rkx.reconcile.state import NodeRecord
from rkx.reconcile.state_copies import KEEPERS
from rkx.reconcile.state_store import StateStore

POD_LABEL = "io.kubernetes.pod.uid"
"""cri-dockerd's mark on the containers of a kubelet's pods."""


def clean(program: NodeProgram, desired: Desired, store: StateStore, cancelled: threading.Event) -> None:
    """Take this cluster from a machine: pods, mounts, links, chains, routes, folders, and at last rkx-node itself."""
    name = program.link.name
    record = store.state.nodes[name]
    ran = bool(record.containers)  # else pods, links and chains on the machine are another's
    leaves = [each for each in desired.leaving.get(name, ()) if isinstance(each, HostCleanup) and ran]
    kept = {
        str(each.path)
        for each in desired.leaving.get(name, ())
        if isinstance(each, Folder) and each.on_remove == "keep"
    }
    images = [leave.image for leave in leaves if leave.image]
    if in_doubt(record, desired.facts[name].engine_id):
        _ask_first(program, record)
        for image in images:
            pull(program.link, image, desired.cluster.registries)
    if ran:
        _remove_pods(program, cancelled)
    operations = [*_operations(leaves), *_deletions(record, kept)]
    keeps = not KEEPERS.isdisjoint(record.roles)
    if keeps or not record.prepared:  # else it would be a worker's word alone
        program.refuse_other_state(keeps=keeps)
    program.clean(images[0] if images else "", operations)
    store.change(lambda state: replace(state, nodes={k: v for k, v in state.nodes.items() if k != name}))


def _ask_first(program: NodeProgram, record: NodeRecord) -> None:
    with program.link.docker() as engine:
        program.load_image(engine)
        program.ensure(engine, "host", Layout())
    host, _ = program.facts()
    recognise(program, record, host)


def _operations(leaves: Sequence[HostCleanup]) -> list[Operation]:
    unmounts: list[Operation] = [{"verb": "unmount", "under": path} for leave in leaves for path in leave.mounts]
    parts = ("links", "routes", "chains", "comments", "paths")
    cleans = [{"verb": "clean", **{part: list(getattr(leave, part)) for part in parts}} for leave in leaves]
    return [*unmounts, *cleans]


def _deletions(record: NodeRecord, kept: set[str]) -> list[Operation]:
    """Delete what rkx made. Of a folder that was there our files go, or all if it was empty; its rights come back."""
    former = [each for each in record.former if each.path not in kept]
    gone = sorted({*record.paths} - {*kept, *(each.path for each in record.former)}, reverse=True)
    rights = [{"path": each.path, "mode": each.mode, "uid": each.uid, "gid": each.gid} for each in former]
    return [{"verb": "clean", "paths": gone, "contents": [f.path for f in former if f.empty], "folders": rights}]


def _remove_pods(program: NodeProgram, cancelled: threading.Event) -> None:
    with program.link.docker(limit=BATCH) as engine:  # there may be hundreds
        for row in engine.listed(label=POD_LABEL):
            if cancelled.is_set():
                raise Interrupted(f"{program.link.name}: cancelled while its pods' containers were removed")
            engine.remove(row.text("Id"), volumes=True, missing_ok=True)
