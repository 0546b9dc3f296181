"""What was observed of a cluster, as one frozen value: a plan is made of it, and of nothing that is asked meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from rkx.model.checks import Finding
from rkx.model.key import ObjectKey
from rkx.model.step import Responses
from rkx.reconcile.seen import SeenNode

Live = Mapping[str, Any] | None
"""An object as the API server shows it; None for one that is not there."""


class ObjectSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of the cluster, all read in one look: Nodes by name, and the others that are wanted or waited for."""

    nodes: Mapping[str, Mapping[str, Any]]
    live: Mapping[ObjectKey, Live]


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes that were reached, and what is known of the cluster.

    ``objects`` is None while no API server answers. ``responses`` are those to the queries of plugins, ``is_blind``
    says that some were not asked, as a node forbids it: then silence says nothing. ``replaced`` names nodes whose
    machine is another one, as the operator said; ``unreachable`` those left out on purpose; ``findings`` are warnings.
    """

    nodes: Mapping[str, SeenNode]
    objects: ObjectSnapshot | None = None
    responses: Responses = MappingProxyType({})
    is_blind: bool = False
    replaced: frozenset[str] = frozenset()
    unreachable: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
