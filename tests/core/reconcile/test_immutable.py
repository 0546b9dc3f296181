"""What a cluster is born with stays: a change of it is refused with what to do, and nothing is touched."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.core.reconcile.small import Site, TinyNetwork

from rkx import api
from rkx.errors import Refused
from rkx.reconcile.state_file import StateFile
from rkx.testing import FakeTransport
from rkx.testing.wire import Request, Response, error


def refused(site: Site) -> Refused:
    """Return what a run is refused with; it must have changed neither a node nor the state."""
    was, before = site.state, site.world.snapshot()
    site.world.revive()
    run = site.up()
    assert isinstance(run.error, Refused), run.error
    assert (run.exit_code, site.world.effects, site.world.changes()) == (8, [], [])
    assert (site.state, site.world.snapshot()) == (was, before)
    return run.error


def say(site: Site, text: str) -> None:
    """Add a line to cluster.yml."""
    site.write(site.names)
    with site.file.open("a") as file:
        file.write(text)


@pytest.mark.parametrize(
    ("text", "what", "was"),
    [
        ("services: {kube-controller: {cluster_cidr: 10.44.0.0/16}}\n", "the range of pods", "10.42.0.0/16"),
        ("services: {kube-api: {service_cluster_ip_range: 10.45.0.0/16}}\n", "the range of services", "10.43.0.0/16"),
        ("services: {kubelet: {cluster_domain: other.test}}\n", "the DNS domain", "cluster.local"),
    ],
    ids=["pods", "services", "domain"],
)
def test_ranges_and_domain_are_fixed(running: Site, text: str, what: str, was: str) -> None:
    say(running, text)
    error = refused(running)
    assert f"{what} is " in error.message
    assert f"the cluster was made with '{was}'" in error.message
    assert error.hint == f"write '{was}'; this value cannot change in a running cluster"


class OtherNetwork(TinyNetwork):
    """The same under another name."""

    name = "other"


def test_the_network_is_not_exchanged(running: Site) -> None:
    running.file.write_text(running.file.read_text().replace("plugin: flannel", "plugin: other"))
    plugins = (FakeTransport(running.world), running.service, OtherNetwork())
    running.project = api.load(running.file, plugins=plugins)
    error = refused(running)
    assert "the network is 'other', but the cluster was made with 'flannel'" in error.message
    assert "remove the cluster and recreate it" in error.hint


@pytest.mark.parametrize(
    ("was", "message", "hint"),
    [
        ("v1.99.0", "but the cluster runs v1.99.0", "cannot go back to a lower version"),
        ("v{major}.{minor}.99", "but the cluster runs v1.", "cannot go back to a lower version"),
        ("v{major}.{below_last}.5", "skips a minor after v1.", "one minor at a time"),
        ("v{major}.{last}.5", "but the cluster runs v1.", "not supported yet; write v1."),
    ],
    ids=["lower minor", "lower patch", "skipped minor", "next minor"],
)
def test_a_version_that_cannot_follow_is_refused(running: Site, was: str, message: str, hint: str) -> None:
    wanted = running.project.cluster.kubernetes_version
    major, minor, _patch = wanted.removeprefix("v").split(".")
    runs = was.format(major=major, minor=minor, last=int(minor) - 1, below_last=int(minor) - 2)
    immutable = {**running.state.immutable, "kubernetes_version": runs}
    StateFile(running.file.with_suffix(".rkxstate")).save(replace(running.state, immutable=immutable))
    error = refused(running)
    assert f"kubernetes_version: {wanted}" in error.message
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize("allowed", [True, False])
def test_a_worker_that_fails_from_the_first_run_on_keeps_no_guard_of_the_version_away(
    site: Site, *, allowed: bool
) -> None:
    engine = site.world.engines["two"]
    plain = engine.answer

    def answer(request: Request) -> Response:
        return error(500, "no") if request.path.endswith("/containers/agent/start") else plain(request)

    engine.answer = answer  # type: ignore[method-assign]
    assert site.up(*(["two"] if allowed else [])).exit_code == 7
    assert site.world.engines["one"].running("server")
    say(site, "kubernetes_version: v1.36.4\nimage_layout: public\n")
    assert "skips a minor after v1." in refused(site).message


def test_the_address_of_an_etcd_member_is_fixed(running: Site) -> None:
    running.file.write_text(
        running.file.read_text().replace("192.0.2.1,", "192.0.2.1, internal_address: 198.51.100.1,")
    )
    running.__dict__.pop("project")
    was = running.state
    run = running.up()
    assert isinstance(run.error, Refused), run.error
    assert "one: 198.51.100.1, not 192.0.2.1" in run.error.message
    assert "write the former one as internal_address" in run.error.hint
    assert (running.state, running.world.effects) == (was, [])


@pytest.mark.whole
def test_the_address_of_a_worker_may_change(running: Site) -> None:
    running.file.write_text(
        running.file.read_text().replace("192.0.2.2,", "192.0.2.2, internal_address: 198.51.100.2,")
    )
    running.__dict__.pop("project")
    assert running.up().exit_code == 0


@pytest.mark.whole
def test_the_control_plane_is_not_taken_from_a_node_unasked(site: Site) -> None:
    text = site.file.read_text()
    site.file.write_text(text.replace("role: [worker]", "role: [controlplane, worker]"))
    site.done()
    site.file.write_text(text)
    site.__dict__.pop("project")
    run = site.up()
    assert run.exit_code == 8
    assert "take the control plane from two" in str(run.error)


def test_another_cluster_name_is_told_at_once(running: Site) -> None:
    say(running, "cluster_name: another\n")
    assert [f.message for f in running.plan().findings] == ["cluster_name is 'another', and the state is of 'local'"]
