"""A kubelet's certificate holds its machine's names: none may be one that clients know the API server by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.plugins.service_kubernetes.conftest import CLUSTER, PLAIN

import rkx
from rkx import api
from rkx.errors import ConfigError
from rkx_service_kubernetes import KubernetesService

API = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.example")
OTHERS = ("example.test", "one.example.test", "metrics-server.kube-system.svc", "Kubernetes.Default")


def problems(**changes: Any) -> list[rkx.Problem]:  # noqa: ANN401 - fields of Node
    node = replace(CLUSTER.nodes[0], where="nodes[0]", **changes)
    cluster = replace(CLUSTER, nodes=(node, *CLUSTER.nodes[1:]), dns_domain="example.test")
    return list(KubernetesService(PLAIN).rkx_validate(cluster))


@pytest.mark.parametrize("name", [*API, f"{API[-1]}.test", *OTHERS])
def test_a_name_inside_the_cluster_is_no_name_of_a_machine_however_it_gets_it(name: str) -> None:
    override = problems(name=name.lower())
    address = problems(name=name.lower(), address=name, internal_address=name)
    inside = problems(internal_address=name)
    behind = problems(address=name)
    assert [[each.where for each in found] for found in (override, address, inside, behind)] == [
        ["nodes[0].hostname_override"],
        ["nodes[0].address"],
        ["nodes[0].internal_address"],
        ["nodes[0].address"],
    ]
    assert not any(each.warning for each in (*override, *address, *inside, *behind))


@pytest.mark.parametrize("name", ["kubernetes-1", "kubernetes.example.com", "one.example.tests", "svc", "example"])
def test_other_names_are_no_problem(name: str) -> None:
    assert problems(name=name) == []


def test_a_name_too_long_for_a_kubelets_certificate_is_told_with_its_place(tmp_path: Path) -> None:
    name = f"{'a' * 40}.{'b' * 12}"
    file = tmp_path / "cluster.yml"
    file.write_text(
        f"nodes:\n- {{address: 192.0.2.1, hostname_override: {name}, role: [controlplane, etcd, worker]}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        api.load(file)
    [found] = [each for each in caught.value.problems if "certificate" in each.message]
    assert (found.where, found.line, found.hint) == (
        "nodes[0].hostname_override",
        2,
        "a hostname_override of at most 52 characters",
    )
    assert f'"system:node:{name}"' in found.message
