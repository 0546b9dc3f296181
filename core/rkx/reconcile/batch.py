"""One batch through rkx-node: a stopped container is started with it as input, and says what came of it."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

import msgspec

from rkx.errors import BadAnswer, ConnectFailed, Interrupted, PartlyDone, RkxError
from rkx.lines import WORDS, cut
from rkx.reconcile.answers import Said, parsed, refuse_many
from rkx.reconcile.engine import Engine, EngineRefused
from rkx.reconcile.frames import frames

TIMEOUT_S = 120.0
SUCCESSION_S = 5
"""So long a batch that is under way when the next one comes may go on."""
MOST_BYTES = 32 << 20
"""rkx-node keeps a batch in memory until it is whole, and takes no larger one."""
MOST_NUMBER = (1 << 64) - 1
_AGAIN = "run rkx again; nothing is half-written"

Operation = dict[str, Any]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has of the lock: its number, which rkx-node compares, and what raises once the lock is another's.

    Without ``check`` nothing is known of a lock, and no batch of another client may be ended.
    """

    number: int = 0
    check: Callable[[], None] | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a batch is done: a container of a cluster on a node."""

    node: str
    container: str
    cluster: str


class _Untaken(PartlyDone):
    """A batch did not go over whole, so nothing of it was done."""


def carry_out(engine: Engine, place: Place, operations: Sequence[Operation], hold: Hold) -> list[Said]:
    """Have a batch done and give one answer per operation.

    Raises PartlyDone for the first that failed, or if another client used the container at the same time; Interrupted
    if a run with a higher number was there; BadAnswer for one that cannot have been, or more answers than operations.
    """
    name = secrets.token_hex(8)
    begin = {"verb": "begin", "cluster": place.cluster, "number": hold.number, "batch": name}
    lines = b"".join(json.dumps(each).encode() + b"\n" for each in (begin, *operations, {"verb": "end"}))
    if len(lines) > MOST_BYTES:
        raise PartlyDone(
            f"{place.node}: its files make a batch of {len(lines) >> 20} MiB, and {MOST_BYTES >> 20} MiB is the most",
            hint="make the files that plugins put there smaller",
        )
    output, complaint = _taken(engine, place, lines, hold)
    refuse_many(output, place.node, "rkx-node")
    words = (line for line in io.BytesIO(output) if line.strip())
    answers = [parsed(line, place.node, "rkx-node") for line in islice(words, len(operations) + 3)]  # one too many
    return _judged(place.node, answers, complaint, name, len(operations), hold)


def _overtaken(node: str, seen: int, hold: Hold) -> RkxError:
    """Judge a node that tells of a later run: such a run has taken the lock from this one, or was never known of.

    The nodes that keep the lock are asked; without them it would be that node's word alone.
    """
    way = "delete /var/lib/rkx/fence on that node"
    if hold.check is not None:
        with suppress(RkxError):
            hold.check()
            return BadAnswer(
                f"{node}: it tells of a later run, number {seen}, but this one, number {hold.number}, has the lock",
                node=node,
                hint=f"find out who wrote that there, then {way}; --allow-unreachable NODE leaves a node aside",
            )
    return Interrupted(
        f"{node}: a later run, number {seen}, was here",
        hint=f"look at that run, then run rkx again; if there was none, {way}",
    )


def _judged(node: str, answers: list[Said], complaint: str, name: str, count: int, hold: Hold) -> list[Said]:
    first = answers[0] if answers else Said({}, node, "rkx-node")
    if first.text("batch", name) != name:
        raise PartlyDone(f"{node}: another client used rkx-node in the same moment", hint=_AGAIN)
    if seen := first.count("seen", MOST_NUMBER, 0):
        raise _overtaken(node, seen, hold)
    failed = next((answer for answer in answers if not answer.flag("ok")), None)
    if failed is not None and failed.text("verb", "") != "end":
        error = failed.words("error")
        raise PartlyDone(f"{node}: {failed.words('path', '')}: {error}", hint=_hint(error))
    if len(answers) > count + 2:
        raise BadAnswer(f"{node}: rkx-node answers more than it was asked: {count} operations", node=node)
    if len(answers) != count + 2 or answers[-1].text("verb", "") != "end":
        raise PartlyDone(
            f"{node}: rkx-node ended before its batch did: {complaint.strip() or 'no output'}", hint=_AGAIN
        )
    return answers[1:-1]


def _hint(error: str) -> str:
    if error.startswith("ELOOP"):
        return "a symbolic link lies where rkx writes: delete it on the node, then run rkx again"
    if error.startswith("ENOSPC"):
        return "make room on that disk, then run rkx again; the old file is still whole"
    return "repair it on the node, then run rkx again"


def _taken(engine: Engine, place: Place, batch: bytes, hold: Hold) -> tuple[bytes, str]:
    """Run a batch, once more where the container ended without it.

    A killed run's start may take effect after ours was requested: over its own input, which has ended.
    """
    broken: PartlyDone | None = None
    try:
        output, complaint = _run(engine, place, batch, hold)
        if output:
            return output, complaint
    except _Untaken as error:
        broken = error
    try:
        return _run(engine, place, batch, hold)
    except (ConnectionError, ConnectFailed) as error:  # the connection is lost, not the container
        raise broken or _broke(place, error) from error


def _broke(place: Place, error: Exception, kind: type[PartlyDone] = PartlyDone) -> PartlyDone:
    return kind(f"{place.node}: the stream to {place.container} broke: {cut(str(error))}", hint=_AGAIN)


def _run(engine: Engine, place: Place, batch: bytes, hold: Hold) -> tuple[bytes, str]:
    """Start a stopped container with ``batch`` as its input and collect what it says."""
    box = _free(engine, place, hold)
    stream = engine.attach(box)
    raw = stream._sock  # docker-py's own wrapper closes itself alone
    output, complaint = bytearray(), bytearray()
    try:
        stream._sock.settimeout(TIMEOUT_S)
        engine.start(box)
        stream._sock.sendall(batch)
        for kind, piece in frames(stream):
            if kind == 1:
                output += piece
            else:
                complaint += piece[: WORDS - len(complaint)]
    except EngineRefused as error:
        raise PartlyDone(f"{place.node}: {place.container} was not started: {error.words}", hint=_AGAIN) from error
    except OSError as error:
        raise _broke(place, error, _Untaken if isinstance(error, BrokenPipeError) else PartlyDone) from error
    finally:
        stream.close()
        raw.close()
    return bytes(output), complaint.decode(errors="replace")


def _free(engine: Engine, place: Place, hold: Hold) -> str:
    """Return the id of the container, which does not run; the name may be that of another by the time it is started."""
    found = engine.inspect(place.container)
    owner = found.table("Config").labels("Labels").get("rkx.cluster", "")
    if owner != place.cluster:
        raise Interrupted(
            f"{place.node}: {place.container} belongs to cluster {owner or 'of nobody'} now, not to {place.cluster}",
            hint="find out who works on that machine",
        )
    box = found.text("Id")
    if found.table("State").flag("Running"):
        _end(engine, place, box, hold)
    return box


def _end(engine: Engine, place: Place, box: str, hold: Hold) -> None:
    """Let a batch end, and then end it: its sender is gone, as who holds the lock sends one at a time.

    A batch that has not come whole has done nothing, and any operation may be cut.
    """
    with suppress(OSError, EngineRefused):  # no answer in time, or it is another by now
        engine.wait(box, SUCCESSION_S)
        return
    if hold.check is None:
        raise PartlyDone(f"{place.node}: {place.container} is busy with another client's batch", hint="run rkx again")
    hold.check()
    with suppress(EngineRefused):  # it has ended in this moment
        engine.kill(box)
    engine.wait(box, SUCCESSION_S)
