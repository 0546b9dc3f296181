"""A node whose Engine is of no use can be left aside, whatever makes it so; all the rest is done."""

from __future__ import annotations

import pytest
from tests.core.engine.small import Site

from rkx.errors import PartlyDone, TransportError
from rkx.testing.docker import Box
from rkx.testing.wire import Request, Response

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
    with pytest.raises(PartlyDone, match="not reached: two"):
        running.up("two").wait()
    done = {(event.node, event.verb) for event in running.events if hasattr(event, "verb")}
    assert ("one", "replace") in done


def test_a_lock_on_a_node_that_keeps_none_holds_up_nobody_and_goes(running: Site) -> None:
    labels = {"rkx.cluster": running.state.cluster_id, "rkx.run": "stranger", "rkx.number": "999999999999999"}
    running.world.engines["two"].boxes["rkx-lock"] = Box(name="rkx-lock", config={"Image": "x", "Labels": labels})
    assert running.planned() == [("remove", "two container rkx-lock", "no longer wanted")]
    running.done()
    assert running.planned() == []
    assert running.state.generation < 1000
