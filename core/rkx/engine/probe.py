"""Ask a container if it works, every 100 ms, until it does or its time is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import requests

from rkx.engine.access import https, tls_context
from rkx.engine.ledger import Ledger
from rkx.engine.link import Link, session
from rkx.errors import Interrupted, NotReady, RkxError, StreamRefused, TransportError
from rkx.model.resource import Container, Probe

POLL_S = 0.1
LAST_LINES = 12


def wait_until_ready(
    link: Link, container: Container, ledger: Ledger, cancelled: threading.Event, tell: Callable[[str], None]
) -> None:
    """Return when the container's probe answers well; NotReady with its last log lines when time is over.

    ``tell`` is told why it waits, each time that changes.
    """
    if container.probe is None:
        return
    ask = _asker(link, container.probe, ledger)
    end = time.monotonic() + container.probe.timeout_s
    why, told = "no answer", ""
    while time.monotonic() < end:
        if cancelled.is_set():
            raise Interrupted(f"{container.key}: cancelled while waiting for it")
        try:
            if not (why := ask()):
                return
        except (OSError, requests.RequestException, StreamRefused) as error:
            why = str(error)
        except TransportError:
            raise
        if why != told:
            tell(why)
            told = why
        cancelled.wait(POLL_S)
    raise NotReady(
        f"{container.key} was not healthy within {container.probe.timeout_s:g} s: {why}",
        hint=f"its last lines:\n{last_lines(link, container.name)}",
    )


def _asker(link: Link, probe: Probe, ledger: Ledger) -> Callable[[], str]:
    """Give a function that says what is wrong, or nothing."""
    if not probe.path:
        return lambda: _connects(link, probe.address)
    port = int(probe.address.rpartition(":")[2])
    if probe.authority:
        client = https(link, port, tls_context(ledger, probe.authority, probe.identity), timeout_s=5)
    else:
        client = session(lambda: link.dial(probe.address, timeout_s=5), timeout_s=5)

    def ask() -> str:
        answer = client.get(f"http://node{probe.path}")
        return "" if answer.status_code == requests.codes.ok else f"{answer.status_code} {answer.text[:200].strip()}"

    return ask


def _connects(link: Link, address: str) -> str:
    link.dial(address, timeout_s=5).close()
    return ""


def last_lines(link: Link, name: str) -> str:
    """Give a container's last log lines, or why there are none."""
    try:
        with link.docker() as client:
            lines: bytes = client.logs(name, tail=LAST_LINES)
    except (RkxError, OSError, requests.RequestException) as error:
        return f"(no log: {error})"
    return lines.decode(errors="replace").strip()
