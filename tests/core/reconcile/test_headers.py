"""What stands before an archive's entries is bounded before it is read, and real archives are read as ever."""

from __future__ import annotations

import io
import tarfile

import pytest
from tests.core.reconcile.test_bounds import link

from rkx.errors import BadAnswer
from rkx.reconcile import archives, headers
from rkx.testing.wire import Response

LONG = "folder/" + "x" * 3000


def before(kind: bytes, content: bytes) -> bytes:
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, len(content)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


def plain(name: str = "file", content: bytes = b"") -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


def packed(form: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        info = tarfile.TarInfo(LONG)
        info.size, info.mtime = 3, 1_700_000_000.5
        if form == tarfile.PAX_FORMAT:
            info.pax_headers = {"SCHILY.xattr.security.capability": "\x01=\n\udcff", "LIBARCHIVE.x": "7 path=other"}
        archive.addfile(info, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("näme")
        link.type, link.linkname = tarfile.SYMTYPE, "y" * 4000
        archive.addfile(link)
    return buffer.getvalue()


def read(body: bytes) -> list[tuple[str, str, bytes | None]]:
    with link(lambda request: Response(body=body)).http() as engine:
        entries = archives.entries(engine, "rkx-node", "/look")
        return [(entry.info.name, entry.info.linkname, entry.content()) for entry in entries]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_and_attributes_are_read(form: int) -> None:
    assert read(packed(form)) == [(LONG, "", b"abc"), ("näme", "y" * 4000, None)]


def test_a_size_that_the_header_before_tells_counts() -> None:
    entry = plain("a", b"")[:512] + b"abc" + bytes(509)
    assert read(before(b"x", b"9 size=3\n") + entry + plain("b")) == [
        ("a", "", b"abc"),
        ("b", "", b""),
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (before(b"x", b"x" * 20_000), "more than 16 KiB"),
        (before(b"L", b"x" * 20_000), "more than 16 KiB"),
        (before(b"L", b"name") * 5, "more than 4 headers"),
        (before(b"x", b"8 uid=1\n") * 5, "more than 4 headers"),
        (before(b"g", b"8 uid=1\n"), "for all entries"),
        (before(b"x", b"x" * 16_000), "no records"),
        (before(b"x", b"0 a=b\n"), "no records"),
        (before(b"x", b"7 a=b\n"), "no records"),
        (before(b"x", b"6 a=bc"), "no records"),
    ],
)
def test_a_header_that_is_none_is_refused_before_it_is_read(body: bytes, why: str) -> None:
    with pytest.raises(BadAnswer, match=f"one: /look: the archive cannot be read: ReadError: .*{why}"):
        read(body + plain())


def test_a_header_of_the_largest_size_is_read() -> None:
    size = headers.MOST_BYTES
    name = "x" * (size - len(f"{size} path=") - 1)
    assert read(before(b"x", f"{size} path={name}\n".encode()) + plain()) == [(name, "", b"")]
