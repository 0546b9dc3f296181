"""Controller manager and scheduler, on each control plane node: clients of the API, and servers to none."""

from __future__ import annotations

from collections.abc import Mapping

import rkx
from rkx_service_kubernetes import fields
from rkx_service_kubernetes.arguments import merged
from rkx_service_kubernetes.config import Program
from rkx_service_kubernetes.containers import ROOT_USER, env, extra_mounts
from rkx_service_kubernetes.identities import CONTROLLER_MANAGER, SCHEDULER, SERVICE_ACCOUNT, on
from rkx_service_kubernetes.service_dirs import ServiceDir
from rkx_service_kubernetes.site import NodeContext

CONTROLLER_MANAGER_PORT = 10257
SCHEDULER_PORT = 10259
SIGNED_FOR = "8760h"
"""A kubelet asks again after 70 to 90 % of it; a node that is off for longer falls back to the pair that rkx issued."""


def resources(site: NodeContext) -> list[rkx.Resource]:
    """Describe both with their files."""
    return [*_controller_manager(site), *_scheduler(site)]


def _controller_manager(site: NodeContext) -> list[rkx.Resource]:
    place = ServiceDir(site.name, CONTROLLER_MANAGER)
    arguments = {
        **place.serving(on(site.node, f"{CONTROLLER_MANAGER}-serving")),
        **_as_client(place, CONTROLLER_MANAGER),
        **_signing(place, site.auth.node_signer),
        "secure-port": str(CONTROLLER_MANAGER_PORT),
        "allocate-node-cidrs": str(site.network.allocate_node_cidrs).lower(),
        "cluster-cidr": site.network.pod_cidr,
        "service-cluster-ip-range": site.cluster.service_cidr,
        "root-ca-file": place.authority(rkx.identity.KUBERNETES_CA),
        "service-account-private-key-file": place.put(
            "service-account.key", rkx.CredentialRef(identity=SERVICE_ACCOUNT, what="key")
        ),
        "use-service-account-credentials": "true",
        "leader-elect": "true",
        # at the start each controller asks for credentials of its own, and none works before all have them: with the
        # usual 20 a second that is 4 s
        "kube-api-qps": "100",
        "kube-api-burst": "200",
        "terminated-pod-gc-threshold": "1000",
    }
    extra = site.config.kube_controller
    argv = (CONTROLLER_MANAGER, *merged(arguments, extra))
    return [*place.resources, _behind_api(site, place, argv, extra, CONTROLLER_MANAGER_PORT)]


def _scheduler(site: NodeContext) -> list[rkx.Resource]:
    place = ServiceDir(site.name, SCHEDULER)
    arguments = {
        **place.serving(on(site.node, f"{SCHEDULER}-serving")),
        **_as_client(place, SCHEDULER),
        "secure-port": str(SCHEDULER_PORT),
    }
    kubeconfig = arguments.pop("kubeconfig")
    body = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": kubeconfig},
        "leaderElection": {"leaderElect": True},
        "enableProfiling": False,
    }
    extra = site.config.scheduler
    # the file decides; the flag repeats it for those who look at arguments alone
    arguments["profiling"] = extra.extra_args.get("profiling", arguments["profiling"])
    arguments["config"] = place.json("config.yaml", fields.with_fields(SCHEDULER, body, extra))
    left = fields.flags_left(SCHEDULER, extra)
    argv = (SCHEDULER, *merged(arguments, left))
    return [*place.resources, _behind_api(site, place, argv, extra, SCHEDULER_PORT)]


def _signing(place: ServiceDir, signer: str) -> Mapping[str, str]:
    """Let it sign what kubelets ask for, and nothing else: one signer's own files turn the other signers off."""
    if not signer:
        return {}
    certificate, key = place.pair("node-signer", signer)
    return {
        "cluster-signing-kubelet-client-cert-file": certificate,
        "cluster-signing-kubelet-client-key-file": key,
        "cluster-signing-duration": SIGNED_FOR,
    }


def _as_client(place: ServiceDir, identity: str) -> Mapping[str, str]:
    path = place.kubeconfig(identity)
    names = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    return {"bind-address": "127.0.0.1", **dict.fromkeys(names, path)}


def _behind_api(
    site: NodeContext, place: ServiceDir, argv: tuple[str, ...], extra: Program, port: int
) -> rkx.Container:
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
        probe=rkx.Probe(address=f"tcp:127.0.0.1:{port}", path="/healthz", authority=rkx.identity.KUBERNETES_CA),
    )
