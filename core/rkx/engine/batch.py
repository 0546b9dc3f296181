"""One batch through rkx-node: a stopped container is started with it as input, and says what came of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from rkx.errors import Interrupted, PartlyDone

if TYPE_CHECKING:
    from docker import APIClient

TIMEOUT_S = 120.0
SUCCESSION_S = 5
"""So long a batch that is under way when the next one comes may go on."""
MOST_BYTES = 32 << 20
"""rkx-node keeps a batch in memory until it is whole, and takes no larger one."""
_AGAIN = "run again; nothing is half-written"

Operation = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What a run has of the lock: its number, which rkx-node compares, and what raises once the lock is another's.

    Without ``check`` nothing is known of a lock, and nobody's batch may be ended.
    """

    number: int = 0
    check: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a batch is done: a container of a cluster on a node."""

    node: str
    container: str
    cluster: str


def carry_out(client: APIClient, place: Place, operations: Sequence[Operation], hold: Hold) -> list[dict[str, Any]]:
    """Have a batch done and give one answer per operation.

    Raises PartlyDone for the first that failed, or if another client used the container at the same time; Interrupted
    if a run with a higher number was there.
    """
    name = secrets.token_hex(8)
    begin = {"verb": "begin", "cluster": place.cluster, "number": hold.number, "batch": name}
    lines = b"".join(json.dumps(each).encode() + b"\n" for each in (begin, *operations, {"verb": "end"}))
    if len(lines) > MOST_BYTES:
        raise PartlyDone(
            f"{place.node}: its files make a batch of {len(lines) >> 20} MiB, and {MOST_BYTES >> 20} MiB is the most",
            hint="make the files that plugins put there smaller",
        )
    output, complaint = _run(client, place, lines, hold)
    try:
        answers = [json.loads(line) for line in output.splitlines() if line]
    except ValueError as error:
        raise PartlyDone(f"{place.node}: rkx-node was cut off in an answer: {error}", hint=_AGAIN) from error
    return _judged(place.node, answers, complaint, name, len(operations))


def _judged(node: str, answers: list[dict[str, Any]], complaint: str, name: str, count: int) -> list[dict[str, Any]]:
    first = answers[0] if answers else {}
    if first.get("batch", name) != name:
        raise PartlyDone(f"{node}: another client used rkx-node in the same moment", hint=_AGAIN)
    if "seen" in first:
        raise Interrupted(
            f"{node}: a later run, number {first['seen']}, was here: {first['error']}",
            hint="look at that run, then run again; if there was none, delete /var/lib/rkx/fence on that node",
        )
    failed = next((answer for answer in answers if not answer["ok"]), None)
    if failed is not None and failed.get("verb") != "end":
        raise PartlyDone(f"{node}: {failed.get('path', '')}: {failed['error']}", hint=_hint(failed["error"]))
    if len(answers) != count + 2 or answers[-1].get("verb") != "end":
        raise PartlyDone(
            f"{node}: rkx-node ended before its batch did: {complaint.strip() or 'no output'}", hint=_AGAIN
        )
    return answers[1:-1]


def _hint(error: str) -> str:
    if error.startswith("ELOOP"):
        return "a symbolic link lies where rkx writes: delete it on the node, then run again"
    if error.startswith("ENOSPC"):
        return "make room on that disk, then run again; the old file is still whole"
    return "mend it on the node, then run again"


def _run(client: APIClient, place: Place, batch: bytes, hold: Hold) -> tuple[bytes, str]:
    """Start a stopped container with ``batch`` as its input and collect what it says."""
    from docker.utils.socket import frames_iter

    box = _free(client, place, hold)
    stream = client.attach_socket(box, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    raw = stream._sock  # docker-py's own wrapper closes itself alone
    output, complaint = bytearray(), bytearray()
    try:
        stream._sock.settimeout(TIMEOUT_S)
        client.start(box)
        stream._sock.sendall(batch)
        for kind, piece in frames_iter(stream, tty=False):
            (output if kind == 1 else complaint).extend(piece)
    except OSError as error:
        raise PartlyDone(f"{place.node}: the stream to {place.container} broke: {error}", hint=_AGAIN) from error
    finally:
        stream.close()
        raw.close()
    return bytes(output), complaint.decode(errors="replace")


def _free(client: APIClient, place: Place, hold: Hold) -> str:
    """Give the id of the container, which stands still; the name may be that of another by the time it is started."""
    found: Mapping[str, Any] = client.inspect_container(place.container)
    owner = (found["Config"]["Labels"] or {}).get("rkx.cluster", "")
    if owner != place.cluster:
        raise Interrupted(
            f"{place.node}: {place.container} belongs to cluster {owner or 'of nobody'} now, not to {place.cluster}",
            hint="look who works on that machine",
        )
    box = str(found["Id"])
    if found["State"]["Running"]:
        _end(client, place, box, hold)
    return box


def _end(client: APIClient, place: Place, box: str, hold: Hold) -> None:
    """Let a batch end, and then end it: its sender is gone, as who holds the lock sends one at a time.

    A batch that has not come whole has done nothing, and any operation may be cut.
    """
    from docker.errors import APIError

    with suppress(requests.RequestException):  # no answer in time
        client.wait(box, timeout=SUCCESSION_S)
        return
    if hold.check is None:
        raise PartlyDone(f"{place.node}: {place.container} is busy with another client's batch", hint="run again")
    hold.check()
    with suppress(APIError):  # it has ended in this moment
        client.kill(box)
    client.wait(box, timeout=SUCCESSION_S)
