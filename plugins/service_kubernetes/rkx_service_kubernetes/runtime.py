"""cri-dockerd, through which the kubelet speaks to Docker, and the folders that both see."""

from __future__ import annotations

from base64 import b64encode

import rkx
from rkx_service_kubernetes.containers import env, extra_mounts, folder, mount
from rkx_service_kubernetes.service_dirs import ROOT, ServiceDir, as_json
from rkx_service_kubernetes.site import NodeContext, in_url

NAME = "cri-dockerd"
SOCKET = "/var/run/cri-dockerd.sock"
REGISTRIES = "registries"
KUBELET_DATA = "/var/lib/kubelet"
DOCKER_HUB = "https://index.docker.io/v1/"
"""No address that is called: the key under which Docker's config.json keeps the login of its default registry."""
OWN_FOLDERS = (
    "/etc/cni",
    "/opt/cni",
    "/opt/cni/bin",
    "/var/lib/cni",
    "/var/lib/cri-dockerd",
    KUBELET_DATA,
    "/var/log/containers",
    "/var/log/pods",
)
"""Open to all, as RKE and kubeadm have them: what is secret below them is closed by those who write it."""


def key(node: str) -> rkx.ContainerKey:
    """Name a node's cri-dockerd in plans."""
    return rkx.ContainerKey(node, NAME)


def resources(site: NodeContext) -> list[rkx.Resource]:
    """Describe cri-dockerd with the folders that it shares with the kubelet."""
    folders = [folder(site.name, path) for path in OWN_FOLDERS]
    container = rkx.Container(
        node=site.name,
        name=NAME,
        image=site.images.tools,
        images=(site.images.pause,),
        argv=("start-cri-dockerd", *_arguments(site)),
        env=env(site.config.kubelet),
        mounts=shared_mounts(site),
        privileged=True,
        host_pid=True,
        host_cgroup=True,
        # Root alone may open SOCKET, the login user is in Docker's group; this port opens at the same time.
        probe=rkx.Probe(address=f"tcp:{_streaming(site)}"),
    )
    return [*folders, *_logins(site), container]


def _streaming(site: NodeContext) -> str:
    return f"{in_url(site.config.cri_dockerd_stream_server_address)}:{site.config.cri_dockerd_stream_server_port}"


def _arguments(site: NodeContext) -> tuple[str, ...]:
    return (
        f"--container-runtime-endpoint=unix://{SOCKET}",
        "--cri-dockerd-root-directory=/var/lib/cri-dockerd",
        "--network-plugin=cni",
        "--cni-conf-dir=/etc/cni/net.d",
        "--cni-bin-dir=/opt/cni/bin",
        "--cni-cache-dir=/var/lib/cni/cache",
        f"--pod-infra-container-image={site.images.pause}",
        f"--streaming-bind-addr={_streaming(site)}",
    )


def shared_mounts(site: NodeContext) -> tuple[rkx.Mount, ...]:
    """List what kubelet and cri-dockerd both see of the machine.

    Volumes that the kubelet mounts reach pods only through a shared mount of its data folder.
    """
    docker = site.facts.root_dir
    return (
        rkx.Mount(source="/sys", target="/sys", mode="rw,rprivate"),
        rkx.Mount(source="/dev", target="/host/dev", mode="rw,rprivate"),
        rkx.Mount(source=docker, target=docker, mode="rw,rslave"),
        rkx.Mount(source=KUBELET_DATA, target=KUBELET_DATA, mode="rw,rshared"),
        rkx.Mount(source="/var/run", target="/var/run", mode="rw,rprivate"),
        rkx.Mount(source="/run", target="/run", mode="rw,rprivate"),
        rkx.Mount(source="/etc/cni", target="/etc/cni"),
        rkx.Mount(source="/opt/cni", target="/opt/cni"),
        rkx.Mount(source="/var/lib/cni", target="/var/lib/cni"),
        rkx.Mount(source="/var/lib/cri-dockerd", target="/var/lib/cri-dockerd"),
        rkx.Mount(source="/var/log/containers", target="/var/log/containers"),
        rkx.Mount(source="/var/log/pods", target="/var/log/pods"),
        *_login_mounts(site),
        *(mount(text) for text in site.network.binds),
        *extra_mounts(site.config.kubelet),
    )


def _logins(site: NodeContext) -> list[rkx.Resource]:
    """Write what Docker's own client would: both programs look for it in /.docker."""
    logins = {_address(registry): {"auth": _auth(registry)} for registry in site.cluster.registries if registry.user}
    if not logins:
        return []
    place = ServiceDir(site.name, REGISTRIES)
    place.put("config.json", rkx.Secret(as_json({"auths": logins})))
    return place.resources


def _login_mounts(site: NodeContext) -> tuple[rkx.Mount, ...]:
    if not any(registry.user for registry in site.cluster.registries):
        return ()
    return (rkx.Mount(source=str(ROOT / REGISTRIES), target="/.docker", mode="ro"),)


def _address(registry: rkx.PrivateRegistry) -> str:
    return DOCKER_HUB if registry.url in ("", "docker.io") else registry.url


def _auth(registry: rkx.PrivateRegistry) -> str:
    password = registry.password.reveal() if registry.password else ""
    return b64encode(f"{registry.user}:{password}".encode()).decode()
