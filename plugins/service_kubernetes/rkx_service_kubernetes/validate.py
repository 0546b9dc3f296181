"""What is wrong in cluster.yml, as far as these services know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import rkx
from rkx_service_kubernetes import arguments, binds, catalogue, fields, hardening, names, risks
from rkx_service_kubernetes.api_server import AUDIT_LOGS
from rkx_service_kubernetes.config import KubernetesConfig, Program

PORT_RANGE = re.compile(r"(\d{1,5})-(\d{1,5})")
REMAINS = {"nftables": "the tables `kube-proxy`", "ipvs": "virtual servers and ipsets"}
WITH_FILE = ("kube-scheduler", "kube-proxy")


def programs(config: KubernetesConfig) -> Mapping[str, Program]:
    """Map each program to what cluster.yml says of it."""
    return {
        "etcd": config.etcd,
        "kube-apiserver": config.kube_api,
        "kube-controller-manager": config.kube_controller,
        "kube-scheduler": config.scheduler,
        "kubelet": config.kubelet,
        "kube-proxy": config.kubeproxy,
    }


def problems(cluster: rkx.Cluster, config: KubernetesConfig) -> Iterator[rkx.Problem]:
    """Find every mistake at once; of a version without rules nothing else can be said."""
    if unknown := _of_version(cluster):
        yield unknown
        return
    yield from _of_images(cluster, config)
    yield from names.problems(cluster)
    for program, extra in programs(config).items():
        yield from arguments.problems(program, extra, cluster.minor)
        if program in WITH_FILE:
            yield from fields.problems(program, extra, cluster.minor)
        yield from binds.problems(program, extra)
        yield from _of_variables(arguments.rules()[program]["key"], extra)
        yield from risks.of_arguments(program, extra, cluster.minor)
    yield from _of_api_server(config)
    yield from risks.of_api_server(config.kube_api)
    yield from _of_proxy(config)
    yield from hardening.problems(cluster, config)


def _of_version(cluster: rkx.Cluster) -> rkx.Problem | None:
    version = cluster.kubernetes_version
    if version.startswith("v1.") and cluster.minor in catalogue.minors():
        return None
    return rkx.Problem(
        where="kubernetes_version",
        message=f"{version} is a version that rkx does not know",
        hint=_versions(cluster),
    )


def _versions(cluster: rkx.Cluster) -> str:
    return f"known in layout {cluster.image_layout!r} are {', '.join(catalogue.versions(cluster))}"


def _of_images(cluster: rkx.Cluster, config: KubernetesConfig) -> Iterator[rkx.Problem]:
    if not cluster.images.get("kubernetes") and not catalogue.default(cluster, "kubernetes"):
        yield rkx.Problem(
            where="kubernetes_version",
            message=f"no image of Kubernetes {cluster.kubernetes_version} is known",
            hint=f"{_versions(cluster)}; or name an image under system_images.kubernetes",
        )
    elif not cluster.images.get("etcd") and not catalogue.default(cluster, "etcd"):
        yield rkx.Problem(
            where="kubernetes_version",
            message=f"no image of etcd is known for Kubernetes 1.{cluster.minor} in layout {cluster.image_layout!r}",
            hint="name one under system_images.etcd",
        )
    if catalogue.is_retired(config.kubelet.infra_container_image):
        yield rkx.Problem(
            where="services.kubelet.infra_container_image",
            message=f"{config.kubelet.infra_container_image} is at an address that no longer answers",
            hint=f"{catalogue.images(cluster, config).pause} is taken instead",
            warning=True,
        )


def _of_variables(service: str, extra: Program) -> Iterator[rkx.Problem]:
    for number, line in enumerate(extra.extra_env):
        if not line.partition("=")[1]:
            where = f"services.{service}.extra_env[{number}]"
            yield rkx.Problem(where=where, message=f"{line!r} is not a valid variable", hint="write NAME=VALUE")


def _of_api_server(config: KubernetesConfig) -> Iterator[rkx.Problem]:
    api = config.kube_api
    found = PORT_RANGE.fullmatch(api.service_node_port_range)
    if not found or not 0 < int(found[1]) <= int(found[2]) < 65536:
        yield rkx.Problem(
            where="services.kube-api.service_node_port_range",
            message=f"{api.service_node_port_range!r} is not a valid port range",
            hint="write 30000-32767",
        )
    path = api.audit_log.configuration.path
    if path != "-" and PurePosixPath(AUDIT_LOGS) not in PurePosixPath(path).parents:
        yield rkx.Problem(
            where="services.kube-api.audit_log.configuration.path",
            message=f"{path!r} lies outside {AUDIT_LOGS}, the one folder that the API server may write to",
            hint=f"name a file below {AUDIT_LOGS}, or - for the container's log",
        )
    yield from _of_policy(api.audit_log.configuration.policy)
    yield from _of_admission(api.admission_configuration)


def _of_policy(written: Mapping[str, object] | None) -> Iterator[rkx.Problem]:
    if written is None:
        return
    kind = written.get("apiVersion"), written.get("kind")
    if kind != ("audit.k8s.io/v1", "Policy") or not isinstance(written.get("rules"), (list, tuple)):
        yield rkx.Problem(
            where="services.kube-api.audit_log.configuration.policy",
            message="is not a valid audit policy",
            hint="write apiVersion: audit.k8s.io/v1, kind: Policy, and a list of rules",
        )


def _of_proxy(config: KubernetesConfig) -> Iterator[rkx.Problem]:
    mode = config.kubeproxy.extra_args.get("proxy-mode")
    if mode in REMAINS:
        yield rkx.Problem(
            where="services.kubeproxy.extra_args.proxy-mode",
            message=f"with {mode!r}, `rkx remove` leaves {REMAINS[mode]} in the kernel until the machine restarts",
            hint="iptables, the default, is cleaned",
            warning=True,
        )


def _of_admission(written: Mapping[str, object] | None) -> Iterator[rkx.Problem]:
    entries = (written or {}).get("plugins") or ()
    named = isinstance(entries, (list, tuple)) and all(
        isinstance(each, Mapping) and each.get("name") for each in entries
    )
    if not named:
        yield rkx.Problem(
            where="services.kube-api.admission_configuration.plugins",
            message="each entry must be a mapping with a name",
            hint="write {name: ..., configuration: {...}}",
        )
