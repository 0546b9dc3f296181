"""Answers have a limit of size and one of time over all, whoever gives them; and they lead nowhere else."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar

import pytest
import requests
from tests.core.reconcile.conftest import Clock

from rkx.errors import BadAnswer, PartlyDone, RkxError
from rkx.reconcile import archives, bounds
from rkx.reconcile.bounds import Limit
from rkx.reconcile.engine import Engine
from rkx.reconcile.engine_api import look
from rkx.reconcile.frames import frames
from rkx.reconcile.link import Link
from rkx.reconcile.probe import last_lines
from rkx.reconcile.sessions import Session, session
from rkx.reconcile.state_copies import read_copy
from rkx.testing.wire import Application, Request, Response, as_json, serve

SMALL = Limit(size=4096, seconds=30)
SHORT = Limit(size=4096, seconds=0.2)


class Answering:
    """A way to an Engine that answers as told, and tells its version."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def engine(self) -> socket.socket:
        return serve("one", self._answer)

    def _answer(self, request: Request) -> Response:
        if request.path == "/_ping":
            return Response(body=b"OK", headers={"Api-Version": "1.41"})
        return self._application(request)

    def close(self) -> None:
        """Leave it."""


def link(application: Application) -> Link:
    return Link("one", Answering(application))


def asking(application: Application, limit: Limit = SMALL) -> Session:
    return session(lambda: serve("one", application), "one", timeout_s=min(20, limit.seconds), limit=limit)


def without_end(piece: bytes, pause_s: float = 0.0) -> Callable[[Request], Response]:
    def pieces() -> Iterator[bytes]:
        while True:
            yield piece
            time.sleep(pause_s)  # one that drips is what is tested

    return lambda request: Response(pieces=pieces())


@pytest.mark.parametrize(
    ("application", "why"),
    [
        (without_end(b"x" * 512), "is larger than"),
        (without_end(b"x", 0.02), "takes longer than"),
        (lambda request: Response(body=b"x" * 5000), "is larger than"),
        (lambda request: Response(headers={f"X-{number}": "x" * 100 for number in range(80)}), "is larger than"),
    ],
    ids=["endless", "slow", "large", "headers"],
)
def test_an_answer_has_a_limit_of_size_and_of_time(application: Application, why: str) -> None:
    began = time.monotonic()
    limit = SHORT if why.startswith("takes") else SMALL
    with (
        asking(application, limit) as engine,
        pytest.raises(BadAnswer, match=f"one: GET /info: the answer {why}") as found,
    ):
        engine.get("/info")
    assert time.monotonic() - began < 10
    assert (found.value.node, found.value.exit_code) == ("one", 4)


def test_a_request_that_waits_long_itself_may_be_answered_late() -> None:
    def later(_request: Request) -> Response:
        time.sleep(0.3)  # longer than the limit, shorter than the request waits
        return as_json({})

    with asking(later, SHORT) as engine:
        assert engine.get("/wait", timeout_s=5).content == b"{}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("client", ["look", "docker"])
def test_no_redirect_is_followed(status: int, client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(socket, "create_connection", lambda *_a, **_k: asked.append("elsewhere"))

    def answer(request: Request) -> Response:
        asked.append(request.path)
        return Response(status=status, headers={"Location": "https://127.0.0.1:1/elsewhere"})

    with pytest.raises(BadAnswer, match=f"one: GET .*: the answer \\({status}\\) is a redirect"):
        _info(link(answer), client)
    assert len(asked) == 1


def _info(to: Link, client: str) -> None:
    if client == "look":
        with to.http() as engine:
            look(engine, "/info")
    else:
        with to.docker() as docker:
            docker.inspect("x")


@pytest.mark.parametrize("client", ["look", "docker"])
@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"ID": ', b"\xff\xfe\x00", b"9" * 5000], ids=["deep", "cut", "no text", "long number"]
)
def test_json_that_cannot_be_read_names_the_node(body: bytes, client: str) -> None:
    with pytest.raises(BadAnswer, match=r"\bone: "):
        _info(link(lambda request: Response(body=body, headers={"Content-Type": "application/json"})), client)


def test_an_answer_that_is_packed_is_not_unpacked() -> None:
    packed = Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    with asking(lambda request: packed) as engine, pytest.raises(BadAnswer, match="is compressed"):
        engine.get("/info")


@pytest.mark.parametrize("status", [600, 999])
@pytest.mark.parametrize("client", ["look", "docker"])
def test_a_status_that_http_does_not_have_names_the_node(status: int, client: str) -> None:
    with pytest.raises(BadAnswer, match=rf"one: GET .*: the answer \({status}\) has a status that HTTP does not"):
        _info(link(lambda request: Response(status=status, body=b"{}")), client)


@pytest.mark.parametrize("client", ["look", "docker"])
def test_headers_have_a_limit_of_their_own(client: str) -> None:
    many = {f"X-{number}": "x" * 1000 for number in range(70)}
    with pytest.raises(BadAnswer, match="headers of more than 64 KiB"):
        _info(link(lambda request: Response(body=b"{}", headers=many)), client)


def test_cookies_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CookieJar, "_cookies_from_attrs_set", lambda *_words: pytest.fail("a cookie was read"))
    cookies = {"Set-Cookie": "a=b", "Set-Cookie2": "c=d"}
    _info(link(lambda request: Response(body=b"{}", headers=cookies)), "docker")


def test_a_container_that_is_not_described_has_no_log() -> None:
    """docker-py asks for it by itself, and believes what it reads."""
    assert last_lines(link(lambda request: as_json({})), "web") == (
        "(no log: its Docker Engine does not describe the container)"
    )


def test_one_look_takes_no_longer_than_one_answer_may(clock: Clock) -> None:
    asked: list[str] = []

    def slowly(request: Request) -> Response:
        asked.append(request.path)
        clock.now_s += 70  # each answer in time, all of them not
        return as_json({})

    with link(slowly).http() as engine, pytest.raises(BadAnswer, match="takes longer than 300 s"):
        _for_ever(engine)
    assert len(asked) == 5


def test_one_action_takes_no_longer_than_its_limit_whatever_there_is_to_ask(clock: Clock) -> None:
    asked: list[str] = []

    def slowly(request: Request) -> Response:
        asked.append(request.method)
        clock.now_s += 70  # each answer in time, all of them not
        return Response(status=204)

    with link(slowly).docker(limit=bounds.ENGINE) as docker:
        with pytest.raises(BadAnswer, match=r"one: DELETE .*/containers/.*: the answer takes longer than 300 s"):
            _remove_for_ever(docker)
        with pytest.raises(BadAnswer, match="takes longer"):
            docker.remove("x")
    assert asked == ["DELETE"] * 5


def test_an_engine_that_took_too_long_once_is_asked_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rkx.reconcile.link.ENGINE", SHORT)
    asked: list[str] = []

    def slowly(request: Request) -> Response:
        asked.append(request.path)
        return without_end(b" ", 0.02)(request)

    way = link(slowly)
    with pytest.raises(BadAnswer, match=r"one: GET .*: the answer takes longer"), way.docker(limit=SHORT) as docker:
        docker.inspect("x")
    for lend in (way.docker, way.http):
        with pytest.raises(BadAnswer, match=r"not asked again: one: GET .*: the answer takes longer"), lend():
            pass
    assert len(asked) == 1


def _remove_for_ever(docker: Engine) -> None:
    for number in range(40):
        docker.remove(f"c{number}")


def _for_ever(engine: Session) -> None:
    while True:
        look(engine, "/info")


def test_a_sparse_file_is_not_unpacked() -> None:
    """GNU's old form: 512 bytes that say that they are eight gibibytes of nothing."""
    header = bytearray(512)
    header[0:1], header[100:108], header[108:116], header[116:124] = b"x", b"0000600\0", b"0000000\0", b"0000000\0"
    header[124:136], header[136:148], header[156:157] = b"00000000000\0", b"00000000000\0", b"S"
    header[257:265] = b"ustar  \0"
    header[483:495] = b"77777777777\0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    packed = Response(body=bytes(header) + bytes(1024))
    with link(lambda request: packed).http() as engine, pytest.raises(BadAnswer, match="is sparse"):
        list(archives.entries(engine, "rkx-node", "/etc"))


@pytest.mark.parametrize("body", [b"x" * 600, os.urandom(512), b"\0" * 100 + b"y" * 500])
def test_an_archive_that_is_none_names_the_node(body: bytes) -> None:
    with pytest.raises(BadAnswer, match=r"one: .*the archive cannot be read"):
        read_copy(link(lambda request: Response(body=body)))


def test_a_container_that_says_nothing_is_left_in_time() -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(0.1)
    with ours, theirs, pytest.raises(TimeoutError):
        list(frames(socket.SocketIO(ours, "r")))


def test_frames_are_read_whatever_pieces_they_come_in() -> None:
    ours, theirs = socket.socketpair()
    sent = b"\1\0\0\0\0\0\0\5hello\2\0\0\0\0\0\0\1!\1\0\0\0\0\0\0\0"

    def send() -> None:
        for byte in sent:
            theirs.sendall(bytes([byte]))
        theirs.close()

    threading.Thread(target=send).start()
    with ours:
        found = list(frames(socket.SocketIO(ours, "r")))
    assert b"".join(piece for kind, piece in found if kind == 1) == b"hello"
    assert b"".join(piece for kind, piece in found if kind == 2) == b"!"


def test_a_version_that_is_none_is_not_put_into_addresses() -> None:
    class Odd(Answering):
        def _answer(self, request: Request) -> Response:
            return Response(body=b"OK", headers={"Api-Version": "1.41/../x"})

    with pytest.raises(BadAnswer, match="one: its Docker Engine names no version"):
        Link("one", Odd(lambda request: as_json({}))).api_version()


def test_nothing_of_the_surroundings_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setattr(requests.Session, "merge_environment_settings", _as_told)
    monkeypatch.setattr(socket, "create_connection", lambda *_a, **_k: pytest.fail("a connection was opened"))
    _info(link(lambda request: as_json({})), "docker")


def _as_told(session: requests.Session, *_settings: object) -> dict[str, object]:
    """Look at the session in place of the environment, directly before it sends."""
    assert (session.trust_env, list(session.adapters)) == (False, ["http://"])
    return {"verify": True, "proxies": {}, "stream": False, "cert": None}


@pytest.mark.parametrize("body", [b"[]", b'{"message": [1]}', b"not json", b""])
def test_a_refusal_in_any_form_is_a_refusal(body: bytes) -> None:
    to = link(lambda request: Response(status=500, body=body, headers={"Content-Type": "application/json"}))
    errors: dict[str, type[RkxError]] = {"look": BadAnswer, "docker": PartlyDone}
    for client, kind in errors.items():
        with pytest.raises(kind, match="one: the Engine says: "):
            _info(to, client)
