"""Read what ``addons_include`` names, since plugins read nothing themselves."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from rkx.config.diagnostics import Diagnostics
from rkx.config.schema.addons import IncludeKeys
from rkx.files import expanded, read_bytes

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
ADDRESS = re.compile(r"https?://", re.IGNORECASE)
OPEN = re.compile(r"http://", re.IGNORECASE)
SHA256 = re.compile(r"[0-9a-fA-F]{64}\Z")
LIMIT = 16 << 20
"""The largest sets of CustomResourceDefinitions that are applied as one file have 5 MiB."""

ITEMS = 600_000
"""Of all manifests together: as many are read in some seconds, and sets of 5 MiB have 350,000."""
MARKS = "\n,:-?[{"
"""Each item of YAML comes after one of these, so there are never more items than marks."""


class Include(TypedDict):
    """One entry: ``source`` as the file has it, ``text`` as it was read."""

    source: str
    text: str


def includes(entries: Sequence[str | IncludeKeys], diags: Diagnostics, *, fetch: bool) -> dict[str, Include]:
    """Read all entries, by their path in cluster.yml; those in the network only with ``fetch``. Mistakes are noted."""
    found: dict[str, Include] = {}
    for index, entry in enumerate(entries):
        where = f"addons_include[{index}]"
        keys = IncludeKeys(source=entry) if isinstance(entry, str) else entry
        source = keys.source or ""
        if not _is_fit(source, keys.sha256, where, diags) or (ADDRESS.match(source) and not fetch):
            continue
        content = _fetched(source, keys.sha256, where, diags) if ADDRESS.match(source) else _file(source, where, diags)
        if content is not None and (text := _text(content, source, keys.sha256, where, diags)) is not None:
            found[where] = Include(source=source, text=text)
    return found


def _is_fit(source: str, sha256: str | None, where: str, diags: Diagnostics) -> bool:
    """Judge an entry by itself, without a look at what it names."""
    if SCHEME.match(source) and not ADDRESS.match(source):
        diags.error(where, f'"{source}" cannot be fetched', "http:// and https:// can, and files")
    elif OPEN.match(source) and not sha256:
        hint = "take https://, or write {source: ADDRESS, sha256: DIGEST}"
        diags.error(where, f'"{source}" can be changed on its way: plain http needs a digest', hint)
    elif sha256 and not SHA256.match(sha256):
        diags.error(f"{where}.sha256", f'"{sha256[:80]}" is not a SHA-256', "64 hexadecimal digits, as of sha256sum")
    else:
        return True
    return False


def _file(source: str, where: str, diags: Diagnostics) -> bytes | None:
    """Read a file beside cluster.yml, or in the working folder, where RKE looked."""
    beside, old = diags.document.path.parent / expanded(source), Path(source)
    try:
        path = beside if beside.exists() or not old.exists() else old
        content = read_bytes(path, LIMIT)
    except OSError as error:
        diags.error(where, f'cannot read "{source}": {error.strerror}', f"looked for {beside}")
        return None
    if path is old:
        diags.warn(where, f'"{source}" was found in the working folder', f"put it at {beside}")
    return content


def _fetched(source: str, sha256: str | None, where: str, diags: Diagnostics) -> bytes | None:
    from rkx.config.fetch import fetched

    try:
        return fetched(source, LIMIT + 1, anywhere=sha256 is not None)
    except ValueError as error:
        diags.error(where, f'cannot fetch "{source}": {error}', "the address itself must answer 200 with YAML, soon")
        return None


def _text(content: bytes, source: str, sha256: str | None, where: str, diags: Diagnostics) -> str | None:
    found = hashlib.sha256(content).hexdigest()
    if len(content) > LIMIT:
        diags.error(where, f'"{source}" is larger than {LIMIT} bytes', "split it")
    elif sha256 and found != sha256.lower():
        # of a file it is left out: that which validate may name is not always that which whoever calls it may read
        said = f"has the SHA-256 {found}, not" if ADDRESS.match(source) else "has not the SHA-256"
        message = f'"{source}" {said} {sha256.lower()}'
        diags.error(where, message, "look at what changed there, then write its digest")
    else:
        try:
            return content.decode()
        except UnicodeDecodeError:
            diags.error(where, f'"{source}" is not UTF-8', "save it as UTF-8")
    return None


def judge_items(texts: Mapping[str, str], diags: Diagnostics) -> None:
    """Refuse manifests that take too long to be read; ``texts`` are all of them, by their path in cluster.yml."""
    total = 0
    for where, text in texts.items():
        total += sum(text.count(mark) for mark in MARKS)
        if total > ITEMS:
            message = f"with the manifests before it, it may have more than {ITEMS} items of YAML"
            diags.error(where, message, "apply some of them by other means")
            return
