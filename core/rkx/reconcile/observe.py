"""What is: containers, files and facts of each node, by GET requests alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from rkx.errors import BadAnswer
from rkx.lines import WORDS, cut
from rkx.model.facts import NodeFacts
from rkx.reconcile import forms
from rkx.reconcile.answers import ARGUMENTS, ROWS, SHORT, Said
from rkx.reconcile.engine_api import get, look
from rkx.reconcile.layout import (
    NAMES,
    Layout,
)
from rkx.reconcile.link import Link
from rkx.reconcile.node import RELAY_LABEL
from rkx.reconcile.observe_files import guarded_folders, read_files
from rkx.reconcile.seen import SeenContainer, SeenNode
from rkx.reconcile.sessions import Session

AT_ONCE = 3
MOST_OURS = 200
"""So many containers of clusters a node may show; a dozen are wanted, and each other one would be an action."""
RKE_LABEL = "io.rancher.rke.container.name"
LABELS = frozenset({"rkx.cluster", "rkx.digest", "rkx.reads", RELAY_LABEL, RKE_LABEL, *Layout().labels})
"""Those that are looked at; others, of which a container may have any number, are not kept."""
MOST_CPUS, MOST_MEMORY_BYTES = 1 << 16, 1 << 60
LIMITS = (
    *("Memory", "MemoryReservation", "MemorySwap", "NanoCpus", "CpuShares", "CpuPeriod", "CpuQuota"),
    *("CpuRealtimePeriod", "CpuRealtimeRuntime", "CpusetCpus", "CpusetMems", "BlkioWeight", "PidsLimit"),
)
"""What ``docker update`` sets besides the restart policy: rkx limits nothing, and unset they are 0, empty or null."""


def observe(link: Link, digest_key: bytes) -> SeenNode:
    """Look at a node: its Engine, its containers, and the files below our folders."""
    with link.http() as engine, ThreadPoolExecutor(AT_ONCE, thread_name_prefix=link.name) as pool:
        facts = pool.submit(_facts, link, engine)
        listed = _listed(engine)
        _judge_ours(link.name, [each.name for each in listed.values() if each.cluster])
        layout = _layout(listed)
        looked = pool.submit(read_files, engine, layout, digest_key) if layout else None
        guarded = pool.submit(guarded_folders, engine, layout, digest_key) if layout else None
        containers = {name: _inspected(engine, seen) for name, seen in listed.items()}
        images = _images(engine)
        files, copy = looked.result() if looked else ({}, None)
        return SeenNode(
            facts=facts.result(),
            containers=containers,
            files={**files, **(guarded.result() if guarded else {})},
            layout=layout,
            images=images,
            copy=copy,
        )


def _facts(link: Link, engine: Session) -> NodeFacts:
    asked = time.time()
    info = look(engine, "/info")
    answered = time.time()
    clock = info.moment("SystemTime")
    now = clock.timestamp() if clock else asked
    return NodeFacts(
        engine_id=info.read("ID", "id", forms.identifier),
        engine_version=info.read("ServerVersion", "version", forms.version),
        api_version=link.api_version(),
        root_dir=info.read("DockerRootDir", "absolute path", forms.path),
        logging_driver=info.line("LoggingDriver"),
        cgroup_driver=info.choice("CgroupDriver", "cgroupfs", "systemd", "none"),
        cgroup_version=2 if info.text("CgroupVersion", "1") == "2" else 1,
        security_options=info.each("SecurityOptions", partial(Said.line, most=WORDS)),
        kernel=info.line("KernelVersion"),
        architecture=architecture(info),
        os_name=info.line("OperatingSystem"),
        hostname=info.line("Name"),
        cpus=info.count("NCPU", MOST_CPUS),
        memory_bytes=info.count("MemTotal", MOST_MEMORY_BYTES),
        clock_offset_s=now - (asked + answered) / 2,
        clock_error_s=(answered - asked) / 2,
    )


def architecture(info: Said) -> str:
    """Return the architecture as the Engine names it, such as x86_64."""
    return info.read("Architecture", "architecture", forms.architecture)


def _images(engine: Session) -> dict[str, str]:
    """Return ids by name; an overlong name is cut, and then matches no image."""
    rows = look(engine, "/images/json").rows()
    named = ((row, name) for row in rows for kind in ("RepoTags", "RepoDigests") for name in row.texts(kind))
    found = {cut(name): row.line("Id") for row, name in islice(named, ROWS + 1)}
    if len(found) > ROWS:
        raise BadAnswer(f"{engine.node}: /images/json: the answer has more than {ROWS} names", node=engine.node)
    return found


def _listed(engine: Session) -> dict[str, SeenContainer]:
    found = {}
    for row in look(engine, "/containers/json", all="1").rows():
        name = cut(next(iter(row.texts("Names")), row.text("Id")).lstrip("/"))
        shown = row.table("Labels")
        labels = {label: shown.line(label, most=ARGUMENTS) for label in row.labels("Labels") if label in LABELS}
        if RELAY_LABEL in labels and row.text("State") != "created":
            continue  # exists as long as a stream of some run; one that never began is a leftover
        found[name] = SeenContainer(
            id=row.line("Id"),
            name=name,
            image=row.words("Image"),
            state=row.line("State"),
            labels=labels,
            cluster=labels.get("rkx.cluster", ""),
            digest=labels.get("rkx.digest", ""),
        )
    return found


def _judge_ours(node: str, names: Sequence[str]) -> None:
    """Refuse more containers of clusters than a plan can show, and names of any length."""
    why, longest = "", max(map(len, names), default=0)
    if len(names) > MOST_OURS:
        why = f"{len(names)} containers with the label rkx.cluster, and {MOST_OURS} is the most"
    elif longest > SHORT:
        why = f"a container with the label rkx.cluster and a name of {longest} letters, and {SHORT} is the most"
    if why:
        raise BadAnswer(
            f"{node}: it shows {why}",
            node=node,
            hint="find out who makes them and remove them there; --allow-unreachable NODE leaves a node aside",
        )


def _inspected(engine: Session, seen: SeenContainer) -> SeenContainer:
    if not seen.cluster or seen.name in NAMES.values():
        return seen
    whole = get(engine, f"/containers/{quote(seen.id, safe='')}/json")
    if whole is None:
        return replace(seen, state="gone")
    return replace(seen, **_details(whole))


def _details(whole: Said) -> dict[str, Any]:
    host, config, state = (whole.table(name) for name in ("HostConfig", "Config", "State"))
    started = state.text("StartedAt", "")
    return {
        "image": config.words("Image"),  # as it was asked for; the list shows an id once the tag has moved
        "image_id": whole.line("Image"),
        "state": state.line("Status"),
        "restart_policy": host.table("RestartPolicy").line("Name"),
        "argv": (*config.arguments("Entrypoint"), *config.arguments("Cmd")),
        "started_at": None if started.startswith("0001") else state.moment("StartedAt"),
        "binds": frozenset(host.arguments("Binds")),
        "privileged": host.flag("Privileged"),
        "limited": any(host.value.get(name) for name in LIMITS),
    }


def _layout(containers: Mapping[str, SeenContainer]) -> Layout | None:
    program = containers.get(NAMES["files"])
    return Layout.of_labels(program.labels) if program is not None and program.cluster else None
