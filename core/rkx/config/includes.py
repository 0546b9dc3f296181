"""Read what ``addons_include`` names, since plugins read nothing themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypedDict

from rkx.config.notes import Notes

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
ADDRESS = re.compile(r"https?://", re.IGNORECASE)
FETCH_TIMEOUT_S = 20
FETCH_LIMIT = 16 << 20


class Include(TypedDict):
    """One entry: ``source`` as it stands in the file, ``text`` as it was read."""

    source: str
    text: str


def includes(sources: tuple[str, ...], notes: Notes, *, fetch: bool) -> list[Include]:
    """Read all entries; those in the network only with ``fetch``. What cannot be read is noted."""
    found: list[Include] = []
    for index, source in enumerate(sources):
        where = f"addons_include[{index}]"
        if SCHEME.match(source) and not ADDRESS.match(source):
            notes.error(where, f'"{source}" cannot be fetched', "http:// and https:// can, and files")
            text = None
        elif ADDRESS.match(source):
            text = _fetched(source, where, notes) if fetch else None
        else:
            text = _file(source, where, notes)
        if text is not None:
            found.append(Include(source=source, text=text))
    return found


def _file(source: str, where: str, notes: Notes) -> str | None:
    """Read a file beside cluster.yml, or in the working folder, where RKE looked."""
    beside, old = notes.document.path.parent / Path(source).expanduser(), Path(source)
    path = beside
    if not beside.exists() and old.exists():
        path = old
        notes.warn(where, f'"{source}" was found in the working folder', f"put it at {beside}")
    try:
        if path.exists() and not path.is_file():
            notes.error(where, f'"{source}" is no file', "name a file")
            return None
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        notes.error(where, f'"{source}" is not UTF-8', "save it as UTF-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no path"
        notes.error(where, f'cannot read "{source}": {reason}', f"looked for {beside}")
    return None


def _fetched(source: str, where: str, notes: Notes) -> str | None:
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        # ADDRESS let http and https pass alone.
        with urlopen(source, timeout=FETCH_TIMEOUT_S) as answer:  # noqa: S310
            content: bytes = answer.read(FETCH_LIMIT + 1)
    except (OSError, HTTPException, ValueError) as error:
        notes.error(where, f'cannot fetch "{source}": {error}', "the address must answer 200 with YAML")
        return None
    if len(content) > FETCH_LIMIT:
        notes.error(where, f'"{source}" is larger than {FETCH_LIMIT} bytes', "split it")
        return None
    return content.decode("utf-8", errors="replace")
