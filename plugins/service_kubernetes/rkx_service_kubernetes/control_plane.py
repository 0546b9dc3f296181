"""API server, controller manager and scheduler, on each control plane node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import rkx
from rkx_service_kubernetes import etcd, fields, policies
from rkx_service_kubernetes.arguments import merged
from rkx_service_kubernetes.config import Program
from rkx_service_kubernetes.containers import env, extra_mounts, folder
from rkx_service_kubernetes.identities import (
    CONTROLLER_MANAGER,
    ENCRYPTION,
    FRONT_PROXY,
    KUBELET_CLIENT,
    SCHEDULER,
    SERVICE_ACCOUNT,
    on,
)
from rkx_service_kubernetes.places import CIPHER_SUITES, Place
from rkx_service_kubernetes.site import Site, is_ip

API_SERVER = "kube-apiserver"
API_PORT = 6443
CONTROLLER_MANAGER_PORT = 10257
SCHEDULER_PORT = 10259
AUDIT_LOGS = "/var/log/kube-audit"
ROOT_USER = "0:0"
"""The owner of its 0600 files reads them without any capability."""


def resources(site: Site) -> list[rkx.Resource]:
    """Describe the three containers with their files."""
    return [*_api_server(site), *_controller_manager(site), *_scheduler(site)]


def issuer(cluster: rkx.Cluster) -> str:
    """Give the name that service account tokens are issued under."""
    return f"https://kubernetes.default.svc.{cluster.dns_domain}"


def _api_server(site: Site) -> list[rkx.Resource]:
    extra = site.config.kube_api
    place = Place(site.name, API_SERVER)
    arguments = {
        **_serving(place, on(site.node, API_SERVER)),
        **_api(site),
        **_datastore(site, place),
        **_accounts(site, place),
        **_kubelets(site, place),
        **_aggregation(place),
        **_admission(site, place),
        **_audit(site, place),
        **site.auth.arguments,
    }
    audited = _audit_folders(site)
    container = rkx.Container(
        node=site.name,
        name=API_SERVER,
        image=site.images.kubernetes,
        argv=(API_SERVER, *merged(arguments, extra)),
        env=env(extra),
        mounts=(place.mount, *_audit_mounts(audited), *_auth_mounts(site), *extra_mounts(extra)),
        read_only=True,
        user=ROOT_USER,
        stop_timeout_s=20,
        reads=(place.read, *(rkx.Read(path=path) for path in _auth_folders(site))),
        after=(etcd.key(site.name),) if site.node.has("etcd") else (),
        reaches=(rkx.API_READY,),
        probe=rkx.Probe(
            address=f"tcp:127.0.0.1:{API_PORT}",
            path="/readyz",
            authority=rkx.KUBERNETES_CA,
            identity=rkx.SUPER_ADMIN,
        ),
    )
    return [*place.resources, *audited, container]


def _serving(place: Place, identity: str) -> dict[str, str]:
    certificate, key = place.pair("serving", identity)
    return {
        "tls-cert-file": certificate,
        "tls-private-key-file": key,
        "tls-cipher-suites": ",".join(CIPHER_SUITES),
        "profiling": "false",
    }


def _api(site: Site) -> dict[str, str]:
    address = site.node.internal_address
    return {
        "bind-address": "0.0.0.0",  # noqa: S104 - the API is for all nodes and the operator
        "secure-port": str(API_PORT),
        "advertise-address": address if is_ip(address) else "",
        "allow-privileged": "true",
        "anonymous-auth": "false",
        "authorization-mode": "Node,RBAC",
        "service-cluster-ip-range": site.cluster.service_cidr,
        "service-node-port-range": site.config.kube_api.service_node_port_range,
    }


def _datastore(site: Site, place: Place) -> dict[str, str]:
    """Name the node's own member first: it answers soonest."""
    certificate, key = place.pair("etcd-client", on(site.node, "kube-apiserver-etcd-client"))
    members = sorted(site.cluster.with_role("etcd"), key=lambda member: member.name != site.name)
    return {
        "etcd-servers": ",".join(etcd.client_url(member) for member in members),
        "etcd-cafile": place.authority(rkx.DATASTORE_CA),
        "etcd-certfile": certificate,
        "etcd-keyfile": key,
    }


def _accounts(site: Site, place: Place) -> dict[str, str]:
    return {
        "service-account-issuer": issuer(site.cluster),
        "service-account-key-file": place.put(
            "service-account.pub", rkx.Part(identity=SERVICE_ACCOUNT, what="public"), mode=0o644
        ),
        "service-account-signing-key-file": place.put(
            "service-account.key", rkx.Part(identity=SERVICE_ACCOUNT, what="key")
        ),
        "service-account-extend-token-expiration": "false",
    }


def _kubelets(site: Site, place: Place) -> dict[str, str]:
    """Kubelets are verified, so they are called by what their certificates hold: names where addresses are names."""
    certificate, key = place.pair("kubelet-client", KUBELET_CLIENT)
    authority = place.authority(rkx.KUBERNETES_CA)
    by_address = all(is_ip(node.internal_address) for node in site.cluster.nodes)
    order = ("InternalIP", "ExternalIP", "Hostname") if by_address else ("Hostname", "InternalIP", "ExternalIP")
    return {
        "client-ca-file": authority,
        "kubelet-certificate-authority": authority,
        "kubelet-client-certificate": certificate,
        "kubelet-client-key": key,
        "kubelet-preferred-address-types": ",".join(order),
    }


def _aggregation(place: Place) -> dict[str, str]:
    certificate, key = place.pair("front-proxy-client", FRONT_PROXY)
    return {
        "proxy-client-cert-file": certificate,
        "proxy-client-key-file": key,
        "requestheader-allowed-names": FRONT_PROXY,
        "requestheader-client-ca-file": place.authority(rkx.FRONT_PROXY_CA),
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
    }


def _admission(site: Site, place: Place) -> dict[str, str]:
    config = site.config.kube_api
    plugins = ["NodeRestriction", "DenyServiceExternalIPs"]
    plugins += ["EventRateLimit"] if config.event_rate_limit.enabled else []
    plugins += ["AlwaysPullImages"] if config.always_pull_images else []
    return {
        "enable-admission-plugins": ",".join(plugins),
        "admission-control-config-file": place.json("admission.yaml", policies.admission(config)),
        "encryption-provider-config": policies.encryption(config, place, ENCRYPTION),
    }


def _audit(site: Site, place: Place) -> dict[str, str]:
    config = site.config.kube_api
    if not config.audit_log.enabled:
        return {}
    log = config.audit_log.configuration
    return {
        "audit-policy-file": place.json("audit-policy.yaml", policies.audit(config)),
        "audit-log-path": log.path,
        "audit-log-format": log.format,
        "audit-log-maxage": str(log.max_age),
        "audit-log-maxbackup": str(log.max_backup),
        "audit-log-maxsize": str(log.max_size),
    }


def _audit_folders(site: Site) -> list[rkx.Folder]:
    log = site.config.kube_api.audit_log
    if not log.enabled or log.configuration.path == "-":
        return []
    return [folder(site.name, AUDIT_LOGS, 0o700)]


def _audit_mounts(folders: list[rkx.Folder]) -> tuple[rkx.Mount, ...]:
    return tuple(rkx.Mount(source=str(each.path), target=str(each.path)) for each in folders)


def _auth_folders(site: Site) -> tuple[PurePosixPath, ...]:
    return (site.auth.folder,) if site.auth.folder else ()


def _auth_mounts(site: Site) -> tuple[rkx.Mount, ...]:
    return tuple(rkx.Mount(source=str(path), target=str(path), mode="ro") for path in _auth_folders(site))


def _controller_manager(site: Site) -> list[rkx.Resource]:
    place = Place(site.name, CONTROLLER_MANAGER)
    arguments = {
        **_serving(place, on(site.node, f"{CONTROLLER_MANAGER}-serving")),
        **_as_client(place, CONTROLLER_MANAGER),
        "secure-port": str(CONTROLLER_MANAGER_PORT),
        "allocate-node-cidrs": str(site.network.allocate_node_cidrs).lower(),
        "cluster-cidr": site.network.pod_cidr,
        "service-cluster-ip-range": site.cluster.service_cidr,
        "root-ca-file": place.authority(rkx.KUBERNETES_CA),
        "service-account-private-key-file": place.put(
            "service-account.key", rkx.Part(identity=SERVICE_ACCOUNT, what="key")
        ),
        "use-service-account-credentials": "true",
        "leader-elect": "true",
        "terminated-pod-gc-threshold": "1000",
    }
    extra = site.config.kube_controller
    argv = (CONTROLLER_MANAGER, *merged(arguments, extra))
    return [*place.resources, _behind_api(site, place, argv, extra, CONTROLLER_MANAGER_PORT)]


def _scheduler(site: Site) -> list[rkx.Resource]:
    place = Place(site.name, SCHEDULER)
    arguments = {
        **_serving(place, on(site.node, f"{SCHEDULER}-serving")),
        **_as_client(place, SCHEDULER),
        "secure-port": str(SCHEDULER_PORT),
    }
    del arguments["profiling"]  # ignored beside a configuration file
    kubeconfig = arguments.pop("kubeconfig")
    body = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": kubeconfig},
        "leaderElection": {"leaderElect": True},
        "enableProfiling": False,
    }
    extra = site.config.scheduler
    arguments["config"] = place.json("config.yaml", fields.with_fields(SCHEDULER, body, extra))
    left = fields.flags_left(SCHEDULER, extra)
    argv = (SCHEDULER, *merged(arguments, left))
    return [*place.resources, _behind_api(site, place, argv, extra, SCHEDULER_PORT)]


def _as_client(place: Place, identity: str) -> Mapping[str, str]:
    path = place.kubeconfig(identity)
    names = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    return {"bind-address": "127.0.0.1", **dict.fromkeys(names, path)}


def _behind_api(site: Site, place: Place, argv: tuple[str, ...], extra: Program, port: int) -> rkx.Container:
    return rkx.Container(
        node=site.name,
        name=argv[0],
        image=site.images.kubernetes,
        argv=argv,
        env=env(extra),
        mounts=(place.mount, *extra_mounts(extra)),
        read_only=True,
        user=ROOT_USER,
        reads=(place.read,),
        after=(rkx.API_READY,),
        probe=rkx.Probe(address=f"tcp:127.0.0.1:{port}", path="/healthz", authority=rkx.KUBERNETES_CA),
    )
