"""What an Engine tells of a pull is read step by step, whatever pieces it comes in, and no step is without end."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Mapping

import pytest
import requests
from tests.core.reconcile.test_bounds import link

import rkx
from rkx.errors import BadAnswer, PartlyDone
from rkx.model.cluster import PrivateRegistry
from rkx.reconcile import containers
from rkx.reconcile.container_drift import by_flag
from rkx.reconcile.engine import STEP_BYTES
from rkx.testing.wire import Request, Response, error

WORDS = json.dumps({"error": "manifest unknown"}).encode()
STEP = b'{"status": "Downloading", "progressDetail": {"current": 1}}\r\n'


def pull(
    pieces: Iterable[bytes] | None = None, body: bytes = b"", registries: tuple[PrivateRegistry, ...] = ()
) -> Request:
    """Pull from an Engine that answers so; gives what it was asked."""
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        if request.method == "GET":
            return error(404, "No such image")
        asked.append(request)
        return Response(pieces=pieces, body=body)

    containers.pull(link(answer), "registry.example.com/agent:1", registries)
    return asked[0]


@pytest.mark.parametrize(
    "pieces",
    [[STEP * 3], [STEP[:10], STEP[10:]], [bytes([byte]) for byte in STEP], [STEP.strip()], [b"\r\n"], []],
    ids=["many at once", "in two", "by the byte", "without line break", "empty", "none"],
)
def test_steps_come_in_any_pieces(pieces: list[bytes]) -> None:
    assert pull(pieces).query == {"fromImage": "registry.example.com/agent", "tag": "1"}
    with pytest.raises(PartlyDone, match="cannot be pulled: manifest unknown"):
        pull([*pieces, b"\r\n", WORDS])


def test_an_answer_in_one_is_read_as_well() -> None:
    pull(body=STEP * 2)
    with pytest.raises(PartlyDone, match=r"one: image .* cannot be pulled: manifest unknown"):
        pull(body=STEP + WORDS)


@pytest.mark.parametrize(
    ("piece", "why"),
    [
        (b"x" * (STEP_BYTES + 1), "a step of a pull is larger than 64 KiB"),
        (b"1 " * 1000, "not valid JSON"),
        (b"[]\r\n", "no mapping"),
        (b'{"error": [1]}\r\n', "no str where error"),
    ],
)
def test_a_step_that_is_none_is_refused_soon(piece: bytes, why: str) -> None:
    began = time.process_time()
    with pytest.raises(BadAnswer, match=f"one: .*{why}"):
        pull([STEP, piece])
    assert time.process_time() - began < 0.5


def test_a_refusal_is_told_in_the_engines_words() -> None:
    asked = iter([error(404, "No such image"), error(500, "no space left")])
    with pytest.raises(PartlyDone, match="agent:1 cannot be pulled: no space left"):
        containers.pull(link(lambda request: next(asked)), "agent:1", ())


def test_the_login_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Mapping[str, str | bytes]] = []
    send = requests.Session.send

    def heard(self: requests.Session, request: requests.PreparedRequest, **more: object) -> requests.Response:
        sent.append(request.headers)
        return send(self, request, **more)  # type: ignore[arg-type] # as it came

    monkeypatch.setattr(requests.Session, "send", heard)
    pull([STEP], registries=(PrivateRegistry(url="registry.example.com", user="u", password=rkx.Secret("p")),))
    [header] = [headers["X-Registry-Auth"] for headers in sent if "X-Registry-Auth" in headers]
    assert json.loads(base64.urlsafe_b64decode(header)) == {"username": "u", "password": "p"}


def test_arguments_are_joined_in_one_pass() -> None:
    began = time.process_time()
    assert by_flag(["--a=1", "--b", "--a=2"]) == {"--a": "1 2", "--b": ""}
    assert len(by_flag(["=" + "x" * 50] * 100_000)[""]) == 100_000 * 51 - 1
    assert time.process_time() - began < 0.5
