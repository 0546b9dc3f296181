"""`rkx up` makes a cluster that works: pods, Services, DNS, kubectl's ways in, volumes, addons, and closed doors."""

from __future__ import annotations

import base64
import json
import re
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import workload
import yaml
from harness import Cluster, kubectl, until
from workload import NAMESPACE, Workload

from rkx_lab.errors import LabError

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(1), pytest.mark.timeout(900)]
FOLDERS = {"made": ("/srv/shown-made", "DirectoryOrCreate"), "there": ("/srv/shown-there", "Directory")}
UNTYPED = "/opt/shown-untyped"  # the kubelet sees nothing of /opt but /opt/cni
BINDINGS = {
    ("rkx:cluster-admins", "rkx:cluster-admins"),
    ("rkx:cluster-admins", "rkx:installer"),
    ("rkx:kubelet-api-admin", "kube-apiserver-kubelet-client"),
    ("flannel", "flannel"),
    ("system:coredns", "coredns"),
    ("system:metrics-server", "metrics-server"),
    ("metrics-server:system:auth-delegator", "metrics-server"),
}
"""Every subject that is bound to something in the whole cluster, but for the API server's own."""
ETCD = ("etcd-ca.crt", "etcd-client.crt", "etcd-client.key")


def test_up_when_machines_are_clean_makes_three_ready_nodes(cluster: Cluster) -> None:
    nodes = {node["metadata"]["name"]: node for node in cluster.objects("nodes")}
    assert sorted(nodes) == [machine.name for machine in cluster.machines]
    for machine in cluster.machines:
        status = nodes[machine.name]["status"]
        assert {each["type"]: each["status"] for each in status["conditions"]}["Ready"] == "True"
        assert {"type": "InternalIP", "address": machine.address} in status["addresses"]


def test_nodes_when_they_have_roles_say_so_in_both_spellings(cluster: Cluster) -> None:
    first, *others = ({**each["metadata"], **each["spec"]} for each in cluster.objects("nodes"))
    role = "node-role.kubernetes.io"
    assert {f"{role}/{name}": "true" for name in ("controlplane", "control-plane", "etcd")}.items() <= first[
        "labels"
    ].items()
    taints = {(each["key"], each.get("value", ""), each["effect"]) for each in first["taints"]}
    assert taints == {
        (f"{role}/controlplane", "true", "NoSchedule"),
        (f"{role}/control-plane", "", "NoSchedule"),
        (f"{role}/etcd", "true", "NoExecute"),
    }
    for worker in others:
        assert worker["labels"][f"{role}/worker"] == "true"
        assert "taints" not in worker


def test_bindings_when_a_cluster_is_made_are_those_that_are_known(cluster: Cluster) -> None:
    bindings = cluster.objects("clusterrolebindings", "-l", "kubernetes.io/bootstrapping!=rbac-defaults")
    found = {(each["metadata"]["name"], one["name"]) for each in bindings for one in each.get("subjects", ())}
    nodes = {("rkx:nodes-renew-themselves", f"system:node:{machine.name}") for machine in cluster.machines}
    assert found == BINDINGS | nodes


def test_audit_log_when_a_cluster_is_made_shows_rkx_by_its_own_name(cluster: Cluster) -> None:
    done: dict[str, set[str]] = {}
    for event in audited(cluster, '"user":'):
        if event["verb"] in ("create", "patch", "update", "delete"):
            done.setdefault(event["user"]["username"], set()).add(event.get("objectRef", {}).get("name", ""))
    assert done["super-admin"] == {"rkx:cluster-admins"}
    assert {"rkx:kubelet-api-admin", "kube-flannel-cfg"} <= done["rkx:installer"]


def test_audit_log_when_a_secret_is_made_tells_of_it_without_its_body(work: Workload) -> None:
    events = audited(work.cluster, '"of-one"')
    assert {event["level"] for event in events} == {"Metadata"}
    assert "create" in {event["verb"] for event in events}
    assert audited(work.cluster, "plain-word-of-") == []


@pytest.mark.parametrize(("here", "there"), [("one", "two"), ("two", "one")])
def test_pod_when_it_asks_a_pod_on_another_node_sees_its_answer(work: Workload, here: str, there: str) -> None:
    answer = work.get(here, work.addresses[there])
    assert f"hostname: {there}\n" in answer
    assert f"remote: {work.addresses[here]}:" in answer  # not translated on its way


def test_service_when_it_is_asked_reaches_every_pod_behind_it(work: Workload) -> None:
    def both() -> bool:
        seen.add(re.findall("hostname: (.*)", work.get("one", work.service))[0])
        return seen == {"one", "two"}

    seen: set[str] = set()
    until(both, "the Service's address gives both pods")


def test_dns_when_a_pod_asks_gives_the_service(work: Workload) -> None:
    for name in ("serving", f"serving.{NAMESPACE}", f"serving.{NAMESPACE}.svc.cluster.local"):
        assert work.in_pod("two", "getent", "ahostsv4", name).check().out.split()[0] == work.service
    assert "hostname: " in work.get("two", f"serving.{NAMESPACE}")


def test_node_port_when_it_is_asked_from_outside_answers_on_every_node(work: Workload) -> None:
    for machine in work.cluster.machines:
        status, body = fetch(f"http://{machine.address}:{work.node_port}/from-outside")
        assert (status, "request: GET /from-outside" in body) == (200, True)


def test_logs_when_kubectl_asks_are_the_containers_own(work: Workload) -> None:
    work.get("one", work.addresses["two"], path="written-down")
    lines = work.cluster.kubectl("logs", "-n", NAMESPACE, "two", "-c", "echo").check().out
    assert "listening on :80\n" in lines
    assert f"{work.addresses['one']}:" in next(line for line in lines.splitlines() if line.endswith("/written-down"))


def test_exec_when_a_program_fails_gives_its_output_and_exit_code(work: Workload) -> None:
    done = work.in_pod("one", "sh", "-c", "hostname; echo said >&2; exit 5")
    assert (done.code, done.out, done.err.splitlines()[0]) == (5, "one\n", "said")


def test_port_forward_when_it_runs_carries_requests(work: Workload) -> None:
    with forwarded(work.cluster, "pod/two", 80) as port:
        status, body = fetch(f"http://127.0.0.1:{port}/forwarded")
    assert status == 200
    assert "hostname: two\n" in body


def test_top_when_metrics_are_gathered_names_every_node_and_pod(work: Workload) -> None:
    def names(*what: str) -> set[str]:
        return {line.split()[0] for line in work.cluster.kubectl("top", *what, "--no-headers").out.splitlines()}

    machines = {machine.name for machine in work.cluster.machines}
    until(lambda: names("nodes") == machines, "top shows all nodes", limit_s=120)
    until(lambda: names("pods", "-n", NAMESPACE) >= {"one", "two"}, "top shows the pods", limit_s=120)


def test_volumes_when_a_pod_mounts_them_hold_what_both_sides_wrote(work: Workload) -> None:
    cluster, node = work.cluster, work.cluster.machines[1].name
    for path in (FOLDERS["there"][0], UNTYPED):
        cluster.on(node, "sh", "-c", f"mkdir -p {path} && echo machine >{path}/of-machine")
    try:
        workload.apply(cluster, [volumes_pod(cluster, node)])
        cluster.kubectl("wait", "-n", NAMESPACE, "--for=condition=Ready", "--timeout=60s", "pod/volumes").check()
        assert work.in_pod("volumes", "cat", "/scratch/of-first").check().out == "first\n"
        for name in ("there", "untyped"):
            assert work.in_pod("volumes", "cat", f"/{name}/of-machine").check().out == "machine\n"
        for path in (*(path for path, _ in FOLDERS.values()), UNTYPED):
            assert cluster.on(node, "cat", f"{path}/of-pod") == "pod\n"
    finally:
        cluster.kubectl("delete", "pod", "-n", NAMESPACE, "volumes", "--ignore-not-found", "--timeout=60s").check()
        cluster.on(node, "rm", "-rf", *(path for path, _ in FOLDERS.values()), UNTYPED)


def test_host_path_when_the_kubelet_cannot_see_it_is_answered_as_documented(work: Workload) -> None:
    cluster, node = work.cluster, work.cluster.machines[2].name
    cluster.on(node, "mkdir", "-p", UNTYPED)
    try:
        spec = [{"name": "outside", "hostPath": {"path": UNTYPED, "type": "Directory"}}]
        pod = workload.pod(cluster, "outside", node, mounts={"outside": "/outside"}, volumes=spec)
        workload.apply(cluster, [pod])
        refused = f"hostPath type check failed: {UNTYPED} is not a directory"
        until(lambda: any(refused in each for each in events(cluster, "outside")), "the pod's event says why")
    finally:
        cluster.kubectl("delete", "pod", "-n", NAMESPACE, "outside", "--ignore-not-found", "--timeout=60s").check()
        cluster.on(node, "rm", "-rf", UNTYPED)


def test_addon_when_cluster_yml_has_it_runs(cluster: Cluster) -> None:
    cluster.kubectl("wait", "--for=condition=Ready", "--timeout=60s", "pod/addon").check()
    assert cluster.kubectl("get", "configmap", "addon", "-o", "jsonpath={.data.word}").check().out == "applied"


def test_kubelet_when_it_reads_secrets_gets_those_of_its_own_pods_alone(work: Workload) -> None:
    cluster, node = work.cluster, work.cluster.machines[1].name  # the one that runs pod `one`
    assert as_kubelet(cluster, node, "get", "secret", "-n", NAMESPACE, "of-one", "-o", "name") == "secret/of-one\n"
    for what in (("of-two",), ()):
        with pytest.raises(LabError, match=r"\(Forbidden\).*system:node:" + node):
            as_kubelet(cluster, node, "get", "secret", "-n", NAMESPACE, *what)


def test_anonymous_when_it_asks_is_refused_everywhere(cluster: Cluster) -> None:
    server, worker = cluster.machines[0].address, cluster.machines[1].address
    for url in (f"https://{server}:6443/api", f"https://{server}:6443/healthz", f"https://{worker}:10250/pods"):
        assert fetch(url, trusting(cluster))[0] == 401, url
    nobody = ssl.create_default_context(cadata=cluster.on(cluster.machines[0].name, "cat", etcd_file(ETCD[0])))
    for port in (2379, 2380):
        with pytest.raises((ssl.SSLError, urllib.error.URLError, ConnectionError)) as refusal:
            fetch(f"https://{server}:{port}/version", nobody)
        assert not isinstance(refusal.value, ssl.SSLCertVerificationError)
        assert "CERTIFICATE_VERIFY_FAILED" not in str(refusal.value)


def test_secret_when_read_raw_from_etcd_is_encrypted(work: Workload, tmp_path: Path) -> None:
    raw = etcd_value(work.cluster, tmp_path, f"/registry/secrets/{NAMESPACE}/of-one")
    assert raw.startswith(b"k8s:enc:secretbox:v1:")
    assert b"plain-word" not in raw
    plain = etcd_value(work.cluster, tmp_path, "/registry/configmaps/default/addon")
    assert b"applied" in plain  # what is not encrypted is readable this way


def audited(cluster: Cluster, word: str) -> list[dict[str, Any]]:
    """Read what the first machine's API server noted with this word in it."""
    log = cluster.on(cluster.machines[0].name, "sh", "-c", "cat /var/log/kube-audit/*")
    return [json.loads(line) for line in log.splitlines() if word in line]


def volumes_pod(cluster: Cluster, node: str) -> dict[str, Any]:
    """Describe a pod with one volume of each kind, whose first container writes what the second reads."""
    volumes: list[dict[str, Any]] = [{"name": "scratch", "emptyDir": {}}]
    volumes += [{"name": name, "hostPath": {"path": path, "type": kind}} for name, (path, kind) in FOLDERS.items()]
    volumes.append({"name": "untyped", "hostPath": {"path": UNTYPED}})
    mounts = {volume["name"]: f"/{volume['name']}" for volume in volumes}
    script = f"for v in made there untyped; do echo pod >/$v/of-pod; done; {workload.SLEEP}"
    pod = workload.pod(cluster, "volumes", node, script, mounts=mounts, volumes=volumes)
    first = {**pod["spec"]["containers"][0], "name": "first"}
    first["command"] = ["sh", "-c", "echo first >/scratch/of-first"]
    pod["spec"]["initContainers"] = [first]
    return pod


def events(cluster: Cluster, pod: str) -> list[str]:
    """List what the events about a pod say."""
    found = cluster.objects("events", "-n", NAMESPACE, "--field-selector", f"involvedObject.name={pod}")
    return [event["message"] for event in found]


def as_kubelet(cluster: Cluster, node: str, *arguments: str) -> str:
    """Run kubectl with a kubelet's own credentials, on its own machine."""
    config = "/etc/kubernetes/kubelet/kubeconfig"
    return cluster.on(node, "docker", "exec", "kubelet", "kubectl", "--kubeconfig", config, *arguments)


@contextmanager
def forwarded(cluster: Cluster, target: str, port: int) -> Iterator[int]:
    """Run kubectl port-forward and give the local port that it chose."""
    config = str(cluster.folder / "kube_config_cluster.yml")
    line = [str(kubectl()), "kubectl", "--kubeconfig", config, "port-forward", "-n", NAMESPACE, target, f":{port}"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.match(r"Forwarding from 127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found
            yield int(found[1])
        finally:
            process.terminate()


def fetch(url: str, context: ssl.SSLContext | None = None, body: bytes | None = None) -> tuple[int, str]:
    """Ask a server from this computer; gives status and body, whatever the status."""
    try:
        with urllib.request.urlopen(url, data=body, timeout=10, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def trusting(cluster: Cluster) -> ssl.SSLContext:
    """Trust the cluster's servers and show no certificate."""
    config = yaml.safe_load((cluster.folder / "kube_config_cluster.yml").read_text())
    authority = config["clusters"][0]["cluster"]["certificate-authority-data"]
    return ssl.create_default_context(cadata=base64.b64decode(authority).decode())


def etcd_file(name: str) -> str:
    """Name a file of the API server's that etcd is asked with."""
    return f"/etc/kubernetes/kube-apiserver/{name}"


def etcd_value(cluster: Cluster, folder: Path, key: str) -> bytes:
    """Read a key's raw bytes from etcd, as the API server."""
    server = cluster.machines[0]
    for name in ETCD:
        (folder / name).write_text(cluster.on(server.name, "cat", etcd_file(name)))
    context = ssl.create_default_context(cafile=str(folder / ETCD[0]))
    context.load_cert_chain(folder / ETCD[1], folder / ETCD[2])
    asked = json.dumps({"key": base64.b64encode(key.encode()).decode()}).encode()
    status, answer = fetch(f"https://{server.address}:2379/v3/kv/range", context, asked)
    assert status == 200, answer
    [found] = json.loads(answer)["kvs"]
    return base64.b64decode(found["value"])
