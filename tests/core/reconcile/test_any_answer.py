"""Whatever one node's Engine, or its API server, answers: a plan ends soon, and says which node it was."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.core.reconcile.conftest import Make
from tests.core.reconcile.small import Site

from rkx.errors import RkxError
from rkx.reconcile.bounds import Limit
from rkx.testing.wire import Application, HangUp, Request, Response

ODD = st.recursive(
    st.sampled_from([None, True, 0, -1, 1 << 70, 1.5, "", "/", "\x1b[2J", "\ud800", "0001-01-01", "9999-99-99T"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["", "Id", "name"]), inner, max_size=2),
    max_leaves=4,
)
FEW = settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
Change = Callable[[Response], Response]


@st.composite
def bent(draw: st.DrawFn) -> Change:
    """Draw a change of an answer: one value anywhere in it becomes another or goes, or it is cut, or all is odd."""
    numbers, value = draw(st.lists(st.integers(0, 999), min_size=1, max_size=8)), draw(ODD)
    how = draw(st.sampled_from(["bend", "bend", "bend", "drop", "cut", "whole"]))

    def change(response: Response) -> Response:
        if how == "cut":
            return replace(response, body=response.body[: len(response.body) * (numbers[0] % 100) // 100])
        if how == "whole":
            return replace(response, body=json.dumps(value).encode())
        try:
            whole = json.loads(response.body)
        except ValueError:
            return replace(response, body=bytes(number % 256 for number in numbers) + response.body)
        return replace(response, body=json.dumps(_bent(whole, numbers, value, drop=how == "drop")).encode())

    return change


def _bent(whole: Any, numbers: list[int], value: object, *, drop: bool) -> Any:  # noqa: ANN401 - JSON
    whole = inner = copy.deepcopy(whole)
    holder: Any = None
    key: Any = None
    for number in numbers:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner))) if isinstance(inner, list) else []
        if not keys:
            break
        holder, key = inner, keys[number % len(keys)]
        inner = holder[key]
    if holder is None:
        return value
    if drop:
        del holder[key]
    else:
        holder[key] = value
    return whole


def _asked(site: Site, of: str) -> list[str]:
    site.world.requests.clear()
    site.plan()
    return sorted({request.path for request in site.world.requests if request.to == of})


def _through(application: Application, path: str, change: Change) -> Application:
    def answer(request: Request) -> Response:
        response = application(request)
        return change(response) if request.path == path and request.method == "GET" else response

    return answer


def _ends(site: Site, *names: str) -> None:
    began = time.monotonic()
    found = _outcome(site)
    assert found is None or found.exit_code != RkxError.exit_code, found
    assert found is None or any(name in found.message for name in names), found.message
    assert found is None or len(found.message) < 10_000
    assert time.monotonic() - began < 30


def _outcome(site: Site) -> RkxError | None:
    try:
        site.plan()
    except RkxError as error:
        return error
    return None


@pytest.mark.whole
@pytest.mark.parametrize("lost", [False, True], ids=["", "the state is lost"])
def test_an_engine_may_answer_what_it_likes(running: Site, *, lost: bool) -> None:
    if lost:  # and is looked for in what the Engine shows
        for file in running.folder.glob("*.rkxstate*"):
            file.unlink()
    engine = running.world.engines["one"]
    plain = engine.answer

    @FEW
    @given(st.sampled_from(_asked(running, "one")), bent())
    def law(path: str, change: Change) -> None:
        engine.answer = _through(plain, path, change)  # type: ignore[assignment, method-assign]
        _ends(running, "one")

    law()


@pytest.mark.whole
def test_an_api_server_may_answer_what_it_likes(running: Site) -> None:
    [server] = running.world.servers

    @FEW
    @given(st.sampled_from(_asked(running, "one tcp:127.0.0.1:6443")), bent())
    def law(path: str, change: Change) -> None:
        application = _through(running.world.kube.answer, path, change)
        running.world.servers = [replace(server, application=application)]
        _ends(running, "one", "API server", "v1")

    law()


def _endless(_response: Response) -> Response:
    def pieces() -> Iterator[bytes]:
        while True:
            yield b"[" * (1 << 12)

    return Response(pieces=pieces())


def _too_long(response: Response) -> Response:
    return replace(response, headers={**response.headers, "Content-Length": "99999999999"})


def _gone(_response: Response) -> Response:
    raise HangUp


def _silent(_response: Response) -> Response:
    time.sleep(0.5)  # an Engine that says nothing for longer than it is waited for
    raise HangUp


@pytest.mark.whole
@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/info", _too_long),
        ("/info", _gone),
        ("/info", _silent),
        ("/containers/rkx-node/archive", _endless),
        ("/containers/rkx-node/archive", _too_long),
    ],
)
def test_an_engine_may_go_on_for_ever(make: Make, path: str, change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make("one")
    site.done()
    monkeypatch.setattr("rkx.reconcile.link.ENGINE", Limit(size=1 << 20, seconds=0.3))
    engine = site.world.engines["one"]
    engine.answer = _through(engine.answer, path, change)  # type: ignore[assignment, method-assign]
    with pytest.raises(RkxError, match="one") as found:
        site.plan()
    assert found.value.exit_code == 4
