"""Carry out what a plan says about containers; each call may be repeated after it was cut anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import requests

from rkx.errors import PartlyDone, PlanStale
from rkx.lines import cut
from rkx.model.cluster import Registry
from rkx.model.image import reference
from rkx.model.resource import Container
from rkx.reconcile import digest
from rkx.reconcile.answers import Said
from rkx.reconcile.bounds import ENGINE, PULL, Limit
from rkx.reconcile.create_body import create_body
from rkx.reconcile.link import Link
from rkx.reconcile.progress import steps
from rkx.reconcile.state_store import StateStore

if TYPE_CHECKING:
    from docker import APIClient
    from docker.api.container import _RestartPolicy

ALWAYS: _RestartPolicy = {"Name": "always", "MaximumRetryCount": 0}
NEVER: _RestartPolicy = {"Name": "no", "MaximumRetryCount": 0}  # type: ignore[typeddict-item] # the stub forgets it
PULL_SILENCE_S = 60.0
"""A pull that brings no byte for so long has stalled."""
LOGS = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "5"}}


def settings(container: Container, store: StateStore, reads: str) -> dict[str, Any]:
    """Return what the Engine's create call takes for a container; ``reads`` is one word for the files that it reads."""
    labels = {
        "rkx.cluster": store.state.cluster_id,
        "rkx.digest": digest.of_container(store.state.key, container),
        "rkx.reads": reads,
    }
    body = create_body(
        container.image,
        (*container.argv, *container.bootstrap_args),
        labels,
        network=container.network,
        privileged=container.privileged,
        capabilities=container.capabilities,
        read_only=container.read_only,
        binds=map(str, container.mounts),
        PidMode="host" if container.host_pid else "",
        CgroupnsMode="host" if container.host_cgroup else "",
        SecurityOpt=[] if container.privileged else ["no-new-privileges"],
        RestartPolicy=dict(ALWAYS),
        LogConfig=LOGS,
    )
    env = [f"{name}={value}" for name, value in sorted(container.env.items())]
    return {**body, "User": container.user, "Env": env, "StopTimeout": container.stop_timeout_s}


def create(link: Link, container: Container, store: StateStore, reads: str) -> None:
    """Make and start a container; one of ours that an interrupted run left under this name is recreated."""
    with link.docker() as client:
        discard(client, link, container.name, store)
        with _engine_errors(container):
            client.create_container_from_config(settings(container, store, reads), container.name)
            client.start(container.name)


def discard(client: APIClient, link: Link, name: str, store: StateStore) -> None:
    """Remove a container that an interrupted run left; PlanStale for one that is not ours."""
    from docker.errors import NotFound

    with suppress(NotFound):
        found = Said(client.inspect_container(name), link.name, name)
        if found.table("Config").labels("Labels").get("rkx.cluster") != store.state.cluster_id:
            raise PlanStale(
                f"{link.name}: a container {name!r} that is not ours appeared", hint="remove it, then run rkx again"
            )
        client.remove_container(name, force=True, v=True)


def _stopping(container: Container) -> Limit:
    """Return the limit of an action that also waits for a container's end, which may take as long as that may."""
    return Limit(size=ENGINE.size, seconds=ENGINE.seconds + container.stop_timeout_s)


def replace(link: Link, container: Container, store: StateStore, reads: str) -> None:
    """Put a new container in the place of the old: made beside it, so that a cut leaves what can be told apart."""
    beside = f"{container.name}-{digest.of_container(store.state.key, container)[:12]}"
    former = f"{container.name}-former"
    with link.docker(limit=_stopping(container)) as client, _engine_errors(container):
        discard(client, link, beside, store)
        discard(client, link, former, store)
        client.create_container_from_config(settings(container, store, reads), beside)
        client.update_container(container.name, restart_policy=NEVER)
        client.stop(container.name, timeout=container.stop_timeout_s)
        client.rename(container.name, former)
        client.rename(beside, container.name)
        client.start(container.name)
        client.remove_container(former, force=True, v=True)


def start(link: Link, container: Container) -> None:
    """Start a stopped container, and have it restart by itself again."""
    with link.docker() as client, _engine_errors(container):
        client.update_container(container.name, restart_policy=ALWAYS)
        found = Said(client.inspect_container(container.name), link.name, container.name)
        if found.table("State").text("Status") == "paused":
            client.unpause(container.name)
        else:
            client.start(container.name)


def restart(link: Link, container: Container) -> None:
    """Stop and start a container, so that it reads its files again."""
    with link.docker(limit=_stopping(container)) as client, _engine_errors(container):
        client.restart(container.name, timeout=container.stop_timeout_s)


def update(link: Link, container: Container) -> None:
    """Set the restart policy again; the container runs on."""
    with link.docker() as client, _engine_errors(container):
        client.update_container(container.name, restart_policy=ALWAYS)


def remove(link: Link, name: str) -> None:
    """Remove a container and its anonymous volumes; one that is gone is fine."""
    from docker.errors import NotFound

    with link.docker() as client, suppress(NotFound):
        client.remove_container(name, force=True, v=True)


def has_image(client: APIClient, image: str) -> bool:
    """Return whether the node holds an image of that name."""
    from docker.errors import ImageNotFound

    try:
        client.inspect_image(image)
    except ImageNotFound:
        return False
    return True


def pull(link: Link, image: str, registries: tuple[Registry, ...]) -> None:
    """Pull an image with the login of its registry; PartlyDone quotes what the registry says."""
    with link.docker(timeout_s=PULL_SILENCE_S, limit=PULL) as client:
        if has_image(client, image):
            return
        problem = _pulled(client, link.name, image, registries)
    if problem:
        hint = "check the name, private_registries in cluster.yml, and that the node reaches the registry"
        moved = "; the registry may hold another image under that tag by now" if reference(image).digest else ""
        raise PartlyDone(f"{link.name}: image {image} cannot be pulled: {problem}", hint=f"{hint}{moved}")


def _pulled(client: APIClient, node: str, image: str, registries: tuple[Registry, ...]) -> str:
    from docker.errors import APIError

    wanted = reference(image)
    named = {"fromImage": wanted.repository, "tag": wanted.digest or wanted.tag or "latest"}
    try:
        for step in steps(client, node, named, login(image, registries)):
            if problem := step.words("error", ""):
                return problem
    except APIError as error:
        return cut(str(error.explanation or error))
    except requests.RequestException as error:
        return f"no byte for {PULL_SILENCE_S:g} s, or the stream broke: {cut(str(error))}"
    if wanted.digest and not has_image(client, image):
        return f"what came is another image than {wanted.digest}"
    return ""


def login(image: str, registries: tuple[Registry, ...]) -> dict[str, str]:
    """Return the login of the registry with the longest address before the image's name; none is sent elsewhere."""
    fitting = [r for r in registries if r.user and r.password and image.startswith(f"{r.url}/")]
    if not fitting:
        return {}
    best = max(fitting, key=lambda registry: len(registry.url))
    return {"username": best.user, "password": best.password.reveal() if best.password else ""}


@contextmanager
def _engine_errors(container: Container) -> Iterator[None]:
    from docker.errors import APIError

    try:
        yield
    except APIError as error:
        raise PartlyDone(
            f"{container.key}: the Engine says: {cut(str(error.explanation or error))}",
            hint="repair it on the node, then run rkx again",
        ) from error
