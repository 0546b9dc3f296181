"""The conformance kit's laws of transports, each broken by one that its law must find."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
from tests.contract.kit import laws

import rkx
from rkx.testing import Request, Response
from rkx.testing.conformance import test_transport
from rkx.testing.conformance.subject import Subject, given
from rkx.testing.wire import HangUp, serve
from rkx.testing.world import NoOptions


class Way:
    """A way to an Engine that answers in this process."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0
        self.streams: list[socket.socket] = []

    def engine(self) -> socket.socket:
        if self.closed:
            raise rkx.errors.ConnectFailed("the connection is closed")
        self.opened += 1
        self.streams.append(serve("tried", self.answer))
        return self.streams[-1]

    def answer(self, request: Request) -> Response:
        return Response(body=b"OK")

    def dial(self, address: str, *, timeout_s: float) -> socket.socket:
        raise rkx.errors.StreamRefused(f"nothing listens on {address}")

    def close(self) -> None:
        self.closed += 1


class Hurried(Way):
    def engine(self) -> socket.socket:
        stream = super().engine()
        stream.settimeout(5)
        return stream


class Cut(Way):
    def answer(self, request: Request) -> Response:
        raise HangUp


class Narrow(Way):
    def engine(self) -> socket.socket:
        if self.opened == 10:
            raise rkx.errors.StreamRefused("ten streams are open")
        return super().engine()


class Jealous(Way):
    """Has one stream, that all owners get."""

    def engine(self) -> socket.socket:
        return self.streams[0] if self.streams else super().engine()


class Optimist(Way):
    def dial(self, address: str, *, timeout_s: float) -> socket.socket:
        return self.engine()


class Brusque(Way):
    def close(self) -> None:
        if self.closed:
            raise OSError("closed already")
        super().close()


class Undead(Way):
    def close(self) -> None:
        """Forget to close."""


class Made(rkx.TransportPlugin[NoOptions]):
    name = "made"
    Config = NoOptions
    way: type[Way] = Way

    @rkx.hookimpl
    def rkx_open_transport(self, node: rkx.Node, prompt: rkx.transport.Prompt | None) -> rkx.transport.Transport:
        way = self.way()
        self.opened = [*getattr(self, "opened", ()), way]
        return way


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Iterator[Subject]:
    kind: type[Made] = type("Made", (Made,), {"way": request.param})
    subject = given(kind(NoOptions()), address="192.0.2.1")
    yield subject
    for way in getattr(subject.chosen.plugin, "opened", ()):
        for stream in way.streams:
            stream.close()


def keep(law: str, subject: Subject) -> None:
    found = {each.__name__: each for each in laws(test_transport)}[law]
    with contextlib.ExitStack() as stack:
        known: dict[str, object] = {"subject": subject}
        if "way" in found.__annotations__:
            known["way"] = test_transport.opened(subject)
            stack.callback(known["way"].close)  # type: ignore[attr-defined] # a transport
        found(**{name: value for name, value in known.items() if name in found.__annotations__})


@pytest.mark.parametrize("tried", [Way], indirect=True)
@pytest.mark.parametrize("law", [each.__name__ for each in laws(test_transport)])
def test_a_good_way_keeps_every_law(law: str, tried: Subject) -> None:
    keep(law, tried)


@pytest.mark.parametrize(
    ("tried", "law"),
    [
        (Hurried, "test_the_engine_is_a_plain_blocking_socket"),
        (Cut, "test_bytes_go_both_ways_and_end"),
        (Narrow, "test_many_streams_at_once_from_any_thread"),
        (Jealous, "test_a_stream_that_is_closed_leaves_the_others"),
        (Optimist, "test_dialling_nobody_is_refused_in_time"),
        (Brusque, "test_closing_twice_is_fine_and_ends_it"),
        (Undead, "test_closing_twice_is_fine_and_ends_it"),
    ],
    indirect=["tried"],
)
def test_what_breaks_a_law_of_transports_is_found(law: str, tried: Subject) -> None:
    with pytest.raises((AssertionError, OSError, rkx.RkxError, pytest.fail.Exception)):
        keep(law, tried)
