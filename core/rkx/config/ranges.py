"""Judge the addresses of pods and services, and the cluster's domain and DNS address."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

import msgspec

from rkx.config.addresses import ip, is_dns_name
from rkx.config.diagnostics import Diagnostics
from rkx.config.schema.services import KubeApiKeys, KubeControllerKeys, KubeletKeys, ServicesKeys
from rkx.config.schema.top import ClusterKeys
from rkx.model.node import Node

Net: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
PODS = "services.kube-controller.cluster_cidr"
SERVICES = "services.kube-api.service_cluster_ip_range"
COPY = "services.kube-controller.service_cluster_ip_range"
DNS = "services.kubelet.cluster_dns_server"
DUAL_STACK = ("calico", "aci")
NODE_BITS = {4: 24, 6: 64}


class Ranges(msgspec.Struct, frozen=True, kw_only=True):
    """What cluster.yml says of addresses, with what follows from it."""

    pod_cidr: str = "10.42.0.0/16"
    service_cidr: str = "10.43.0.0/16"
    dns_domain: str = "cluster.local"
    dns_address: str = "10.43.0.10"


def ranges(keys: ClusterKeys, nodes: tuple[Node, ...], diags: Diagnostics) -> Ranges:
    """Work out the ranges; mistakes go into ``diags``."""
    if "services" in diags.broken:
        return Ranges()
    services = keys.services or ServicesKeys()
    controller, kubelet = services.kube_controller or KubeControllerKeys(), services.kubelet or KubeletKeys()
    service_cidr, where = _service_cidr(services.kube_api or KubeApiKeys(), controller, diags)
    pod_cidr = controller.cluster_cidr or Ranges().pod_cidr
    pod_nets, service_nets = _nets(pod_cidr, PODS, keys, diags), _nets(service_cidr, where, keys, diags)
    _apart(pod_nets, service_nets, where, diags)
    _nodes_apart(nodes, pod_nets, service_nets, diags)
    _room(keys, nodes, pod_nets, diags)
    domain = kubelet.cluster_domain or Ranges().dns_domain
    if not is_dns_name(domain):
        diags.error("services.kubelet.cluster_domain", f'"{domain[:60]}" is not a valid domain', "like cluster.local")
    dns = _dns_address(keys, kubelet.cluster_dns_server, service_nets, diags)
    return Ranges(pod_cidr=pod_cidr, service_cidr=service_cidr, dns_domain=domain, dns_address=dns)


def _service_cidr(api: KubeApiKeys, controller: KubeControllerKeys, diags: Diagnostics) -> tuple[str, str]:
    """Return the service range and its place: both services name it, and one may be absent."""
    one, other = api.service_cluster_ip_range, controller.service_cluster_ip_range
    if one and other and one != other:
        place = diags.position(SERVICES)
        diags.error(COPY, f'"{other}" is not kube-api\'s "{one}" ({place})', "give both the same range")
    if bool(one) != bool(other):
        given, absent = (SERVICES, COPY) if one else (COPY, SERVICES)
        diags.warn(given, f'{absent} is absent, "{one or other}" holds for it too', "write it there too")
    return one or other or Ranges().service_cidr, SERVICES if one or not other else COPY


def _nets(text: str, where: str, keys: ClusterKeys, diags: Diagnostics) -> list[Net]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1 and (keys.network is None or keys.network.plugin not in DUAL_STACK):
        diags.error(where, f'"{text[:80]}" is dual stack', f"one range; two need {' or '.join(DUAL_STACK)}")
        return []
    return [net for part in parts if (net := _net(part, where, diags))]


def _net(text: str, where: str, diags: Diagnostics) -> Net | None:
    try:
        net = ipaddress.ip_network(text)
    except ValueError:
        pass
    else:
        if net.is_multicast or net.is_loopback or net.is_link_local or net.is_unspecified:
            diags.error(where, f'"{text}" is not a range that pods or services can have', "such as 10.42.0.0/16")
        return net
    try:
        loose = ipaddress.ip_network(text, strict=False)
    except ValueError:
        diags.error(where, f'"{text[:60]}" is not a valid address range', "ADDRESS/BITS, such as 10.42.0.0/16")
        return None
    diags.error(where, f'"{text}" has host bits set', f'"{loose}"?')
    return None


def _apart(pods: list[Net], services: list[Net], where: str, diags: Diagnostics) -> None:
    for pod in pods:
        for service in services:
            if pod.version == service.version and pod.overlaps(service):
                given = where if diags.document.find(where) is not None else PODS
                other = PODS if given == where else where
                message = f"service range {service} overlaps pod range {pod} ({diags.position(other)})"
                diags.error(given, message, "give them ranges apart from each other")


def _nodes_apart(nodes: tuple[Node, ...], pods: list[Net], services: list[Net], diags: Diagnostics) -> None:
    """Refuse nodes inside the ranges, and nodes of another family."""
    for node in nodes:
        address = ip(node.internal_address)
        if address is None:
            continue
        where = f"{node.where}.{'internal_address' if node.internal_address != node.address else 'address'}"
        for name, nets in (("pod", pods), ("service", services)):
            for net in nets:
                if address in net:
                    diags.error(where, f'"{address}" lies in the {name} range {net}', "give the range other addresses")
        if pods and address.version not in {net.version for net in pods}:
            given = diags.document.find(PODS) is not None
            place = f" ({diags.position(PODS)})" if given else ""
            message = f'"{address}" is IPv{address.version}, but cluster_cidr {pods[0]}{place} is not'
            diags.error(where, message, "give pods and services ranges of the machines' family")


def _room(keys: ClusterKeys, nodes: tuple[Node, ...], pods: list[Net], diags: Diagnostics) -> None:
    """Require a range per node."""
    controller = keys.services.kube_controller if keys.services else None
    arguments = (controller.extra_args if controller else None) or {}
    for net in pods:
        name = "node-cidr-mask-size"
        text = arguments.get(f"{name}-ipv{net.version}") or arguments.get(name) or str(NODE_BITS[net.version])
        bits = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else NODE_BITS[net.version]
        room = 2 ** max(bits - net.prefixlen, 0) if bits >= net.prefixlen else 0
        if room < len(nodes):
            wanted = (len(nodes) - 1).bit_length()
            message = f"{net} has room for {room} node{'s' * (room != 1)} of /{bits}, {len(nodes)} needed"
            hint = f"/{bits - wanted} or larger, or extra_args {name}: {net.prefixlen + wanted} or more"
            diags.error(PODS, message, hint)


def _dns_address(keys: ClusterKeys, given: str | None, services: list[Net], diags: Diagnostics) -> str:
    """Return the DNS address: the tenth of the service range unless the file names another in it."""
    tenth = str(services[0][10]) if services and services[0].num_addresses > 10 else Ranges().dns_address
    if not given:
        if services and tenth != Ranges().dns_address:
            where = SERVICES if diags.document.find(SERVICES) is not None else COPY
            diags.warn(where, f"DNS gets the tenth address of the range, {tenth}", f"{DNS}: {tenth}")
        return tenth
    address = ip(given)
    if address is None:
        diags.error(DNS, f'"{given[:60]}" is not a valid IP address', f'"{tenth}"?')
    elif _deploys_dns(keys) and services and not any(address in net for net in services):
        diags.error(DNS, f"{address} is not in the service range {services[0]}", f"{tenth}?")
    elif any(address in (net[0], net[1]) for net in services if net.num_addresses > 2):
        diags.error(DNS, f"{address} is the API server's own service address, or the range's", f"{tenth}?")
    return given


def _deploys_dns(keys: ClusterKeys) -> bool:
    return keys.dns is None or keys.dns.provider != "none"
