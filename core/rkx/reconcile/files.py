"""Write a node's files and folders in one batch, after noting in the state what will be ours."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from msgspec.structs import replace

from rkx.model.action import KeepPath, PathAction, RemovePath
from rkx.model.resource import File, Folder
from rkx.reconcile.batch import Operation
from rkx.reconcile.content import content_of
from rkx.reconcile.desired import Desired
from rkx.reconcile.diff import dropped
from rkx.reconcile.layout import STATE_COPY, STATE_FOLDER
from rkx.reconcile.node import NodeProgram
from rkx.reconcile.state import State
from rkx.reconcile.state_json import dump
from rkx.reconcile.state_store import StateStore


def write(program: NodeProgram, actions: Sequence[PathAction], desired: Desired, store: StateStore) -> None:
    """Make what actions say, folders before files; a node that keeps the state gets its copy in the same batch."""
    name = program.link.name
    removed = {action.key.path for action in actions if isinstance(action, RemovePath)}
    added = {action.key.path for action in actions} - removed
    store.note_node(name, lambda record: replace(record, paths=tuple(sorted({*record.paths, *added}))), save=True)
    makes = [_operation(desired.path(action.key), store) for action in actions if isinstance(action, KeepPath)]
    unseen = dropped(sorted(removed), desired.layouts[name])
    deletes = [{"verb": "delete", "path": path} for path in sorted(removed - unseen, reverse=True)]
    makes.sort(key=lambda operation: (operation["verb"] != "folder", operation["path"]))
    copies = state_copy(store) if name in desired.keepers else [{"verb": "delete", "path": STATE_COPY}]
    program.batch("files", [*copies, *makes, *deletes])
    if unseen:  # by the machine's own view: the container that writes no longer shows these folders
        program.batch("host", [{"verb": "clean", "paths": sorted(unseen, reverse=True)}])
    kept = lambda record: replace(record, paths=tuple(p for p in record.paths if p not in removed))  # noqa: E731
    store.note_node(name, kept)


def _operation(resource: File | Folder, store: StateStore) -> Operation:
    if isinstance(resource, Folder):
        return {"verb": "folder", "path": str(resource.path), **_owner(resource)}
    content = base64.b64encode(content_of(store.state, resource)).decode()
    return {"verb": "put", "path": str(resource.path), **_owner(resource), "content": content}


def without_logins(state: State) -> State:
    """Leave out how the operator logs in: nodes do not need it."""
    return replace(state, nodes={name: replace(record, options={}) for name, record in state.nodes.items()})


def _owner(resource: File | Folder) -> Operation:
    return {"mode": f"{resource.mode:04o}", "uid": resource.uid, "gid": resource.gid}


def state_copy(store: StateStore) -> list[Operation]:
    """Return what puts a copy of the state on a node, 0600."""
    content = base64.b64encode(dump(without_logins(store.state))).decode()
    return [
        {"verb": "folder", "path": STATE_FOLDER, "mode": "0700", "uid": 0, "gid": 0},
        {"verb": "put", "path": STATE_COPY, "mode": "0600", "uid": 0, "gid": 0, "content": content},
    ]
