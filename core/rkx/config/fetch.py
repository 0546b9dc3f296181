"""Fetch one file by http or https, in a limited time over all."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from email.message import Message
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

SECONDS = 20.0
"""From the first question, which is that for the host's address, to the last byte."""
PIECE_BYTES = 1 << 16
REDIRECTS = 3


def fetched(address: str, size: int, *, anywhere: bool) -> bytes:
    """Return at most ``size`` bytes of what an address holds; ValueError says why there are none.

    Redirects are followed to https alone, and to another host only with ``anywhere``: for who knows the digest.
    """
    found: list[bytes | Exception] = []

    def work() -> None:
        try:
            found.append(_read(address, size, anywhere=anywhere))
        except Exception as error:  # noqa: BLE001 - an address that is led to may be anything; it is told
            if isinstance(error, HTTPError):
                error.close()
            found.append(error)

    worker = threading.Thread(target=work, daemon=True, name="include")  # no call that it is in can be ended
    worker.start()
    worker.join(SECONDS)
    if not found:
        raise ValueError(f"it takes longer than {SECONDS:g} s")
    if isinstance(found[0], bytes):
        return found[0]
    raise ValueError(str(found[0]) or type(found[0]).__name__) from found[0]


def _read(address: str, size: int, *, anywhere: bool) -> bytes:
    ends, content = time.monotonic() + SECONDS, bytearray()
    with build_opener(_Redirects(anywhere=anywhere)).open(address, timeout=SECONDS) as answer:
        while len(content) < size and (piece := answer.read1(min(PIECE_BYTES, size - len(content)))):
            content += piece
            if time.monotonic() > ends:
                raise ValueError(f"it takes longer than {SECONDS:g} s")
    return bytes(content)


class _Redirects(HTTPRedirectHandler):
    max_redirections = REDIRECTS

    def __init__(self, *, anywhere: bool) -> None:
        self._anywhere = anywhere

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message | Mapping[str, str], newurl: str
    ) -> Request | None:
        former, new = urlsplit(req.full_url), urlsplit(newurl)
        fp.close()
        if new.scheme != "https":
            raise URLError(f"it leads to {newurl[:200]}, and only https is followed")
        if new.hostname != former.hostname and not self._anywhere:
            raise URLError(f"it leads to another host, {new.hostname}: name that, or give the sha256")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type] # as urllib gives it
