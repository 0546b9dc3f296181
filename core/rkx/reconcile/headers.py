"""Read the headers of a tar archive with a bound on each: tarfile's own patterns need a time quadratic in its size."""

from __future__ import annotations

import tarfile

MOST_BYTES = 1 << 14
"""Of what comes before an entry: a path and a link of PATH_MAX (4096) each, in letters that Engines do not escape."""
MOST_BEFORE = 4
"""So many headers before one entry; GNU's form has two at most, POSIX's one."""
LENGTH_DIGITS = len(str(MOST_BYTES))
_LONG = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_NEVER = {tarfile.GNUTYPE_SPARSE: "is larger than its archive: it is sparse", tarfile.XGLTYPE: "is for all entries"}


class Archive(tarfile.TarFile):
    """An archive of entries and of headers that are bounded; tarfile.ReadError for any other."""

    before = 0


class Header(tarfile.TarInfo):
    """An entry's header, or one that comes before it."""

    def _proc_member(self, archive: Archive) -> tarfile.TarInfo:
        """Judge what tarfile is going to read: its own hook for subclasses."""
        if self.type in _NEVER:
            raise tarfile.ReadError(f"a header {_NEVER[self.type]}")
        archive.before = archive.before + 1 if self.type in _LONG else 0
        if archive.before > MOST_BEFORE:
            raise tarfile.ReadError(f"more than {MOST_BEFORE} headers before one entry")
        if archive.before and not 0 <= self.size <= MOST_BYTES:
            raise tarfile.ReadError(f"a header of more than {MOST_BYTES >> 10} KiB")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return] # not in the stubs

    def _proc_pax(self, archive: Archive) -> tarfile.TarInfo:
        """Read a POSIX header, and the entry that it is of."""
        block = archive.fileobj.read(self._block(self.size))  # type: ignore[attr-defined] # not in the stubs
        told = records(block[: self.size])
        try:
            entry = self.fromtarfile(archive)
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"no entry after its header: {error}") from None
        entry._apply_pax_info(told, archive.encoding, archive.errors)  # type: ignore[attr-defined] # as above
        entry.offset = self.offset
        if "size" in told and entry.isreg():
            archive.offset = entry.offset_data + entry._block(entry.size)  # type: ignore[attr-defined] # as above
        return entry


Archive.tarinfo = Header


def records(content: bytes) -> dict[str, str]:
    r"""Read ``LENGTH KEY=VALUE\n`` (POSIX.1-2001, pax) in one pass, for the keys of tarfile; else ReadError."""
    told, at = {}, 0
    while at < len(content):
        length = content[at : at + LENGTH_DIGITS + 1].partition(b" ")[0]
        record = content[at : at + int(length)] if length.isdigit() else b""
        key, equals, value = record[len(length) + 1 : -1].partition(b"=")
        if not (equals and record.endswith(b"\n") and len(record) == int(length)):
            raise tarfile.ReadError("a header that holds no records")
        if key.decode(errors="replace") in tarfile.PAX_FIELDS:
            told[key.decode()] = value.decode("utf-8", "surrogateescape")
        at += len(record)
    return told
