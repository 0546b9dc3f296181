"""The sample of RKE's announcement of 2017 comes up, edited in addresses, ssh_key_path and image source.

One line more is for machines that are containers: there kube-proxy may not set nf_conntrack_max ("permission denied"),
and ends. Real machines need no such line.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from harness import Cluster

from rkx_lab.state import Lab

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(8), pytest.mark.timeout(600)]
SAMPLE = Path(__file__).parents[1] / "core" / "config" / "fixtures" / "rke-2017.yml"
IMAGES = """
image_layout: rkx
private_registries: [{{url: "{registry}", is_default: true}}]
"""
KUBE_PROXY = """  kubeproxy:
    extra_args: {conntrack-max-per-core: 0}
"""
PLACED = [2, 20, 22, 27, 31, 33, 36, 39]  # a renamed key, six images without effect, an address that is no more


def edited(lab: Lab) -> str:
    """Edit the sample; its user is `ubuntu`, and the key is an RSA key."""
    first, second = (machine.address for machine in lab.machines[:2])
    text = SAMPLE.read_text().replace("server1", first).replace("server2", second)
    text = text.replace("/home/user/.ssh/id_rsa", str(lab.rsa_key)).replace("  kubeproxy:\n", KUBE_PROXY)
    return text + IMAGES.format(registry=lab.registry)


def test_sample_of_2017_comes_up_and_its_pod_runs(clean_lab: Lab, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    (home / ".ssh" / "known_hosts").write_bytes(clean_lab.known_hosts.read_bytes())
    cluster = Cluster(lab=clean_lab, folder=tmp_path, machines=clean_lab.machines[:2])
    cluster.file.write_text(edited(clean_lab))

    done = cluster.rkx("up", "--plain", env={"HOME": str(home)}).check()
    assert [int(line) for line in re.findall(r"cluster\.yml:(\d+):\d+: warning:", done.err)] == PLACED
    assert done.err.count("warning:") == len(PLACED) + 1  # and that there is no ingress controller

    addresses = {machine.address for machine in cluster.machines}
    cluster.kubectl("wait", "node", "--all", "--for=condition=Ready", "--timeout=60s").check()
    assert {node["metadata"]["name"] for node in cluster.objects("nodes")} == addresses
    cluster.kubectl("wait", "pod/my-nginx", "--for=condition=Ready", "--timeout=60s").check()
    answer = cluster.kubectl("get", "--raw", "/api/v1/namespaces/default/pods/my-nginx:80/proxy/").check().out
    assert "hostname: my-nginx" in answer

    service = cluster.kubectl("get", "service", "-n", "kube-system", "kube-dns", "-o", "jsonpath={.spec.clusterIP}")
    assert service.check().out == "10.233.0.3"
    assert "--v=4" in cluster.on(cluster.machines[0].name, "docker", "inspect", "kube-apiserver")
    assert cluster.rkx("plan", "--json", env={"HOME": str(home)}).check().json()["actions"] == []
