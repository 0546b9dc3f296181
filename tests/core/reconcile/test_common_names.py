"""The name of a machine must fit into the certificates that are made of it, and the file alone tells."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.core.reconcile.small import Site, TinyService, leaf

import rkx
from rkx.errors import ConfigError

PREFIX = "agent:"


class Named(TinyService):
    """Has a certificate for each node, with the node's name in its own."""

    @rkx.hookimpl
    def rkx_identities(self, cluster: rkx.Cluster) -> Sequence[rkx.identity.Identity]:
        own = [
            rkx.identity.Identity(name=f"agent@{node.name}", node=node.name, common_name=f"{PREFIX}{node.name}")
            for node in cluster.nodes
        ]
        return [leaf(rkx.identity.SUPER_ADMIN), leaf(rkx.identity.ADMIN), leaf("server", sans=("127.0.0.1",)), *own]


def longer(length: int) -> str:
    """Return a name of so many characters, of labels that are short enough."""
    return ("a" * 20 + ".") * 4 + "b" * (length - 84) if length > 84 else "a" * 20 + "." + "b" * (length - 21)


def test_a_name_that_just_fits_is_no_problem(site: Site) -> None:
    site.service = Named()
    site.write((longer(64 - len(PREFIX)), "two"))
    assert site.project.warnings == ()


@pytest.mark.parametrize("key", ["hostname_override", "address"])
def test_a_name_too_long_for_its_certificate_is_refused_at_its_place_with_both_counts(site: Site, key: str) -> None:
    site.service = Named()
    name = longer(60)
    site.write(("one", name))
    if key == "address":
        text = site.file.read_text()
        site.file.write_text(text.replace(f"address: 192.0.2.2, hostname_override: {name}", f"address: {name}"))
    with pytest.raises(ConfigError) as caught:
        _ = site.project
    [problem] = caught.value.problems
    assert (problem.where, problem.line) == (f"nodes[1].{key}", 8)
    assert "has 66 characters, 64 fit" in problem.message
    assert problem.hint == "a hostname_override of at most 58 characters"
