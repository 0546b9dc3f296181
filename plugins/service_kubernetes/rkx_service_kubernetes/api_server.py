"""The API server, on each control plane node."""

from __future__ import annotations

from pathlib import PurePosixPath

import rkx
from rkx_service_kubernetes import etcd, hardening, policies
from rkx_service_kubernetes.arguments import merged
from rkx_service_kubernetes.containers import ROOT_USER, env, extra_mounts, folder
from rkx_service_kubernetes.identities import (
    ENCRYPTION,
    FRONT_PROXY,
    KUBELET_CLIENT,
    SERVICE_ACCOUNT,
    on,
)
from rkx_service_kubernetes.service_dirs import ServiceDir
from rkx_service_kubernetes.site import NodeContext, is_ip

NAME = "kube-apiserver"
PORT = 6443
AUDIT_LOGS = "/var/log/kube-audit"


def issuer(cluster: rkx.Cluster) -> str:
    """Return the name that service account tokens are issued under."""
    return f"https://kubernetes.default.svc.{cluster.dns_domain}"


def resources(site: NodeContext) -> list[rkx.Resource]:
    """Describe the API server with its files."""
    extra = site.config.kube_api
    place = ServiceDir(site.name, NAME)
    arguments = {
        **place.serving(on(site.node, NAME)),
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
        name=NAME,
        image=site.images.kubernetes,
        argv=(NAME, *merged(arguments, extra)),
        env=env(extra),
        mounts=(place.mount, *_audit_mounts(audited), *_auth_mounts(site), *extra_mounts(extra)),
        read_only=True,
        user=ROOT_USER,
        stop_timeout_s=20,
        reads=(place.read, *(rkx.Read(path=path) for path in _auth_folders(site))),
        after=(etcd.key(site.name),) if site.node.has("etcd") else (),
        reaches=(rkx.API_READY,),
        probe=rkx.Probe(
            address=f"tcp:127.0.0.1:{PORT}",
            path="/readyz",
            authority=rkx.identity.KUBERNETES_CA,
            identity=rkx.identity.INSTALLER,
        ),
    )
    return [*place.resources, *audited, container]


def _api(site: NodeContext) -> dict[str, str]:
    address = site.node.internal_address
    return {
        "bind-address": "0.0.0.0",  # noqa: S104 - the API is for all nodes and the operator
        "secure-port": str(PORT),
        "advertise-address": address if is_ip(address) else "",
        "allow-privileged": "true",
        "anonymous-auth": "false",
        "authorization-mode": "Node,RBAC",
        "service-cluster-ip-range": site.cluster.service_cidr,
        "service-node-port-range": site.config.kube_api.service_node_port_range,
    }


def _datastore(site: NodeContext, place: ServiceDir) -> dict[str, str]:
    """Name the node's own member first: it answers soonest."""
    certificate, key = place.pair("etcd-client", on(site.node, "kube-apiserver-etcd-client"))
    members = sorted(site.cluster.with_role("etcd"), key=lambda member: member.name != site.name)
    return {
        "etcd-servers": ",".join(etcd.client_url(member) for member in members),
        "etcd-cafile": place.authority(rkx.identity.DATASTORE_CA),
        "etcd-certfile": certificate,
        "etcd-keyfile": key,
    }


def _accounts(site: NodeContext, place: ServiceDir) -> dict[str, str]:
    return {
        "service-account-issuer": issuer(site.cluster),
        "service-account-key-file": place.put(
            "service-account.pub", rkx.CredentialRef(identity=SERVICE_ACCOUNT, what="public"), mode=0o644
        ),
        "service-account-signing-key-file": place.put(
            "service-account.key", rkx.CredentialRef(identity=SERVICE_ACCOUNT, what="key")
        ),
        "service-account-extend-token-expiration": "false",
    }


def _kubelets(site: NodeContext, place: ServiceDir) -> dict[str, str]:
    """Kubelets are verified, so they are called by what their certificates hold: names where addresses are names."""
    certificate, key = place.pair("kubelet-client", KUBELET_CLIENT)
    authority = place.authority(rkx.identity.KUBERNETES_CA)
    by_address = all(is_ip(node.internal_address) for node in site.cluster.nodes)
    order = ("InternalIP", "ExternalIP", "Hostname") if by_address else ("Hostname", "InternalIP", "ExternalIP")
    signer = site.auth.node_signer
    return {
        "client-ca-file": place.bundle("clients-ca", rkx.identity.KUBERNETES_CA, signer) if signer else authority,
        "kubelet-certificate-authority": authority,
        "kubelet-client-certificate": certificate,
        "kubelet-client-key": key,
        "kubelet-preferred-address-types": ",".join(order),
    }


def _aggregation(place: ServiceDir) -> dict[str, str]:
    certificate, key = place.pair("front-proxy-client", FRONT_PROXY)
    return {
        "proxy-client-cert-file": certificate,
        "proxy-client-key-file": key,
        "requestheader-allowed-names": FRONT_PROXY,
        "requestheader-client-ca-file": place.authority(rkx.identity.FRONT_PROXY_CA),
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
    }


def _admission(site: NodeContext, place: ServiceDir) -> dict[str, str]:
    config = site.config.kube_api
    plugins = ["NodeRestriction", "DenyServiceExternalIPs"]
    plugins += ["EventRateLimit"] if config.event_rate_limit.enabled else []
    plugins += ["AlwaysPullImages"] if hardening.always_pulls(site.cluster, config) else []
    return {
        "enable-admission-plugins": ",".join(plugins),
        "admission-control-config-file": place.json(
            "admission.yaml", policies.admission(config, hardening.pod_security(site.cluster, config))
        ),
        "encryption-provider-config": policies.encryption(config, place, ENCRYPTION),
    }


def _audit(site: NodeContext, place: ServiceDir) -> dict[str, str]:
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


def _audit_folders(site: NodeContext) -> list[rkx.Folder]:
    log = site.config.kube_api.audit_log
    if not log.enabled or log.configuration.path == "-":
        return []
    return [folder(site.name, AUDIT_LOGS)]  # the API server closes the logs in it: 0600


def _audit_mounts(folders: list[rkx.Folder]) -> tuple[rkx.Mount, ...]:
    return tuple(rkx.Mount(source=str(each.path), target=str(each.path)) for each in folders)


def _auth_folders(site: NodeContext) -> list[PurePosixPath]:
    """List the folders of the files that authentication adds to this node."""
    return sorted({file.path.parent for file in site.auth.files if file.node == site.name})


def _auth_mounts(site: NodeContext) -> tuple[rkx.Mount, ...]:
    return tuple(rkx.Mount(source=str(path), target=str(path), mode="ro") for path in _auth_folders(site))
