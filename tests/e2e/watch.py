"""Write down, on a machine, all that Docker and `ps` show while something happens there."""

from __future__ import annotations

import json
from typing import Any

from harness import Cluster

FOLDER = "/srv/watch"
SCRIPT = f"""
mkdir -p {FOLDER} && cd {FOLDER} && echo $$ >pid && since=$(date +%s) || exit 1
docker events --since $since --filter type=container --format '{{{{json .}}}}' >events &
docker events --since $since --filter type=container --filter event=create --filter event=start --format '{{{{.ID}}}}' |
  while read -r id; do docker inspect --format '{{{{json .}}}}' "$id" >>inspected; done &
while :; do ps axeww -o args >>processes; sleep 0.5; done
"""


def begin(cluster: Cluster) -> None:
    """Start on every machine; the Engine keeps its last events, so none is missed in between."""
    for machine in cluster.machines:
        container = cluster.lab.client().containers.get(machine.name)
        container.exec_run(["setsid", "sh", "-c", SCRIPT], detach=True)
        wait = f"until [ -s {FOLDER}/processes ]; do sleep 0.05; done"
        cluster.on(machine.name, "timeout", "20", "sh", "-c", wait)


def end(cluster: Cluster) -> None:
    """Stop, once every container that was made has been looked at."""
    for machine in cluster.machines:
        cluster.on(machine.name, "sh", "-c", f"kill -- -$(cat {FOLDER}/pid)")


def events(cluster: Cluster, machine: str) -> list[dict[str, Any]]:
    """Return the Engine's events about containers."""
    return _lines(cluster, machine, "events")


def inspected(cluster: Cluster, machine: str) -> list[dict[str, Any]]:
    """Return what `docker inspect` said of each container when it was made and started."""
    return _lines(cluster, machine, "inspected")


def _lines(cluster: Cluster, machine: str, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in cluster.on(machine, "cat", f"{FOLDER}/{name}").splitlines()]
