"""Write a node's files and folders in one batch, after noting in the state what will be ours."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace

from rkx.engine.batch import Operation
from rkx.engine.content import content_of
from rkx.engine.desire import Desired
from rkx.engine.diff import dropped
from rkx.engine.layout import STATE_COPY, STATE_FOLDER
from rkx.engine.ledger import Ledger
from rkx.engine.node import NodeProgram
from rkx.engine.state import State, dump
from rkx.model.action import KeepPath, PathAction, RemovePath
from rkx.model.resource import File, Folder


def write(program: NodeProgram, actions: Sequence[PathAction], desired: Desired, ledger: Ledger) -> None:
    """Make what actions say, folders before files; a node that keeps the state gets its copy in the same batch."""
    name = program.link.name
    removed = {action.key.path for action in actions if isinstance(action, RemovePath)}
    added = {action.key.path for action in actions} - removed
    ledger.note_node(name, lambda record: replace(record, paths=tuple(sorted({*record.paths, *added}))), save=True)
    makes = [_operation(action.wanted, ledger) for action in actions if isinstance(action, KeepPath)]
    unseen = dropped(sorted(removed), desired.layouts[name])
    deletes = [{"verb": "delete", "path": path} for path in sorted(removed - unseen, reverse=True)]
    makes.sort(key=lambda operation: (operation["verb"] != "folder", operation["path"]))
    copies = state_copy(ledger) if name in desired.keepers else [{"verb": "delete", "path": STATE_COPY}]
    program.batch("files", [*copies, *makes, *deletes])
    if unseen:  # by the machine's own view: the container that writes no longer shows these folders
        program.batch("host", [{"verb": "clean", "paths": sorted(unseen, reverse=True)}])
    kept = lambda record: replace(record, paths=tuple(p for p in record.paths if p not in removed))  # noqa: E731
    ledger.note_node(name, kept)


def _operation(resource: File | Folder, ledger: Ledger) -> Operation:
    if isinstance(resource, Folder):
        return {"verb": "folder", "path": str(resource.path), **_owner(resource)}
    content = base64.b64encode(content_of(ledger.state, resource)).decode()
    return {"verb": "put", "path": str(resource.path), **_owner(resource), "content": content}


def without_logins(state: State) -> State:
    """Leave out how the operator logs in: that is no business of the nodes."""
    return replace(state, nodes={name: replace(record, options={}) for name, record in state.nodes.items()})


def _owner(resource: File | Folder) -> Operation:
    return {"mode": f"{resource.mode:04o}", "uid": resource.uid, "gid": resource.gid}


def state_copy(ledger: Ledger) -> list[Operation]:
    """Give what puts a copy of the state on a node, 0600."""
    content = base64.b64encode(dump(without_logins(ledger.state))).decode()
    return [
        {"verb": "folder", "path": STATE_FOLDER, "mode": "0700", "uid": 0, "gid": 0},
        {"verb": "put", "path": STATE_COPY, "mode": "0600", "uid": 0, "gid": 0, "content": content},
    ]
