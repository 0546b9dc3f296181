"""The kubelet, on every node, with its configuration file."""

from __future__ import annotations

import ipaddress
from typing import Any

import rkx
from rkx_service_kubernetes import runtime
from rkx_service_kubernetes.arguments import knows, merged
from rkx_service_kubernetes.containers import PROGRAMS, env
from rkx_service_kubernetes.hardening import is_cis
from rkx_service_kubernetes.identities import on
from rkx_service_kubernetes.registration import registration, taints
from rkx_service_kubernetes.service_dirs import CIPHER_SUITES, ServiceDir, kubeconfig
from rkx_service_kubernetes.site import NodeContext, is_ip

NAME = "kubelet"
PORT = 10250
HEALTH_PORT = 10248
RESOLV_CONF = "resolv.conf"
MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")


def resources(site: NodeContext) -> list[rkx.Resource]:
    """Describe the kubelet, the Node object that it makes, and what both leave on the machine."""
    place = ServiceDir(site.name, NAME)
    flags = _flags(site, place)
    preparations = (*_preparations(site), *_renewal(site, place))
    reads = tuple(_read(file, site) for file in place.files)
    resolv_conf(site, place)
    container = rkx.Container(
        node=site.name,
        name=NAME,
        image=site.images.kubernetes,
        argv=(rkx.NODE_PROGRAM, "load", *preparations, "--", NAME, *merged(flags, site.config.kubelet)),
        env=env(site.config.kubelet),
        mounts=(
            place.mount,
            rkx.Mount(source=PROGRAMS, target=PROGRAMS, mode="ro"),
            rkx.Mount(source="/lib/modules", target="/lib/modules", mode="ro"),
            *runtime.shared_mounts(site),
        ),
        privileged=True,
        host_pid=True,
        host_cgroup=True,
        reads=reads,
        after=(runtime.key(site.name),),
        reaches=(rkx.node_started(site.name),),
        probe=rkx.Probe(address=f"tcp:127.0.0.1:{HEALTH_PORT}", path="/healthz"),
    )
    return [*place.resources, container, registration(site.node), _leaves(site)]


def _read(file: rkx.File, site: NodeContext) -> rkx.Read:
    """Say what a changed file asks for: a spare pair, read at each start, asks for nothing."""
    holder = file.content.identity if isinstance(file.content, rkx.CredentialRef) else ""
    is_spare = bool(site.auth.node_signer) and holder == on(site.node, NAME)
    return rkx.Read(path=file.path, on_change="nothing" if is_spare else "restart")


def _preparations(site: NodeContext) -> tuple[str, ...]:
    """Say what each boot forgets: the kubelet's container sees to it before the kubelet runs."""
    sysctls = {"net.ipv4.ip_forward": "1", **site.network.sysctls}
    modules = [word for name in site.network.modules for word in ("--module", name)]
    return (*modules, *(word for name in sorted(sysctls) for word in ("--sysctl", f"{name}={sysctls[name]}")))


def _flags(site: NodeContext, place: ServiceDir) -> dict[str, str]:
    """Return the flags that have no field in the configuration file."""
    flags = {
        "config": place.json("config.yaml", _configuration(site, place)),
        "kubeconfig": _kubeconfig(site, place),
        "root-dir": runtime.KUBELET_DATA,
        "cert-dir": _own_certificates(site),
        "hostname-override": site.name,
        "node-ip": site.node.internal_address if site.has_own_address else "",
    }
    if knows(NAME, "pod-infra-container-image", site.cluster.minor):
        flags["pod-infra-container-image"] = site.images.pause
    if knows(NAME, "machine-id-file", site.cluster.minor):
        # the container has no such file of its own, but sees the machine's first process and, through it, its files
        flags["machine-id-file"] = ",".join(f"/proc/1/root{path}" for path in MACHINE_IDS)
    return flags


def _kubeconfig(site: NodeContext, place: ServiceDir) -> str:
    """Name the pair that the kubelet renews, which it asks for the next one with too, however old its first one is."""
    if not site.auth.node_signer:
        return place.kubeconfig(on(site.node, NAME))
    return place.json("kubeconfig", kubeconfig(place.authority(rkx.identity.KUBERNETES_CA), _held(site), _held(site)))


def _renewal(site: NodeContext, place: ServiceDir) -> tuple[str, ...]:
    """Have the pair that rkx issued put where the kubelet looks, if it starts without one of its own that lasts."""
    if not site.auth.node_signer:
        return ()
    return ("--pair", ":".join((*place.pair("client", on(site.node, NAME)), _held(site))))


def _held(site: NodeContext) -> str:
    return f"{_own_certificates(site)}/kubelet-client-current.pem"


def _own_certificates(site: NodeContext) -> str:
    """Say where the kubelet keeps what it gets itself, apart for each cluster.

    Another cluster's certificate, left on the machine, would be taken for its own, and refused by the API server.
    """
    return f"{runtime.KUBELET_DATA}/pki/{site.cluster.id}"


def _configuration(site: NodeContext, place: ServiceDir) -> dict[str, Any]:
    certificate, key = place.pair("serving", on(site.node, "kubelet-serving"))
    body = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "0.0.0.0",  # noqa: S104 - API servers of other nodes call it
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": place.authority(rkx.identity.KUBERNETES_CA)},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": site.facts.cgroup_driver,
        "clusterDNS": [site.cluster.dns_address],
        "clusterDomain": site.cluster.dns_domain,
        "containerRuntimeEndpoint": f"unix://{runtime.SOCKET}",
        "eventRecordQPS": 50,
        "failSwapOn": site.config.kubelet.fail_swap_on,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": HEALTH_PORT,
        "makeIPTablesUtilChains": True,
        "podPidsLimit": 4096,
        "protectKernelDefaults": is_cis(site.cluster),
        "readOnlyPort": 0,
        "resolvConf": str(place.path / RESOLV_CONF),
        "rotateCertificates": bool(site.auth.node_signer),
        "seccompDefault": True,
        "serverTLSBootstrap": False,
        "tlsCertFile": certificate,
        "tlsCipherSuites": list(CIPHER_SUITES),
        "tlsPrivateKeyFile": key,
        "volumePluginDir": f"{runtime.KUBELET_DATA}/volumeplugins",
    }
    marks = [{"key": mark.key, "value": mark.value, "effect": mark.effect} for mark in taints(site.node)]
    if site.facts.cgroup_driver == "none":
        del body["cgroupDriver"]
    return body | ({"registerWithTaints": marks} if marks else {})


def resolv_conf(site: NodeContext, place: ServiceDir) -> None:
    """Add the resolver file that pods inherit; the kubelet reads it for each pod, so a change restarts nothing.

    Nothing is known of it before the node was prepared: then there is no file yet.
    """
    if site.facts.host is not None:
        place.put(RESOLV_CONF, _for_pods(site.facts.host.resolv_conf).encode(), mode=0o644)


def _for_pods(text: str) -> str:
    """Keep what works from inside a pod: a server on the machine's loopback does not."""
    lines = [line.strip() for line in text.splitlines()]
    servers = [line for line in lines if line.startswith("nameserver") and not _is_loopback(line)]
    if not servers:
        return "# this machine has no name server that pods can reach\n"
    others = [line for line in lines if line.startswith(("search", "options", "domain"))]
    return "\n".join([*servers, *others]) + "\n"


def _is_loopback(line: str) -> bool:
    address = line.removeprefix("nameserver").strip().partition("%")[0]
    return not is_ip(address) or ipaddress.ip_address(address).is_loopback


def _leaves(site: NodeContext) -> rkx.HostCleanup:
    return rkx.HostCleanup(
        node=site.name,
        name="kubernetes",
        links=("kube-ipvs0",),
        chains=("KUBE-",),
        paths=("/run/cri-dockerd.sock", _own_certificates(site)),
        mounts=(runtime.KUBELET_DATA,),
        image=site.images.kubernetes,
    )
