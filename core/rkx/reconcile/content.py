"""What files hold and how it is recognised again: from the state alone, so that a plan needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from rkx.errors import RkxError
from rkx.model.resource import Container, CredentialRef, File, Resource
from rkx.reconcile.digest import file_word, keyed, of_file
from rkx.reconcile.layout import within
from rkx.reconcile.state import State
from rkx.secret import Secret


def part_of(state: State, part: CredentialRef) -> bytes:
    """Return one part of issued credentials, of several one after the other; KeyError before it is issued."""
    return b"".join(state.credentials[name].parts[part.what].reveal() for name in part.identities)


def content_of(state: State, file: File) -> bytes:
    """Return a file's bytes, to write them; RkxError where its credentials have no such part."""
    if isinstance(file.content, CredentialRef):
        try:
            return part_of(state, file.content)
        except KeyError:
            names = ", ".join(file.content.identities)
            raise RkxError(f"{file.key}: {names} has no part {file.content.what!r}") from None
    return file.content.reveal() if isinstance(file.content, Secret) else file.content


def fingerprint(state: State, file: File) -> str:
    """Return a file's content, mode and owner in one word, as ``observe`` does; a part's from its saved digest."""
    if not isinstance(file.content, CredentialRef):
        return file_word(state.key, content_of(state, file), file)
    return of_file(_digest(state, file.content), file.mode, file.uid, file.gid)


def _digest(state: State, part: CredentialRef) -> str:
    """Return the saved digest of a part; several are certificates, which are no secret, so their digest is made."""
    try:
        if part.beside:
            return keyed(state.key, part_of(state, part))
        return state.credentials[part.identity].digests[part.what]
    except KeyError:
        return "unissued"


def reads_fingerprint(state: State, container: Container, resources: Iterable[Resource]) -> str:
    """Return the contents of all files whose change restarts a container in one word, as they are wanted."""
    files = [each for each in resources if isinstance(each, File) and reads(container, str(each.path))]
    words = [f"{file.path} {fingerprint(state, file)}" for file in files]
    return keyed(state.key, "\n".join(sorted(words)).encode())


def reads(container: Container, path: str) -> bool:
    """Return whether a container must be restarted when that file changes."""
    rules = [read for read in container.reads if within(path, str(read.path))]
    return bool(rules) and max(rules, key=lambda read: len(read.path.parts)).on_change == "restart"
