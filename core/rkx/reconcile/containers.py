"""Carry out what a plan says about containers; each call may be repeated after it was cut anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rkx.errors import PartlyDone, PlanStale
from rkx.lines import cut
from rkx.model.cluster import PrivateRegistry
from rkx.model.image import reference
from rkx.model.resource import Container
from rkx.reconcile import digest
from rkx.reconcile.bounds import ENGINE, PULL, Limit
from rkx.reconcile.create_body import create_body
from rkx.reconcile.engine import Engine, EngineRefused
from rkx.reconcile.link import Link
from rkx.reconcile.state_store import StateStore

ALWAYS = {"Name": "always", "MaximumRetryCount": 0}
NEVER = {"Name": "no", "MaximumRetryCount": 0}
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
    with link.docker() as engine:
        discard(engine, container.name, store)
        with _engine_errors(container):
            engine.create(settings(container, store, reads), container.name)
            engine.start(container.name)


def discard(engine: Engine, name: str, store: StateStore) -> None:
    """Remove a container that an interrupted run left; PlanStale for one that is not ours."""
    found = engine.find(name)
    if found is None:
        return
    if found.table("Config").labels("Labels").get("rkx.cluster") != store.state.cluster_id:
        raise PlanStale(
            f"{engine.node}: a container {name!r} that is not ours appeared", hint="remove it, then run rkx again"
        )
    engine.remove(name, volumes=True, missing_ok=True)


def _stopping(container: Container) -> Limit:
    """Return the limit of an action that also waits for a container's end, which may take as long as that may."""
    return Limit(size=ENGINE.size, seconds=ENGINE.seconds + container.stop_timeout_s)


def replace(link: Link, container: Container, store: StateStore, reads: str) -> None:
    """Put a new container in the place of the old: made beside it, so that a cut leaves what can be told apart."""
    beside = f"{container.name}-{digest.of_container(store.state.key, container)[:12]}"
    former = f"{container.name}-former"
    with link.docker(limit=_stopping(container)) as engine, _engine_errors(container):
        discard(engine, beside, store)
        discard(engine, former, store)
        engine.create(settings(container, store, reads), beside)
        engine.set_restart(container.name, "no")
        engine.stop(container.name, container.stop_timeout_s)
        engine.rename(container.name, former)
        engine.rename(beside, container.name)
        engine.start(container.name)
        engine.remove(former, volumes=True)


def start(link: Link, container: Container) -> None:
    """Start a stopped container, and have it restart by itself again."""
    with link.docker() as engine, _engine_errors(container):
        engine.set_restart(container.name, "always")
        found = engine.inspect(container.name)
        if found.table("State").text("Status") == "paused":
            engine.unpause(container.name)
        else:
            engine.start(container.name)


def restart(link: Link, container: Container) -> None:
    """Stop and start a container, so that it reads its files again."""
    with link.docker(limit=_stopping(container)) as engine, _engine_errors(container):
        engine.restart(container.name, container.stop_timeout_s)


def update(link: Link, container: Container) -> None:
    """Set the restart policy again; the container runs on."""
    with link.docker() as engine, _engine_errors(container):
        engine.set_restart(container.name, "always")


def remove(link: Link, name: str) -> None:
    """Remove a container and its anonymous volumes; one that is gone is fine."""
    with link.docker() as engine:
        engine.remove(name, volumes=True, missing_ok=True)


def pull(link: Link, image: str, registries: tuple[PrivateRegistry, ...]) -> None:
    """Pull an image with the login of its registry; PartlyDone quotes what the registry says."""
    with link.docker(timeout_s=PULL_SILENCE_S, limit=PULL) as engine:
        if engine.has_image(image):
            return
        problem = _pulled(engine, image, registries)
    if problem:
        hint = "check the name, private_registries in cluster.yml, and that the node reaches the registry"
        moved = "; the registry may hold another image under that tag by now" if reference(image).digest else ""
        raise PartlyDone(f"{link.name}: image {image} cannot be pulled: {problem}", hint=f"{hint}{moved}")


def _pulled(engine: Engine, image: str, registries: tuple[PrivateRegistry, ...]) -> str:
    wanted = reference(image)
    named = {"fromImage": wanted.repository, "tag": wanted.digest or wanted.tag or "latest"}
    try:
        for step in engine.pull(named, login(image, registries)):
            if problem := step.words("error", ""):
                return problem
    except EngineRefused as error:
        return error.words
    except OSError as error:
        return f"no byte for {PULL_SILENCE_S:g} s, or the stream broke: {cut(str(error))}"
    if wanted.digest and not engine.has_image(image):
        return f"what came is another image than {wanted.digest}"
    return ""


def login(image: str, registries: tuple[PrivateRegistry, ...]) -> dict[str, str]:
    """Return the login of the registry with the longest address before the image's name; none is sent elsewhere."""
    fitting = [r for r in registries if r.user and r.password and image.startswith(f"{r.url}/")]
    if not fitting:
        return {}
    best = max(fitting, key=lambda registry: len(registry.url))
    return {"username": best.user, "password": best.password.reveal() if best.password else ""}


@contextmanager
def _engine_errors(container: Container) -> Iterator[None]:
    try:
        yield
    except EngineRefused as error:
        raise PartlyDone(
            f"{container.key}: the Engine says: {error.words}",
            hint="repair it on the node, then run rkx again",
        ) from error
