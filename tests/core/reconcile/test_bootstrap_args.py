"""Arguments for a first start that a step decides: sent once, never compared, and of claimed containers alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.core.reconcile.conftest import Make
from tests.core.reconcile.small import Site, TinyService

import rkx
from rkx.errors import PluginFault, RkxError
from rkx.model.action import TakeStep
from rkx.reconcile.bootstrap_args import Bootstrap

STEP = rkx.step.Step(verb="join", subject="one", reason="it is new")


class Joining(TinyService):
    """Decides with which arguments a server begins."""

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[str, tuple[str, ...]] = {"server": ("--join", "--members=3")}
        self.claimed = "server"

    @rkx.hookimpl
    def rkx_updates(
        self, cluster: rkx.Cluster, changes: Sequence[rkx.action.ContainerAction]
    ) -> Sequence[rkx.NodeUpdate | rkx.RolloutGroup]:
        keys = tuple(a.key for a in changes if isinstance(a, rkx.action.CreateContainer) and a.key.name == self.claimed)
        updates = [rkx.NodeUpdate(group="g", node=key.node, pre_steps=(STEP,), keys=(key,)) for key in keys[:1]]
        return [rkx.RolloutGroup(name="g"), *updates]

    @rkx.hookimpl
    def rkx_step(self, step: rkx.step.Step, responses: rkx.step.Responses) -> rkx.step.Verdict:
        return rkx.step.Done(bootstrap_args=self.given)


@pytest.fixture
def joining(make: Make) -> tuple[Site, Joining]:
    site, service = make(), Joining()
    site.service = service
    return site, service


@pytest.mark.whole
def test_a_container_begins_with_what_the_step_decided(joining: tuple[Site, Joining]) -> None:
    site, _ = joining
    site.done()
    assert site.world.engines["one"].boxes["server"].config["Cmd"] == ["--serve", "--join", "--members=3"]
    assert site.planned() == []


@pytest.mark.whole
@pytest.mark.parametrize(
    ("claimed", "given", "why"),
    [
        ("server", "agent", "gives arguments to one container agent, which it is not before"),
        ("agent", "agent", "one container agent has no bootstrap_args that a step may replace"),
    ],
)
def test_what_no_step_may_decide_is_a_fault(joining: tuple[Site, Joining], claimed: str, given: str, why: str) -> None:
    site, service = joining
    service.claimed, service.given = claimed, {given: ("--join",)}
    error = site.up().error
    assert isinstance(error, RkxError)
    assert why in error.message


def test_a_step_after_the_changes_decides_nothing() -> None:
    key = rkx.ContainerKey("one", "server")
    decided = Bootstrap([rkx.NodeUpdate(group="g", node="one", keys=(key,), post_steps=(STEP,))])
    taken = TakeStep(node="one", group="g", step=STEP, reason="")
    with pytest.raises(PluginFault, match="is not before"):
        decided.note(taken, {"server": ("--join",)})
