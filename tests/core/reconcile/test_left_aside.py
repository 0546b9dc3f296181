"""A node whose Engine is of no use can be left aside, whatever makes it so; all the rest is done."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.core.reconcile.conftest import Make
from tests.core.reconcile.small import Site, TinyService

import rkx
from rkx.errors import BadAnswer, PartlyDone, TransportError
from rkx.testing.container import Box
from rkx.testing.wire import Request, Response

pytestmark = pytest.mark.whole

LOOKED_AT = ["/_ping", "/info", "/containers/json", "/images/json", "/json", "/archive"]


@pytest.mark.parametrize("status", [400, 403, 500])
@pytest.mark.parametrize("end", LOOKED_AT)
def test_an_engine_that_refuses_to_be_looked_at(running: Site, end: str, status: int) -> None:
    engine = running.world.engines["two"]
    plain = engine.answer

    def answer(request: Request) -> Response:
        if request.method == "GET" and request.path.endswith(end):
            return Response(status=status, body=b'{"message": "an odd disk"}')
        return plain(request)

    engine.answer = answer  # type: ignore[method-assign]
    running.service.flag = "--level=2"
    with pytest.raises(TransportError, match=r"\btwo: ") as found:
        running.plan()
    assert (found.value.node, found.value.exit_code) == ("two", 4)
    with pytest.raises(PartlyDone, match=r"not reached: two; all the rest is done; two: .*(an odd disk|/_ping)"):
        running.up("two").wait()
    done = {(event.node, event.verb) for event in running.events if hasattr(event, "verb")}
    assert ("one", "replace") in done


class Minding(TinyService):
    """Notes what is shown to those who plan updates."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: set[str] = set()

    @rkx.hookimpl
    def rkx_updates(
        self,
        cluster: rkx.Cluster,
        applied: Sequence[rkx.Key],
        changes: Sequence[rkx.action.Action],
        responses: rkx.step.Responses,
    ) -> Sequence[rkx.NodeUpdate | rkx.RolloutGroup]:
        self.shown |= {str(key) for key in applied} | {str(action.key) for action in changes}
        return []


def test_a_container_that_nobody_put_on_a_node_is_no_reason_for_an_update(make: Make) -> None:
    site = make()
    service = Minding()
    site.service = service
    site.done()
    service.shown.clear()
    labels = {"rkx.cluster": site.state.cluster_id}
    site.world.engines["two"].boxes["server"] = Box(name="server", config={"Image": "x", "Labels": labels})
    service.flag = "--level=2"
    assert ("remove", "two container server", "no longer wanted") in site.planned()
    assert service.shown == {"one container server", "one container agent", "two container agent"}


@pytest.mark.parametrize(("where", "words"), [("facts", "at most"), ("id", "no id where ID is expected")])
def test_what_a_node_says_of_itself_is_not_kept_whatever_its_size(make: Make, where: str, words: str) -> None:
    site = make()
    if where == "id":
        site.world.engines["two"].id = "x" * 300
    else:
        site.world.machines["two"].sysctls = {"vm.overcommit_memory": "1" * (1 << 18)}
    error = site.up().error
    assert error is not None
    assert "two: " in error.message
    assert words in error.message
    with pytest.raises(PartlyDone, match=f"not reached: two; all the rest is done; two: .*{words}"):
        site.up("two").wait()
    assert site.world.engines["one"].running("agent")
    assert (site.folder / "cluster.rkxstate").stat().st_size < 1 << 18


def test_a_lock_on_a_node_that_keeps_none_holds_up_nobody_and_goes(running: Site) -> None:
    labels = {"rkx.cluster": running.state.cluster_id, "rkx.run": "stranger", "rkx.number": "999999999999999"}
    running.world.engines["two"].boxes["rkx-lock"] = Box(name="rkx-lock", config={"Image": "x", "Labels": labels})
    assert running.planned() == [("remove", "two container rkx-lock", "no longer wanted")]
    running.done()
    assert running.planned() == []
    assert running.state.generation < 1000


def test_a_node_that_shows_hundreds_of_this_clusters_containers(running: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rkx.reconcile.observe.MOST_OURS", 8)
    config = {"Image": "agent:1", "Labels": {"rkx.cluster": running.state.cluster_id}}
    boxes = running.world.engines["two"].boxes
    boxes.update({f"s{number}": Box(name=f"s{number}", config=config) for number in range(9 - len(boxes))})
    with pytest.raises(BadAnswer, match=r"two: it shows 9 containers .* 8 is the most") as found:
        running.plan()
    assert "--allow-unreachable NODE" in found.value.hint
    running.service.flag = "--level=2"
    assert isinstance(running.up("two").error, PartlyDone)
    assert ("one", "replace") in {(event.node, event.verb) for event in running.events if hasattr(event, "verb")}
    del boxes["s0"]
    assert ("remove", "two container s1", "no longer wanted") in running.planned()
