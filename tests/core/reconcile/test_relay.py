"""A stream through rkx-node: what an Engine answers before it is bounded, and what it carries then is not."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pytest
from tests.core.reconcile.test_bounds import Answering

from rkx.errors import StreamRefused
from rkx.reconcile import relay
from rkx.reconcile.bounds import Limit
from rkx.reconcile.link import Link
from rkx.reconcile.relay import Relays
from rkx.testing.wire import Application, Request, Response, as_json

SHORT = Limit(size=4096, seconds=0.3)


def answering(attach: Application) -> Link:
    """Reach an Engine that forbids to forward, and answers the attach of a relay so."""

    def answer(request: Request) -> Response:
        path = re.sub(r"^/v[\d.]+", "", request.path)
        if path.endswith("/attach"):
            return attach(request)
        if path == "/containers/rkx-host/json":
            return as_json({"Image": "sha256:1", "Config": {"Labels": {"rkx.cluster": "c"}}})
        return as_json({"Id": "made"}, 201) if path == "/containers/create" else Response(status=204)

    return Link("one", Answering(answer), Relays())


class Dripping(dict[str, str]):
    """Headers that come one by one, and more slowly than anybody waits."""

    def items(self) -> Iterator[tuple[str, str]]:  # type: ignore[override] # one by one
        for number in range(90):
            time.sleep(0.1)  # one that drips is what is tested
            yield f"X-{number}", "y"


def silent(_request: Request) -> Response:
    time.sleep(1)  # that nothing comes is what is tested
    return Response()


def without_end() -> Iterator[bytes]:
    while True:
        yield b"x" * 512


@pytest.mark.parametrize(
    ("attach", "why"),
    [
        (lambda _: Response(headers=Dripping()), "takes longer than 0.3 s"),
        (lambda _: Response(status=500, pieces=without_end()), "is larger than"),
        (lambda _: Response(headers={f"X-{number}": "x" * 100 for number in range(80)}), "is larger than"),
        (silent, "stream broke|takes longer"),
    ],
)
def test_an_engine_that_never_ends_its_answer_to_an_attach_is_left(
    attach: Callable[[Request], Response], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "ATTACHED", SHORT)
    began = time.monotonic()
    with pytest.raises(StreamRefused, match=why) as found:
        answering(attach).dial("tcp:127.0.0.1:1")
    assert (found.value.node, time.monotonic() - began < 3) == ("one", True)


def test_what_an_attached_stream_carries_may_be_long_and_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "ATTACHED", SHORT)

    def say(given: BinaryIO, said: BinaryIO) -> None:
        given.read(1)
        said.write(b"\x01\0\0\0\0\0\x20\0" + b"y" * 8192)

    with answering(lambda _: Response(upgrade=say)).dial("tcp:127.0.0.1:1") as stream:
        time.sleep(2 * SHORT.seconds)  # that its time has run out is what is tested
        stream.sendall(b"x")
        found = b""
        while piece := stream.recv(1 << 16):
            found += piece
    assert found == b"y" * 8192
