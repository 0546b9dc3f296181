"""What a machine said when it was prepared is asked anew where it is why the machine is refused."""

from __future__ import annotations

import pytest
from tests.core.reconcile.small import Site, TinyService

import rkx
from rkx.errors import PreflightFailed

pytestmark = pytest.mark.whole


class Strict(TinyService):
    """Wants a setting of the kernel, once it is known."""

    @rkx.hookimpl
    def rkx_checks(self, cluster: rkx.Cluster, facts: rkx.Facts) -> list[rkx.Finding]:
        hosts = [(name, each.host) for name, each in facts.items() if each.host]
        bad = [name for name, host in hosts if host.sysctls["kernel.panic"] != "10"]
        return [rkx.Finding(node=name, check="kernel", message="kernel.panic is not 10") for name in bad]


@pytest.fixture
def refused(site: Site) -> Site:
    """Return a world where one machine was prepared, judged and refused."""
    site.service = Strict()
    site.world.machines["one"].sysctls["kernel.panic"] = "10"
    run = site.up()
    assert (run.exit_code, str(run.error)) == (6, "two: kernel.panic is not 10")
    assert site.world.engines["two"].boxes.keys() == {"rkx-node", "rkx-host"}
    site.world.revive()
    return site


def test_a_machine_that_was_mended_is_taken_by_the_next_run(refused: Site) -> None:
    refused.world.machines["two"].sysctls["kernel.panic"] = "10"
    refused.done()
    assert refused.planned() == []


def test_a_machine_that_was_not_mended_stays_refused(refused: Site) -> None:
    run = refused.up()
    assert (run.exit_code, str(run.error)) == (6, "two: kernel.panic is not 10")
    assert refused.world.engines["two"].boxes.keys() == {"rkx-node", "rkx-host"}
    assert "rkx-lock" not in refused.world.engines["one"].boxes


def test_a_plan_asks_no_machine_anew(refused: Site) -> None:
    refused.world.machines["two"].sysctls["kernel.panic"] = "10"
    with pytest.raises(PreflightFailed, match=r"two: kernel\.panic is not 10"):
        refused.plan()
    assert (refused.world.effects, refused.world.changes()) == ([], [])


class OfNobody(TinyService):
    """Refuses the cluster as a whole for what a host says."""

    @rkx.hookimpl
    def rkx_checks(self, cluster: rkx.Cluster, facts: rkx.Facts) -> list[rkx.Finding]:
        panics = {each.host.sysctls["kernel.panic"] for each in facts.values() if each.host}
        wrong = rkx.Finding(node="", check="kernel", message="kernel.panic differs")
        return [wrong] if len(panics) > 1 else []


def test_what_no_node_is_to_blame_for_is_asked_of_none(site: Site) -> None:
    site.service = OfNobody()
    site.world.machines["one"].sysctls["kernel.panic"] = "10"
    for _run in range(2):
        run = site.up()
        assert (run.exit_code, str(run.error)) == (6, "kernel.panic differs")
        site.world.revive()
