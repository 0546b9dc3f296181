"""Files and facts of a node: rkx-node, one static program in two containers that stay stopped between batches.

``files`` is unprivileged and sees our own folders; ``host`` is privileged, for facts, modules, mounts and cleaning.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rkx.errors import Refused
from rkx.model.facts import HostFacts
from rkx.model.resource import NODE_PROGRAM
from rkx.reconcile import forms, host, node_image
from rkx.reconcile.answers import Said
from rkx.reconcile.batch import TIMEOUT_S, Hold, Operation, Place, carry_out
from rkx.reconcile.bounds import BATCH
from rkx.reconcile.create_body import create_body
from rkx.reconcile.engine import Engine
from rkx.reconcile.layout import HELD_MODE, NAMES, OWN_FOLDER, PROGRAM_FOLDER, STATE_COPY, Expected, Layout, Profile
from rkx.reconcile.link import Link
from rkx.reconcile.state import Former
from rkx.reconcile.state_copies import read_header

FACTS_BYTES = 1 << 18
"""A machine with 1000 links of containers says 150 KiB; the state keeps what it says."""
MOST_ID = (1 << 32) - 1
_TAKE = "if it is this one, copy it beside cluster.yml as the state and remove the containers rkx-node and rkx-host"
CLEANER, LOCK = "rkx-clean", "rkx-lock"
RELAY_LABEL = "rkx.relay"


class NodeProgram:
    """rkx-node on one node. Batches of one profile go one at a time, under the lock in ``hold``."""

    def __init__(self, link: Link, cluster_id: str, architecture: str) -> None:
        self.link = link
        self.cluster_id = cluster_id
        self.architecture = architecture
        self.hold = Hold()
        self._locks = {profile: threading.Lock() for profile in NAMES}

    def install(self, layout: Layout, *, keeps: bool) -> None:
        """Make the container for ``layout``, whose image and ``host`` sibling are there, and put the program last.

        The program survives a boot. Labels or program promise held folders, so these are there before both are. A node
        that ``keeps`` copies of the state must have none of another cluster; on others it is passed over and told.
        """
        with ThreadPoolExecutor(1) as pool, self.link.docker(limit=BATCH) as engine:  # a batch is waited for
            held = pool.submit(self._hold, layout)
            if self._was_installed(engine):
                held.result()
            self.ensure(engine, "files", layout)
            if keeps:
                self.refuse_other_state()
            held.result()
        self.batch("files", self._program())

    def _was_installed(self, engine: Engine) -> bool:
        return bool(engine.listed(name=f"^/{NAMES['files']}$"))

    def _hold(self, layout: Layout) -> None:
        folders = [{"path": path, **_owner(HELD_MODE)} for path in layout.hold]
        if folders:
            self.batch("host", [{"verb": "clean", "folders": folders}])

    def refuse_other_state(self, *, keeps: bool = True) -> None:
        """Raise Refused for the state of another cluster: it may be the last copy of its authorities.

        Only of a node that ``keeps`` copies by its roles it may be one to go on with.
        """
        said = read_header(self.link)
        if said is not None and said.cluster_id != self.cluster_id:
            raise Refused(
                f"{self.link.name}: {STATE_COPY} is the state of another cluster, {said.cluster_id}",
                hint=f"{_TAKE if keeps else 'find out who put it there'}; if that cluster is gone, delete the file",
            )

    def load_image(self, engine: Engine) -> None:
        """Import the image of its architecture, unless it is there."""
        node_image.load_image(engine, self.architecture)

    def ensure(self, engine: Engine, profile: Profile, layout: Layout) -> None:
        """Create a profile's container, or recreate it if it differs."""
        wanted, digest = self.settings(profile, layout), self._digest(profile, layout)
        if (found := engine.find(NAMES[profile])) is not None:
            if found.table("Config").labels("Labels").get("rkx.digest") == digest:
                return
            engine.remove(NAMES[profile], missing_ok=True)
        labels = {**wanted["labels"], "rkx.digest": digest}
        engine.create(_body({**wanted, "labels": labels}), NAMES[profile])

    def _digest(self, profile: Profile, layout: Layout) -> str:
        return hashlib.sha256(json.dumps(self.settings(profile, layout), sort_keys=True).encode()).hexdigest()[:32]

    def expected(self, layout: Layout) -> Expected:
        """Say how it should be installed for a layout."""
        digests = {name: self._digest(profile, layout) for profile, name in NAMES.items()}
        return Expected(size=len(node_image.program(self.architecture)), digests=digests)

    def settings(self, profile: Profile, layout: Layout) -> dict[str, Any]:
        """Say how a profile's container is made; a golden file holds its mounts and capabilities."""
        common = {
            "image": node_image.image_tag(self.architecture),
            "labels": {"rkx.cluster": self.cluster_id, **layout.labels},
        }
        if profile == "host":
            return {**common, "privileged": True, "pid": "host", "network": "host", "binds": [], "capabilities": []}
        capabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER"]
        return {
            **common,
            "privileged": False,
            "pid": "",
            "network": "none",
            "binds": layout.binds,
            "capabilities": capabilities,
        }

    def batch(self, profile: Profile, operations: Sequence[Operation]) -> list[Said]:
        """Have a batch done and give one answer per operation; PartlyDone names the first that failed."""
        with self._locks[profile], self.link.docker(timeout_s=TIMEOUT_S, limit=BATCH) as engine:
            return self._carry_out(engine, NAMES[profile], operations)

    def _carry_out(self, engine: Engine, name: str, operations: Sequence[Operation]) -> list[Said]:
        return carry_out(
            engine, Place(node=self.link.name, container=name, cluster=self.cluster_id), operations, self.hold
        )

    def facts(self, paths: Sequence[str] = ()) -> tuple[HostFacts, list[Former]]:
        """Ask what the Engine cannot tell; and which of ``paths`` exist."""
        [answer] = self.batch("host", [{"verb": "facts", "paths": list(paths)}])
        answer.refuse_beyond(FACTS_BYTES)
        found = answer.table("facts")
        return host.of_answer(found), [_former(each) for each in found.rows("free") if each.flag("there")]

    def clean(self, image: str, operations: Sequence[Operation]) -> None:
        """Do a last batch inside ``image``, which has the programs that cleaning needs, then remove rkx-node itself.

        May be repeated after it was cut anywhere: the privileged container goes last.
        """
        with self.link.docker(timeout_s=TIMEOUT_S, limit=BATCH) as engine:
            self.load_image(engine)
            self.ensure(engine, "host", Layout())
            if image:
                self._put_program(engine)
            engine.remove(NAMES["files"], missing_ok=True)
        if image:
            self._in_image(image, operations)
        self.batch("host", [_deletion([OWN_FOLDER])] if image else [*operations, _deletion([OWN_FOLDER])])
        self.withdraw()

    def withdraw(self) -> None:
        """Take the privileged container and the program's image away again."""
        with self.link.docker() as engine:
            engine.remove(NAMES["host"], missing_ok=True)
            engine.remove_image(node_image.image_tag(self.architecture))

    def _put_program(self, engine: Engine) -> None:
        """Put the program where the cleaner finds it, in case an interrupted run deleted it already."""
        self.ensure(engine, "files", Layout())
        self.batch("files", self._program())

    def _program(self) -> list[Operation]:
        """Return what puts the program on the machine: it has come there once, in its image."""
        return [
            {"verb": "folder", "path": PROGRAM_FOLDER, **_owner(0o755)},
            {"verb": "put", "path": NODE_PROGRAM, **_owner(0o755), "self": True},
        ]

    def _in_image(self, image: str, operations: Sequence[Operation]) -> None:
        try:
            with self.link.docker(timeout_s=TIMEOUT_S, limit=BATCH) as engine:
                engine.remove(CLEANER, missing_ok=True)
                engine.create(self._cleaner(image), CLEANER)
                self._carry_out(engine, CLEANER, operations)
        finally:
            with self.link.docker() as engine:  # it has time of its own
                engine.remove(CLEANER, missing_ok=True)

    def _cleaner(self, image: str) -> dict[str, Any]:
        wanted = {**self.settings("host", Layout()), "image": image}
        return _body({**wanted, "binds": [f"{PROGRAM_FOLDER}:{PROGRAM_FOLDER}:ro"]}, NODE_PROGRAM)


def _former(said: Said) -> Former:
    return Former(
        path=said.read("path", "absolute path", forms.path),
        empty=said.flag("empty"),
        mode=said.read("mode", "mode in octal digits", forms.mode),
        uid=said.count("uid", MOST_ID),
        gid=said.count("gid", MOST_ID),
    )


def _owner(mode: int) -> Operation:
    return {"mode": f"{mode:04o}", "uid": 0, "gid": 0}


def _deletion(paths: Sequence[str]) -> Operation:
    return {"verb": "clean", "paths": list(paths)}


def _body(wanted: Mapping[str, Any], program: str = "/rkx-node") -> dict[str, Any]:
    return create_body(
        wanted["image"],
        (program,),
        wanted["labels"],
        network=wanted["network"],
        privileged=wanted["privileged"],
        capabilities=wanted["capabilities"],
        binds=wanted["binds"],
        attached=True,
        PidMode=wanted["pid"],
        LogConfig={"Type": "none"},
    )
