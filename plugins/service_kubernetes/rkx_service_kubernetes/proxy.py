"""kube-proxy on every node, and the way to the API servers on those that have none."""

from __future__ import annotations

from typing import Any

import rkx
from rkx_service_kubernetes import fields
from rkx_service_kubernetes.api_server import PORT as API_PORT
from rkx_service_kubernetes.arguments import merged
from rkx_service_kubernetes.containers import ROOT_USER, env, extra_mounts
from rkx_service_kubernetes.identities import on
from rkx_service_kubernetes.service_dirs import ServiceDir
from rkx_service_kubernetes.site import NodeContext, in_url

KUBE_PROXY = "kube-proxy"
HEALTH_PORT = 10256
METRICS_PORT = 10249
API_PROXY = "api-proxy"
SETTINGS = """\
defaults
  mode tcp
  timeout connect 2s
  timeout client 24h
  timeout server 24h
  option clitcpka
  option srvtcpka
frontend api
  bind 127.0.0.1:{port}
  default_backend control-plane
backend control-plane
  balance leastconn
  option tcp-check
  default-server check inter 1s fall 2 rise 2 on-marked-down shutdown-sessions
{servers}
"""


def resources(site: NodeContext) -> list[rkx.Resource]:
    """Describe what of the two the node needs."""
    found: list[rkx.Resource] = []
    if site.network.kube_proxy_mode is not None:
        found += _kube_proxy(site, site.network.kube_proxy_mode)
    if not site.node.has("controlplane"):
        found += _api_proxy(site)
    return found


def _kube_proxy(site: NodeContext, mode: str) -> list[rkx.Resource]:
    extra = site.config.kubeproxy
    place = ServiceDir(site.name, KUBE_PROXY)
    body = fields.with_fields(KUBE_PROXY, _configuration(site, place, mode), extra)
    flags = {"config": place.json("config.yaml", body)}
    container = rkx.Container(
        node=site.name,
        name=KUBE_PROXY,
        image=site.images.kubernetes,
        argv=(KUBE_PROXY, *merged(flags, fields.flags_left(KUBE_PROXY, extra))),
        env=env(extra),
        mounts=(
            place.mount,
            rkx.Mount(source="/run", target="/run"),
            rkx.Mount(source="/lib/modules", target="/lib/modules", mode="ro"),
            *extra_mounts(extra),
        ),
        privileged=True,
        reads=(place.read,),
        probe=rkx.Probe(address=f"tcp:127.0.0.1:{HEALTH_PORT}", path="/healthz"),
    )
    return [*place.resources, container]


def _configuration(site: NodeContext, place: ServiceDir, mode: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": place.kubeconfig(on(site.node, KUBE_PROXY))},
        "clusterCIDR": site.network.pod_cidr,
        "healthzBindAddress": f"127.0.0.1:{HEALTH_PORT}",
        "hostnameOverride": site.name,
        "metricsBindAddress": f"127.0.0.1:{METRICS_PORT}",
        "mode": mode,
    }


def _api_proxy(site: NodeContext) -> list[rkx.Resource]:
    place = ServiceDir(site.name, API_PROXY)
    settings = SETTINGS.format(port=API_PORT, servers="\n".join(_servers(site)))
    path = place.put("haproxy.cfg", settings.encode())
    container = rkx.Container(
        node=site.name,
        name=API_PROXY,
        image=site.images.proxy,
        argv=("haproxy", "-W", "-db", "-f", path),
        mounts=(place.mount,),
        read_only=True,
        user=ROOT_USER,
        reads=(place.read,),
        probe=rkx.Probe(address=f"tcp:127.0.0.1:{API_PORT}"),
    )
    return [*place.resources, container]


def _servers(site: NodeContext) -> list[str]:
    """A TCP check, because ``/readyz`` answers 401 to a client without a name."""
    control_plane = site.cluster.with_role("controlplane")
    return [f"  server {node.name} {in_url(node.internal_address)}:{API_PORT}" for node in control_plane]
