"""Images by digest: what is pulled, what counts as there, and what is no longer the image that was named."""

from __future__ import annotations

import pytest
from tests.core.reconcile.small import Site

from rkx.errors import ApplyFailed
from rkx.model.cluster import Cluster, PrivateRegistry
from rkx.model.image import Reference, listed, reference
from rkx.reconcile.containers import login
from rkx.secret import Secret

DIGEST = f"sha256:{'a1' * 32}"
PINNED = f"agent:1@{DIGEST}"
UNDER = f"agent@{DIGEST}"
PULLS = [("pull", f"{node} image {PINNED}", "not on the node") for node in ("one", "two")]


@pytest.fixture
def pinned(site: Site) -> Site:
    """Return a world whose cluster is up with an agent by digest."""
    site.service.image = PINNED
    site.done()
    site.world.revive()
    return site


@pytest.mark.whole
def test_an_image_with_a_digest_is_pulled_by_it_and_found_again(pinned: Site) -> None:
    engine = pinned.world.engines["two"]
    assert UNDER in engine.images
    assert engine.boxes["agent"].config["Image"] == PINNED
    assert pinned.planned() == []


@pytest.mark.whole
def test_an_image_that_is_there_by_its_digest_is_not_pulled(site: Site) -> None:
    site.service.image = PINNED
    for engine in site.world.engines.values():
        engine.images[UNDER] = "sha256:loaded"
    site.done()
    assert [effect for effect in site.world.effects if UNDER in effect] == []


@pytest.mark.whole
def test_a_digest_for_a_running_tag_replaces_the_container(running: Site) -> None:
    running.service.image = PINNED
    agents = [("replace", f"{node} container agent", "image changed from agent:1") for node in ("one", "two")]
    assert {*PULLS, *agents} <= {*running.planned()}
    running.done()
    assert running.planned() == []


def test_another_image_than_the_digest_says_is_refused_and_nothing_started(running: Site) -> None:
    running.service.image = PINNED
    for engine in running.world.engines.values():
        engine.sent[UNDER] = "agent:1"
    run = running.up()
    assert isinstance(run.error, ApplyFailed), run.error
    assert run.exit_code == 7
    assert f"two: image {PINNED} cannot be pulled: what came is another image than {DIGEST}" in run.error.message
    assert "the registry may hold another image under that tag by now" in run.error.hint
    assert all(engine.boxes["agent"].config["Image"] == "agent:1" for engine in running.world.engines.values())


@pytest.mark.whole
def test_a_container_of_another_image_than_the_pinned_one_is_replaced(pinned: Site) -> None:
    pinned.world.engines["two"].boxes["agent"].image_id = "sha256:of-another"
    assert pinned.planned() == [("replace", "two container agent", "set by hand: image")]
    pinned.done()
    assert pinned.planned() == []


def test_an_image_of_docker_hub_is_known_by_the_short_name_that_the_engine_gives_it(running: Site) -> None:
    running.service.image = "docker.io/library/proxy:3"
    for engine in running.world.engines.values():
        engine.images["proxy:3"] = "sha256:loaded"
    assert {verb for verb, _, _ in running.planned()} == {"replace"}


@pytest.mark.parametrize(
    ("image", "parts", "name"),
    [
        ("etcd", Reference(repository="etcd"), "etcd:latest"),
        ("r:5000/etcd", Reference(repository="r:5000/etcd"), "r:5000/etcd:latest"),
        ("r:5000/a/etcd:v3", Reference(repository="r:5000/a/etcd", tag="v3"), "r:5000/a/etcd:v3"),
        (
            f"r:5000/etcd:v3@{DIGEST}",
            Reference(repository="r:5000/etcd", tag="v3", digest=DIGEST),
            f"r:5000/etcd@{DIGEST}",
        ),
        (
            f"docker.io/rkx/etcd@{DIGEST}",
            Reference(repository="docker.io/rkx/etcd", digest=DIGEST),
            f"rkx/etcd@{DIGEST}",
        ),
        ("docker.io/library/haproxy:3", Reference(repository="docker.io/library/haproxy", tag="3"), "haproxy:3"),
        (
            "docker.io.example/etcd:3",
            Reference(repository="docker.io.example/etcd", tag="3"),
            "docker.io.example/etcd:3",
        ),
    ],
)
def test_names_are_taken_apart_and_listed_as_an_engine_does(image: str, parts: Reference, name: str) -> None:
    assert (reference(image), listed(image)) == (parts, name)


def test_a_default_image_keeps_its_digest_behind_the_default_registry() -> None:
    registry = PrivateRegistry(url="r:5000", is_default=True)
    cluster = Cluster(name="c", nodes=(), kubernetes_version="v1.34.4", registries=(registry,))
    assert cluster.image("etcd", f"rkx/etcd:v3@{DIGEST}") == f"r:5000/rkx/etcd:v3@{DIGEST}"


def test_a_pinned_image_is_pulled_with_the_login_of_its_registry() -> None:
    registry = PrivateRegistry(url="r:5000", user="puller", password=Secret("word"))
    assert login(f"r:5000/etcd:v3@{DIGEST}", (registry,)) == {"username": "puller", "password": "word"}
