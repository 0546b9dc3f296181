"""The state as JSON: with a checksum over it, and outside, a header that tells its generation."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any, get_args

import msgspec
from msgspec.structs import asdict, replace

from rkx.errors import ConfigError, Refused
from rkx.reconcile import host
from rkx.reconcile.state import KEY_BYTES, Credential, NodeRecord, ObjectRecord, State
from rkx.reconcile.texts import Texts
from rkx.reconcile.version_skew import KEPT_AS, numbers
from rkx.secret import Secret

VERSION = 1


def dump(state: State, texts: Texts | None = None) -> bytes:
    """Write a state as JSON, with a checksum over it, and outside what ``header`` reads; ``texts`` keeps its pieces."""
    inner = (texts or Texts()).of(state)
    digest = hashlib.sha256(inner.encode()).hexdigest()
    said = StateHeader(
        cluster_id=state.cluster_id, generation=state.generation, run=state.run, number=state.number, sha256=digest
    )
    outside = asdict(replace(said, seal=said.sealed(state)))
    return json.dumps({"rkxstate": VERSION, **outside, "state": inner}).encode()


class StateHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Which generation of whose state a file says that it is, by which run; nothing is true of it before ``is_of``."""

    cluster_id: str
    generation: int
    sha256: str
    run: str
    number: int
    seal: str = ""

    def sealed(self, state: State) -> str:
        """Return the seal that only who has this cluster's state can make: no worker ever sees its key."""
        key = hashlib.sha256(b"rkx copy of the state\0" + state.digest_key.reveal()).digest()
        said = f"{self.cluster_id} {self.generation} {self.run} {self.number} {self.sha256}"
        return hmac.digest(key, said.encode(), "sha256").hex()

    def is_of(self, state: State) -> bool:
        """Return whether it marks a generation of that state."""
        return hmac.compare_digest(self.seal.encode(), self.sealed(state).encode())


HEADER_CHARACTERS = 2000
"""More than ours can be: it is kept of each node."""


def header(text: bytes) -> StateHeader | None:
    """Read the header alone, which takes no time; None if the file is damaged."""
    try:
        found = msgspec.json.decode(text, type=StateHeader)
    except _MALFORMED:
        return None
    return found if len(f"{found}") <= HEADER_CHARACTERS else None


_MALFORMED = (
    msgspec.DecodeError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    RecursionError,
    OverflowError,
)
"""What reading JSON of another shape than ours raises."""


def parse(text: bytes, where: str) -> State:
    """Read a state; ConfigError if it is damaged or of another shape, Refused if a newer rkx wrote it."""
    try:
        outer = msgspec.json.decode(text)
        version, inner = int(outer["rkxstate"]), outer["state"]
        sound = hashlib.sha256(inner.encode()).hexdigest() == outer["sha256"]
    except _MALFORMED as error:
        raise ConfigError(f"{where}: this is not a valid state of rkx: {error!r:.200}", hint=_REPAIR) from error
    if version > VERSION:
        raise Refused(f"{where}: version {version}, written by a newer rkx", hint="use that rkx")
    if not sound:
        raise ConfigError(f"{where}: the checksum does not fit: the file is damaged", hint=_REPAIR)
    try:
        return _state(msgspec.json.decode(inner))
    except _MALFORMED as error:
        raise ConfigError(f"{where}: no state of rkx has this shape: {error!r:.200}", hint=_REPAIR) from error


_REPAIR = (
    "move it away: a generation beside it (.1 to .10), or a copy on any control plane or etcd node, takes its place"
)


def _state(raw: Any) -> State:  # noqa: ANN401 - JSON
    """Read a state. What nodes said is judged on its own: one whose facts are not valid is asked again."""
    _refuse_missing(raw, State)
    for name, kind in (("credentials", Credential), ("nodes", NodeRecord), ("objects", ObjectRecord)):
        for each in raw[name].values():
            _refuse_missing(each, kind)
    for record in raw["nodes"].values():
        record["options"], record["facts"] = _opened(record["options"]), host.of_state(record["facts"])
    state = msgspec.convert(raw, State, dec_hook=_secret)
    _refuse_odd(state)
    return state


def _refuse_missing(raw: Mapping[str, Any], kind: type[msgspec.Struct]) -> None:
    """Raise KeyError for a field that is not there: each is written, whatever its default."""
    for name in kind.__struct_fields__:
        raw[name]


def _refuse_odd(state: State) -> None:
    """Raise ValueError or OverflowError for values that no rkx writes, and that others would stumble over."""
    if len(state.key) != KEY_BYTES:
        raise ValueError("digest_key has another length")
    for name, record in state.objects.items():
        if name != str(record.key):
            raise ValueError(f"{record.key} is kept as another object")
    for credential in state.credentials.values():
        for moment in (credential.saved.not_before, credential.saved.not_after):
            if moment is not None:
                moment.astimezone(UTC)  # overflows at the ends of the calendar
    if KEPT_AS in state.immutable:
        numbers(state.immutable[KEPT_AS])


def _secret(kind: type, value: Any) -> Secret[Any]:  # noqa: ANN401 - JSON
    found = _opened(value)
    if not isinstance(found, Secret) or not isinstance(found.reveal(), get_args(kind)):
        raise TypeError("expected a secret")
    return found


def _opened(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return JSON with its secrets as such."""
    if isinstance(value, dict) and set(value) == {"secret", "bytes"}:
        return Secret(value["secret"].encode("latin-1") if value["bytes"] else value["secret"])
    if isinstance(value, dict):
        return {key: _opened(item) for key, item in value.items()}
    return [_opened(item) for item in value] if isinstance(value, list) else value
