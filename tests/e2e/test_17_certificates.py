"""Kubelets renew their client certificates by themselves, and rkx has nothing to do about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pki
import pytest
from cryptography import x509
from harness import Cluster, until
from running import own

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
NODES = ["system:nodes"]


def give(cluster: Cluster, machine: str, rest: timedelta) -> None:
    """Return a kubelet a certificate of some thirty days, as one that it got itself, and start it anew."""
    certificate, key = pki.client(cluster, f"system:node:{machine}", NODES, timedelta(days=29), rest)
    folder = pki.own_folder(cluster)
    script = (
        f"umask 077; mkdir -p {folder} && cd {folder} && printf %s '{certificate}{key}' >kubelet-client-old.pem"
        f" && ln -sfn {folder}/kubelet-client-old.pem {pki.CURRENT} && docker restart -t 5 kubelet"
    )
    cluster.on(machine, "sh", "-c", script)


def renewed(cluster: Cluster, machine: str) -> bool:
    return pki.is_self_renewed(pki.held(cluster, machine))


def test_kubelets_renew_before_the_end_and_rkx_finds_nothing_to_do(cluster: Cluster) -> None:
    machines = [machine.name for machine in cluster.machines]
    for name in machines:
        give(cluster, name, timedelta(days=1))
    until(lambda: all(renewed(cluster, name) for name in machines), "every kubelet has renewed", 120)
    started = own(cluster)
    for name in machines:
        certificate = pki.held(cluster, name)
        assert timedelta(days=360) < certificate.not_valid_after_utc - datetime.now(UTC) < timedelta(days=366)
        assert certificate.subject == pki.subject(f"system:node:{name}", NODES)
        folder = pki.own_folder(cluster)
        assert cluster.on(name, "sh", "-c", f"stat -L -c %a:%u {folder}/{pki.CURRENT}").strip() == "600:0"
    cluster.has_nothing_to_do()
    cluster.rkx("up", "--plain").check()
    assert own(cluster) == started
    ready = {node["metadata"]["name"] for node in cluster.objects("nodes") if _is_ready(node)}
    assert ready == set(machines)


def test_kubelet_whose_own_certificate_is_over_goes_on_with_the_one_that_rkx_issued(cluster: Cluster) -> None:
    name = cluster.machines[-1].name
    give(cluster, name, -timedelta(days=1))
    since = datetime.now(UTC)
    until(lambda: _spoke(cluster, name) > since, "the kubelet speaks to the API server", 120)
    assert pki.held(cluster, name) == pki.issued(cluster, name)


def _spoke(cluster: Cluster, name: str) -> datetime:
    leases = {lease["metadata"]["name"]: lease for lease in cluster.objects("leases", "-n", "kube-node-lease")}
    return datetime.fromisoformat(leases[name]["spec"]["renewTime"])


def _is_ready(node: dict[str, Any]) -> bool:
    return ("Ready", "True") in {(each["type"], each["status"]) for each in node["status"]["conditions"]}


def test_a_node_that_is_not_of_the_cluster_is_not_renewed(cluster: Cluster) -> None:
    """Both ask as kubelets do, each for itself; the controller that serves the one has seen the other before."""
    for name in ("stranger", cluster.machines[-1].name):
        user = f"system:node:{name}"
        body = {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": f"asked-by-{name}"},
            "spec": {
                "request": pki.request(user, NODES),
                "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
                "usages": ["digital signature", "client auth"],
            },
        }
        as_node = ("--as", user, "--as-group", "system:nodes", "--as-group", "system:authenticated")
        cluster.kubectl("create", *as_node, "-f", "-", stdin=json.dumps(body)).check()
    until(lambda: "certificate" in _status(cluster, cluster.machines[-1].name), "the cluster's own node is served")
    assert _status(cluster, "stranger") == {}
    names = [f"asked-by-{name}" for name in ("stranger", cluster.machines[-1].name)]
    cluster.kubectl("delete", "csr", *names).check()


def _status(cluster: Cluster, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cluster.kubectl("get", "csr", f"asked-by-{name}", "-o", "json").check().json()
    return dict(found["status"])


def test_the_cluster_tells_when_its_certificates_end(cluster: Cluster) -> None:
    told = ("get", "configmap", "rkx-certificates", "-n", "kube-system", "-o", "json")
    data = cluster.kubectl(*told).check().json()["data"]
    rows = {row["name"]: row for row in json.loads(data["certificates.json"])}
    server = cluster.machines[0].name
    assert rows[f"kube-apiserver@{server}"]["node"] == server
    shown = cluster.on(server, "cat", "/etc/kubernetes/kube-apiserver/serving.crt")
    end = x509.load_pem_x509_certificate(shown.encode()).not_valid_after_utc
    assert rows[f"kube-apiserver@{server}"]["notAfter"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"
    assert data["first-end"] == min(row["notAfter"] for row in rows.values())
    assert end - datetime.now(UTC) > timedelta(days=3600)


def test_metrics_tell_of_clients_certificates(cluster: Cluster) -> None:
    worker = cluster.machines[-1].name
    of_kubelet = cluster.kubectl("get", "--raw", f"/api/v1/nodes/{worker}/proxy/metrics").check().out
    [line] = [each for each in of_kubelet.splitlines() if each.startswith("kubelet_certificate_manager_client_ttl")]
    assert float(line.split()[1]) > 30 * 86400
    of_server = cluster.kubectl("get", "--raw", "/metrics").check().out
    assert 'apiserver_client_certificate_expiration_seconds_bucket{le="2.592e+06"} ' in of_server
