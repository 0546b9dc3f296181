"""A file may hold the certificates of several authorities; it is compared and written as one."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from tests.core.reconcile.small import Site

import rkx
from rkx.reconcile.content import content_of, fingerprint, part_of
from rkx.reconcile.digest import file_word

BOTH = rkx.CredentialRef(identity=rkx.identity.KUBERNETES_CA, what="ca-bundle", beside=(rkx.identity.FRONT_PROXY_CA,))


def file(part: rkx.CredentialRef) -> rkx.File:
    return rkx.File(node="one", path=PurePosixPath("/etc/tiny/both.crt"), content=part)


def test_parts_of_several_follow_each_other(running: Site) -> None:
    alone = [part_of(running.state, rkx.CredentialRef(identity=name, what="ca-bundle")) for name in BOTH.identities]
    assert content_of(running.state, file(BOTH)) == b"".join(alone)
    assert fingerprint(running.state, file(BOTH)) == file_word(running.state.key, b"".join(alone), file(BOTH))


def test_one_that_was_never_issued_is_named(running: Site) -> None:
    other = rkx.CredentialRef(identity=rkx.identity.KUBERNETES_CA, what="ca-bundle", beside=("nobody",))
    assert fingerprint(running.state, file(other)).startswith("unissued ")
    with pytest.raises(rkx.RkxError, match="kubernetes-ca, nobody"):
        content_of(running.state, file(other))
