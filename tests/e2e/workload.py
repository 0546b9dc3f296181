"""Two pods on two workers, with a Service before them: what demonstrations look at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import yaml
from harness import Cluster, Done

from rkx_lab import images

NAMESPACE = "shown"
SLEEP = "exec sleep infinity"
# The tools image holds perl's core modules and no HTTP client.
GET = """
my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 5) or die "$ARGV[0]: $@\\n";
print $s "GET /$ARGV[2] HTTP/1.0\\r\\nHost: $ARGV[0]\\r\\n\\r\\n";
print while <$s>;
"""


def furnish(cluster: Cluster) -> None:
    """Write into cluster.yml what the session's cluster has for its demonstrations: an addon, and a folder for pods."""
    word = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "addon"}, "data": {"word": "applied"}}
    server = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "addon"}}
    server["spec"] = {"containers": [{"name": "echo", "image": image(cluster, "echo")}]}
    cluster.values["addons"] = yaml.safe_dump_all([word, server])
    cluster.values["services"]["kubelet"]["extra_binds"] = ["/srv:/srv"]
    cluster.write()


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """The pods ``one`` and ``two``, each with an echo server and a client."""

    cluster: Cluster
    addresses: Mapping[str, str]
    service: str
    node_port: int

    def in_pod(self, pod: str, *command: str, container: str = "client") -> Done:
        """Run a command in a pod."""
        return self.cluster.kubectl("exec", "-n", NAMESPACE, pod, "-c", container, "--", *command)

    def get(self, pod: str, host: str, port: int = 80, path: str = "") -> str:
        """Ask an HTTP server from inside a pod."""
        return self.in_pod(pod, "perl", "-MIO::Socket::INET", "-e", GET, host, str(port), path).check().out


def image(cluster: Cluster, name: str) -> str:
    """Name one of the lab's images as its machines pull it."""
    return f"{cluster.lab.registry}/{_reference(name)}"


@cache
def _reference(name: str) -> str:
    return images.ensure([name])[name].reference


def pod(cluster: Cluster, name: str, node: str, script: str = SLEEP, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    """Describe a pod on a certain node whose client runs a script; ``mounts`` are volume name -> path."""
    mounts = [{"name": volume, "mountPath": path} for volume, path in spec.pop("mounts", {}).items()]
    client = {
        "name": "client",
        "image": image(cluster, "tools"),
        "command": ["sh", "-c", script],
        "volumeMounts": mounts,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [client], **spec},
    }


def deploy(cluster: Cluster) -> Workload:
    """Apply the objects and wait until both pods are ready; a cluster of one machine has both there."""
    nodes = [machine.name for machine in cluster.machines[1:3]] or 2 * [cluster.machines[0].name]
    pods = [_serving(cluster, *each) for each in zip(("one", "two"), nodes, strict=True)]
    secrets = [_secret(name) for name in ("one", "two")]
    apply(cluster, [_namespace(), *secrets, *pods, _service()])
    cluster.kubectl("wait", "-n", NAMESPACE, "--for=condition=Ready", "--timeout=90s", "pod/one", "pod/two").check()
    found = {each["metadata"]["name"]: each for each in cluster.objects("pods,services", "-n", NAMESPACE)}
    service = found["serving"]["spec"]
    return Workload(
        cluster=cluster,
        addresses={name: found[name]["status"]["podIP"] for name in ("one", "two")},
        service=service["clusterIP"],
        node_port=service["ports"][0]["nodePort"],
    )


def apply(cluster: Cluster, objects: Sequence[Mapping[str, Any]]) -> None:
    """Apply objects as a user does."""
    listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(listed)).check()


def _namespace() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def _secret(name: str) -> dict[str, Any]:
    metadata = {"name": f"of-{name}", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"word": f"plain-word-of-{name}"}}


def _serving(cluster: Cluster, name: str, node: str) -> dict[str, Any]:
    volumes = [{"name": "own", "secret": {"secretName": f"of-{name}"}}]
    made = pod(cluster, name, node, mounts={"own": "/secret"}, volumes=volumes)
    probe = {"httpGet": {"path": "/ready", "port": 80}, "periodSeconds": 1}
    made["spec"]["containers"].append({"name": "echo", "image": image(cluster, "echo"), "readinessProbe": probe})
    made["metadata"]["labels"]["serving"] = "yes"
    return made


def _service() -> dict[str, Any]:
    spec = {"type": "NodePort", "selector": {"serving": "yes"}, "ports": [{"port": 80}]}
    metadata = {"name": "serving", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
