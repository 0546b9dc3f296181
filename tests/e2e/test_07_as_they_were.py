"""`rkx remove` leaves the machines as they were; what rkx did not make stays."""

from __future__ import annotations

from pathlib import Path

import picture
import pytest
import words
from harness import cluster_in

from rkx_lab import inside
from rkx_lab.state import Lab

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(7), pytest.mark.timeout(900)]
# Strangers beside what rkx makes: in its folders of configuration, and in the same tables and chains.
PLANT = r"""set -e
mkdir -p /etc/kubernetes /etc/cni/net.d /var/lib/stranger /mnt/stranger
echo mine >/etc/kubernetes/stranger.yaml
echo '{"cniVersion": "0.3.1", "name": "stranger", "type": "stranger"}' >/etc/cni/net.d/99-stranger.conf
echo mine >/var/lib/stranger/file
chmod 0711 /etc/kubernetes
mount -t tmpfs stranger /mnt/stranger
ip link add stranger0 type bridge
ip addr add 10.99.0.1/24 dev stranger0
ip link set stranger0 up
ip route add 10.99.1.0/24 via 10.99.0.2
for iptables in iptables ip6tables; do
  $iptables -N STRANGER
  $iptables -A STRANGER -p tcp --dport 9999 -m comment --comment "kubernetes is none of my business" -j ACCEPT
  $iptables -A INPUT -j STRANGER
done
iptables -t nat -A PREROUTING -p tcp --dport 9998 -j REDIRECT --to-ports 9999
docker volume create stranger
docker run --detach --name stranger --restart always --publish 9997:80 --volume stranger:/data "$1"
docker create --name stranger-that-stands "$1"
"""


def plant(lab: Lab, machine: str) -> None:
    """Put files, a mount, links, routes, rules, volumes and containers of somebody else on a machine."""
    image = f"{lab.registry}/rkx/echo:1"
    inside.run(lab, machine, "bash", "-c", PLANT, "plant", image)


def test_remove_leaves_the_machines_as_they_were(clean_lab: Lab, tmp_path: Path) -> None:
    cluster = cluster_in(clean_lab, tmp_path, clean_lab.machines[:3])
    cluster.values["monitoring"] = {"provider": "none"}
    cluster.write()
    for machine in cluster.machines:
        plant(clean_lab, machine.name)
    before = {machine.name: picture.take(clean_lab, machine.name) for machine in cluster.machines}

    cluster.rkx("up", "--plain", timeout_s=600).check()
    words.deploy(cluster)
    cluster.rkx("remove", "--plain").check(8)  # nobody to ask
    cluster.rkx("remove", "--plain", "--yes").check()

    for machine in cluster.machines:
        inside.run(clean_lab, machine.name, "rm", "-rf", words.FOLDER)  # Docker made it, for a pod of the user's
        found = picture.differences(before[machine.name], picture.take(clean_lab, machine.name))
        assert found == [], "\n".join(found)
    assert {*tmp_path.iterdir()} == {cluster.file}
    cluster.rkx("remove", "--plain", "--yes").check()  # nothing is there: nothing to do
