"""Laws for ways to a node, tried on a machine with a Docker Engine."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from rkx.errors import StreamRefused, TransportError
from rkx.model.node import Node
from rkx.testing.conformance.subject import Subject
from rkx.transport import DialForbidden, Dials, Transport

STAGES = ("transport",)
MANY = 20
LIMIT_S = 10.0
NOBODY = "unix:/nobody/listens/here.sock"


@pytest.fixture
def way(subject: Subject) -> Iterator[Transport]:
    """Connect to the machine."""
    transport = opened(subject)
    yield transport
    transport.close()


def opened(subject: Subject) -> Transport:
    """Connect to the machine, without a terminal to ask on."""
    ref = subject.chosen.ref
    node = Node(
        name="tried",
        address=subject.address,
        internal_address=subject.address,
        roles=frozenset({"worker"}),
        transport=ref.name,
        transport_options=ref.options,
    )
    return subject.plugins.open_transport(subject.chosen, node, None)


def ping(stream: socket.socket) -> bytes:
    """Ask the Engine whether it is there; gives all of its answer."""
    stream.settimeout(LIMIT_S)
    stream.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
    pieces = list(iter(lambda: stream.recv(4096), b""))
    return b"".join(pieces)


def test_the_engine_is_a_plain_blocking_socket(way: Transport) -> None:
    """What comes is a real socket, since TLS and docker's client take no other; it waits, as sockets do."""
    with closing(way.engine()) as stream:
        assert isinstance(stream, socket.socket)
        assert stream.type == socket.SOCK_STREAM
        assert stream.gettimeout() is None
        assert stream.fileno() >= 0


def test_bytes_go_both_ways_and_end(way: Transport) -> None:
    """A question reaches the Engine, its answer comes back, and so does the end of it."""
    with closing(way.engine()) as stream:
        answer = ping(stream)
    assert answer.startswith(b"HTTP/1.")
    assert answer.endswith(b"OK")


def test_many_streams_at_once_from_any_thread(way: Transport) -> None:
    """Streams do not wait for each other: all are open before the first is used, and each is its owner's."""
    with ThreadPoolExecutor(MANY) as pool:
        streams = list(pool.map(lambda _: way.engine(), range(MANY)))
        answers = list(pool.map(ping, streams))
    for stream in streams:
        stream.close()
    assert all(answer.endswith(b"OK") for answer in answers)


def test_a_stream_that_is_closed_leaves_the_others(way: Transport) -> None:
    """The owner of a stream ends that one alone."""
    way.engine().close()
    with closing(way.engine()) as stream:
        assert ping(stream).endswith(b"OK")


def test_dialling_nobody_is_refused_in_time(subject: Subject, way: Transport) -> None:
    """Where nothing listens, StreamRefused says so, or DialForbidden where the machine forwards nothing."""
    if not isinstance(way, Dials):
        return
    started = time.monotonic()
    with pytest.raises((StreamRefused, DialForbidden)):
        way.dial(NOBODY, timeout_s=LIMIT_S)
    assert time.monotonic() - started < LIMIT_S + 1


def test_closing_twice_is_fine_and_ends_it(subject: Subject) -> None:
    """``close`` may be called again, and no stream opens after it: a TransportError says so."""
    transport = opened(subject)
    transport.close()
    transport.close()
    with pytest.raises(TransportError):
        transport.engine()
