"""What is closed from the start, and what `profile: cis` closes further."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import yaml
from tests.plugins.service_kubernetes.conftest import containers, content, only, resources

import rkx
from rkx_service_kubernetes.config import KubeApi, KubernetesConfig, Program

ROOT = PurePosixPath("/etc/kubernetes")


def objects(found: list[rkx.Resource]) -> dict[tuple[str, str, str], dict[str, Any]]:
    listed = [each for manifest in only(rkx.Manifest, found) for each in yaml.safe_load(manifest.text)["items"]]
    return {(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in listed}


def without_token(found: list[rkx.Resource]) -> set[str]:
    """Name the namespaces whose default account gives pods no token."""
    accounts = {k: o for k, o in objects(found).items() if (k[0], k[2]) == ("ServiceAccount", "default")}
    return {namespace for (_, namespace, _), o in accounts.items() if o["automountServiceAccountToken"] is False}


def test_all_below_the_folder_of_keys_is_roots() -> None:
    found = [each for each in resources("one") if isinstance(each, rkx.File | rkx.Folder)]
    below = [each for each in found if ROOT in (each.path, *each.path.parents)]
    assert {(each.uid, each.gid) for each in below} == {(0, 0)}
    etcd = {each.path.parent for each in found if isinstance(each, rkx.File) and each.uid}
    assert etcd == {PurePosixPath("/etc/rkx/etcd")}


def test_profiling_of_the_scheduler_is_off_by_its_file_and_by_its_flag() -> None:
    path = "/etc/kubernetes/kube-scheduler/config.yaml"
    assert "--profiling=false" in containers(resources("one"))["kube-scheduler"].argv
    assert json.loads(content(resources("one"), path))["enableProfiling"] is False
    wanted = KubernetesConfig(scheduler=Program(extra_args={"profiling": "true"}))
    assert "--profiling=true" in containers(resources("one", wanted))["kube-scheduler"].argv
    assert json.loads(content(resources("one", wanted), path))["enableProfiling"] is True


def test_pods_of_the_system_that_name_no_account_get_no_token() -> None:
    assert without_token(list(resources("one"))) == {"kube-system"}


def test_pod_security_exempts_no_namespace_that_nobody_made() -> None:
    config = KubernetesConfig(kube_api=KubeApi(pod_security_configuration="restricted"))
    written = json.loads(content(resources("one", config), "/etc/kubernetes/kube-apiserver/admission.yaml"))
    [pods] = [each["configuration"] for each in written["plugins"] if each["name"] == "PodSecurity"]
    assert pods["exemptions"]["namespaces"] == ["kube-system"]
