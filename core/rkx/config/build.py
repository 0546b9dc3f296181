"""Make the cluster from the decoded keys, judging what only several keys together show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rkx.config.addresses import ip, is_dns_name
from rkx.config.diagnostics import Diagnostics
from rkx.config.nodes import make_nodes
from rkx.config.providers import addons, auth, named, network, services
from rkx.config.ranges import ranges
from rkx.config.schema.cloud import CloudKeys
from rkx.config.schema.images import DEAD_IMAGES, DrainKeys, UpgradeKeys
from rkx.config.schema.top import ClusterKeys
from rkx.config.ssh_options import judge_bastion
from rkx.config.tree import Tree
from rkx.config.version import version
from rkx.model.cluster import Cluster, DrainOptions, Percentage, PrivateRegistry, UpgradeStrategy
from rkx.model.image import is_well_pinned

GONE_CLOUDS = ("aws", "azure", "openstack", "vsphere")
ADDON_TIMEOUT_S = 300
COUNT = re.compile(r"([0-9]{1,6})(%?)\Z")


def build(keys: ClusterKeys, others: Mapping[str, Tree], diags: Diagnostics, *, fetch: bool) -> Cluster:
    """Make the cluster; worthless if ``diags`` hold errors. ``others`` are the services that are none of RKE's."""
    nodes = make_nodes(keys, diags)
    judge_bastion(keys, diags)
    _judge_top(keys, diags)
    found = ranges(keys, nodes, diags)
    upgrade = keys.upgrade_strategy or UpgradeKeys()
    return Cluster(
        name=keys.cluster_name or "local",
        nodes=nodes,
        kubernetes_version=version(keys, diags),
        pod_cidr=found.pod_cidr,
        service_cidr=found.service_cidr,
        dns_domain=found.dns_domain,
        dns_address=found.dns_address,
        file=str(diags.document.path),
        image_layout=keys.image_layout or "public",
        images=_images(keys, diags),
        registries=_registries(keys),
        sans=_sans(keys, diags),
        upgrade=_upgrade(upgrade, diags),
        drain=_drain(upgrade.node_drain_input or DrainKeys()),
        addon_timeout_s=keys.addon_job_timeout or ADDON_TIMEOUT_S,
        ignore_docker_version=bool(keys.ignore_docker_version),
        profile=keys.profile,
        auth=auth(keys, diags),
        network=network(keys, diags),
        services=services(keys, others, diags),
        addons=addons(keys, diags, fetch=fetch),
        extensions=named("extension", keys.extensions or (), "extensions", diags.document),
    )


def _sans(keys: ClusterKeys, diags: Diagnostics) -> tuple[str, ...]:
    found = (keys.authentication.sans if keys.authentication else None) or ()
    for index, san in enumerate(found):
        if not ip(san) and not is_dns_name(san.lower().removeprefix("*.")):
            hint = "names of hosts, such as api.example.com, and addresses"
            diags.error(f"authentication.sans[{index}]", f'"{san[:60]}" is not a valid SAN', hint)
    return found


def _judge_top(keys: ClusterKeys, diags: Diagnostics) -> None:
    if keys.enable_cri_dockerd is False:
        hint = "take it out: Kubernetes reaches Docker through cri-dockerd alone"
        diags.error("enable_cri_dockerd", "a kubelet needs cri-dockerd", hint)
    if keys.authorization and keys.authorization.mode not in (None, "rbac"):
        diags.error("authorization.mode", f'unknown mode "{keys.authorization.mode[:60]}"', "rbac")
    if keys.prefix_path not in (None, "/"):
        diags.warn("prefix_path", "rkx does not act on this yet", "its folders stay at their usual places")
    cloud = keys.cloud_provider or CloudKeys()
    names = [f"{name}CloudProvider" for name in GONE_CLOUDS if getattr(cloud, name)]
    if cloud.name in GONE_CLOUDS or (names and cloud.name is None):
        where = "cloud_provider.name" if cloud.name else f"cloud_provider.{names[0]}"
        hint = "name: external, and the provider's own controller as an addon"
        diags.at_key(where, "Kubernetes has no cloud providers of its own any more", hint)
    if keys.services and keys.services.kube_api and keys.services.kube_api.pod_security_policy:
        diags.error("services.kube-api.pod_security_policy", "gone since 1.25", "use pod_security_configuration")


def _images(keys: ClusterKeys, diags: Diagnostics) -> Mapping[str, str]:
    written = dict(keys.system_images or {})
    for name in [name for name in written if name in DEAD_IMAGES]:
        diags.at_key(f"system_images.{name}", f"no effect: {DEAD_IMAGES[name]}", "take it out", warning=True)
        del written[name]
    for name, image in written.items():
        if not is_well_pinned(image):
            hint = "write NAME:TAG@sha256: and 64 hexadecimal digits, or leave the digest out"
            diags.error(f"system_images.{name}", "what follows the @ is not a valid digest", hint)
    return MappingProxyType(written)


def _registries(keys: ClusterKeys) -> tuple[PrivateRegistry, ...]:
    return tuple(
        PrivateRegistry(
            url=each.url or "docker.io",
            user=each.user or "",
            password=each.password,
            is_default=bool(each.is_default),
        )
        for each in keys.private_registries or ()
    )


def _upgrade(own: UpgradeKeys, diags: Diagnostics) -> UpgradeStrategy:
    usual, where = UpgradeStrategy(), "upgrade_strategy.max_unavailable"
    worker = _max_unavailable(own.max_unavailable_worker, f"{where}_worker", diags)
    controlplane = _max_unavailable(own.max_unavailable_controlplane, f"{where}_controlplane", diags)
    return UpgradeStrategy(
        max_unavailable_worker=worker or usual.max_unavailable_worker,
        max_unavailable_controlplane=controlplane or usual.max_unavailable_controlplane,
        drain=bool(own.drain),
    )


def _max_unavailable(text: str | None, where: str, diags: Diagnostics) -> int | Percentage | None:
    if not text:
        return None
    found = COUNT.match(text)
    number, is_share = (int(found[1]), bool(found[2])) if found else (0, False)
    if number == 0 or (is_share and number > 100):
        diags.error(where, f'"{text[:60]}" is neither a count nor a percentage', "such as 1 or 10%")
    return Percentage(number) if is_share else number


def _drain(own: DrainKeys) -> DrainOptions:
    given = {
        "force": own.force,
        "delete_local_data": own.delete_local_data,
        "ignore_daemonsets": own.ignore_daemonsets,
        "grace_period_s": own.grace_period,
        "timeout_s": own.timeout,
    }
    options: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    return DrainOptions(**options)
