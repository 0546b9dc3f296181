"""When a cluster is done: the one judge of both sides."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from timed import BIN, Failed, run

from rkx_lab import extract, images

PATIENCE_S = 120.0


def kubectl() -> Path:
    """Return kubectl, taken out of the lab's own image once."""
    program = BIN / "kubectl"
    if not program.exists():
        extract.extract(images.ensure(["kubernetes"])["kubernetes"], "usr/local/bin/kubectl", program)
    return program


def is_done(kubeconfig: Path, nodes: int) -> bool:
    """Return whether so many nodes are there, every one of them Ready, and CoreDNS is available."""
    listed = _get(kubeconfig, "nodes")["items"]
    dns = _get(kubeconfig, "--namespace", "kube-system", "deployment", "coredns")
    ready = [node for node in listed if _condition(node, "Ready")]
    return len(ready) == len(listed) == nodes and _condition(dns, "Available")


def done_after_s(started: float, kubeconfig: Path, nodes: int) -> float:
    """Wait until a cluster is done; gives the seconds since ``started`` (monotonic clock)."""
    while not is_done(kubeconfig, nodes):
        if time.monotonic() - started > PATIENCE_S:
            raise Failed(f"{nodes} nodes Ready and CoreDNS available: not within {PATIENCE_S:g} s")
        time.sleep(0.1)
    return time.monotonic() - started


def _get(kubeconfig: Path, *what: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(kubectl(), "--kubeconfig", kubeconfig, "get", *what, "--output", "json").out)
    return found


def _condition(item: dict[str, Any], kind: str) -> bool:
    conditions = item["status"].get("conditions", [])
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)
