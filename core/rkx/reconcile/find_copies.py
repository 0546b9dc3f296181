"""Where rkx-node's containers were deleted: what shows that a cluster was there, and a look at its copy."""

from __future__ import annotations

import secrets
from contextlib import suppress

from rkx.reconcile.create_body import create_body
from rkx.reconcile.engine import EngineRefused
from rkx.reconcile.engine_api import look
from rkx.reconcile.layout import STATE_FOLDER
from rkx.reconcile.link import Link
from rkx.reconcile.node import NodeProgram
from rkx.reconcile.node_image import image_tag
from rkx.reconcile.observe import architecture
from rkx.reconcile.state import State
from rkx.reconcile.state_copies import read_copy


def read_anew(link: Link) -> State | None:
    """Look through a container made for it: the stopped ones were deleted, rkx-node's among them."""
    name = f"rkx-look-{secrets.token_hex(4)}"
    with link.http() as plain:
        machine = architecture(look(plain, "/info"))
    program = NodeProgram(link, "", machine)
    mount = {"Type": "bind", "Source": STATE_FOLDER, "Target": STATE_FOLDER, "ReadOnly": True}  # binds make folders
    body = create_body(image_tag(machine), ("/rkx-node",), {}, Mounts=[mount])
    found = None
    with link.docker() as engine:
        program.load_image(engine)
        with suppress(EngineRefused):  # there is no such folder
            engine.create(body, name)
            try:
                found = read_copy(link, name)
            finally:
                engine.remove(name)
    if found is None:
        program.withdraw()
    return found


def marked(link: Link) -> list[str]:
    """Name the containers on a node that rkx made for a cluster."""
    with link.http() as engine:
        rows = look(engine, "/containers/json", all="1", filters='{"label": ["rkx.cluster"]}').rows()
    return sorted(name.lstrip("/") for row in rows for name in row.texts("Names")[:1])
