"""A pod on every worker that serves, asks the others through their Service, and keeps words in its volumes."""

from __future__ import annotations

from typing import Any

import workload
from harness import Cluster, until

NAME = "words"
FOLDER = "/srv/words"  # on the machines; Docker makes it, so it is the user's
HOST_PORT, NODE_PORT = 8088, 30088
# Prints who answered behind the Service's name, then what the volumes hold. bash speaks TCP, libc asks for the name.
ASK = f"""set -e
getent hosts {NAME}.{NAME}.svc.cluster.local >/dev/null
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
  exec 3<>/dev/tcp/{NAME}/80
  printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3
  sed -n 's/^hostname: //p' <&3
done | sort -u
echo "empty $(cat /empty/word) host $(cat /host/word)"
"""
WRITE = "echo $HOSTNAME >/empty/word; echo $HOSTNAME >/host/word"


def deploy(cluster: Cluster) -> list[str]:
    """Start the pods, write the words, and give the pods' names."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}}
    workload.apply(cluster, [namespace, _daemon_set(cluster), _service()])
    cluster.kubectl("rollout", "status", "-n", NAME, f"daemonset/{NAME}", "--timeout=90s", timeout_s=100).check()
    pods = names(cluster)
    for pod in pods:
        cluster.kubectl("exec", "-n", NAME, pod, "-c", "client", "--", "bash", "-c", WRITE).check()
    until(lambda: all_answer(cluster, pods), "every pod reaches every pod through the Service", limit_s=60)
    return pods


def remove(cluster: Cluster) -> None:
    """Delete all of it, the words on the machines as well."""
    cluster.kubectl("delete", "namespace", NAME, "--ignore-not-found", "--timeout=90s", timeout_s=100).check()
    for machine in cluster.machines:
        cluster.on(machine.name, "rm", "-rf", FOLDER)


def names(cluster: Cluster) -> list[str]:
    """Name the pods, sorted."""
    return sorted(pod["metadata"]["name"] for pod in cluster.objects("pods", "-n", NAME))


def all_answer(cluster: Cluster, pods: list[str]) -> bool:
    """Return whether each pod finds the Service by name, reaches every pod behind it, and has its words still."""
    return all(_answers(cluster, pod, pods) for pod in pods)


def _answers(cluster: Cluster, pod: str, pods: list[str]) -> bool:
    ask = ("timeout", "8", "bash", "-c", ASK)
    done = cluster.kubectl("exec", "-n", NAME, pod, "-c", "client", "--request-timeout=10s", "--", *ask)
    return done.code == 0 and done.out.split("\n")[:-1] == [*pods, f"empty {pod} host {pod}"]


def _daemon_set(cluster: Cluster) -> dict[str, Any]:
    labels = {"app": NAME}
    mounts = [{"name": volume, "mountPath": f"/{volume}"} for volume in ("empty", "host", "memory")]
    client = {
        "name": "client",
        "image": workload.image(cluster, "tools"),
        "command": ["sleep", "infinity"],
        "volumeMounts": mounts,
    }
    port = {"containerPort": 80, "hostPort": HOST_PORT}
    echo = {"name": "echo", "image": workload.image(cluster, "echo"), "ports": [port]}
    volumes = [
        {"name": "empty", "emptyDir": {}},
        {"name": "memory", "emptyDir": {"medium": "Memory"}},
        {"name": "host", "hostPath": {"path": FOLDER}},
    ]
    pod = {"terminationGracePeriodSeconds": 1, "containers": [echo, client], "volumes": volumes}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": NAME, "namespace": NAME},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _service() -> dict[str, Any]:
    port = {"port": 80, "nodePort": NODE_PORT}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "namespace": NAME},
        "spec": {"type": "NodePort", "selector": {"app": NAME}, "ports": [port]},
    }
