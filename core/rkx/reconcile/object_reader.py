"""The cluster's objects as the API shows them in one look; what was applied earlier is read beside the nodes."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from rkx.errors import ApiSilent, TransportError
from rkx.model.cluster import Cluster
from rkx.model.manifest import Object
from rkx.reconcile.api_client import API
from rkx.reconcile.desired import Desired
from rkx.reconcile.health import workload
from rkx.reconcile.link import Link
from rkx.reconcile.objects import ClusterApi
from rkx.reconcile.observation import Live, ObjectSnapshot
from rkx.reconcile.state import ObjectRecord, State

AT_ONCE = 3
"""Each has a connection of its own, whose TLS costs more than a few reads one after the other."""
Wanted = Object | ObjectRecord


class ObjectReader:
    """One look at the objects: each is read once, the nodes first, so that a silent API is asked a single time."""

    def __init__(self, api: ClusterApi, expected: Iterable[Wanted] = ()) -> None:
        """Begin to read the nodes, then what is ``expected``."""
        self._api = api
        self._read: dict[tuple[str, ...], Future[Live]] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="objects")
        self._first = self._pool.submit(self._begin, tuple(expected))

    def _begin(self, expected: tuple[Wanted, ...]) -> dict[str, dict[str, Any]]:
        listed = self._api.listed("/api/v1/nodes")
        for each in expected:
            self._ask(each)
        return {item.table("metadata").text("name"): item.value for item in listed}

    def _ask(self, each: Wanted) -> Future[Live]:
        key = each.api_version, each.kind, each.namespace, each.name
        if key not in self._read:
            self._read[key] = self._pool.submit(self._api.live, each)
        return self._read[key]

    def snapshot(self, wanted: Iterable[Wanted]) -> ObjectSnapshot:
        """Return what is wanted as it was in this look, and the Nodes; ApiSilent when no API server answers."""
        nodes = self._first.result()
        asked = {each.key: self._ask(each) for each in wanted}
        return ObjectSnapshot(nodes=nodes, live={key: done.result() for key, done in asked.items()})

    def close(self) -> None:
        """Begin to read nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def compared(desired: Desired) -> list[Wanted]:
    """List all that is compared: objects that are wanted, and workloads that are waited for."""
    return [*desired.objects.values(), *(workload(check) for check, _owner in desired.health_checks)]


class ObjectPrefetch:
    """The look at the objects that was applied earlier, begun through the first control plane node that is there.

    Nodes that need a relay are passed over: looking starts no container. Without a ``state`` nothing is read ahead.
    """

    def __init__(self, api: ClusterApi, state: State | None, cluster: Cluster) -> None:
        self._api = api
        self._expected = [each for each in state.objects.values() if each.kind != "Node"] if state else []
        self._through = {node.name for node in cluster.with_role("controlplane")}
        self._lock = threading.Lock()
        self._begun: ObjectReader | None = None

    def begin(self, link: Link) -> None:
        """Begin to read through a node, unless it is not a control plane node or another one was first."""
        if not self._expected or link.name not in self._through:
            return
        with suppress(TransportError, OSError):  # no answer there: the plan reports a silent API
            if not link.is_narrow(API):
                with self._lock:
                    self._begun = self._begun or ObjectReader(self._api, self._expected)

    def snapshot(self, wanted: Iterable[Wanted]) -> ObjectSnapshot | None:
        """Return the objects as they are now; None when no API server answers. What was read ahead serves once."""
        early, self._begun = self._begun, None
        with suppress(ApiSilent):
            if early is not None:
                return _closing(early, wanted)
        with suppress(ApiSilent):  # the first control plane node was silent: others are there by now
            return _closing(ObjectReader(self._api), wanted)
        return None

    def close(self) -> None:
        """Begin to read nothing more."""
        if self._begun is not None:
            self._begun.close()


def _closing(reader: ObjectReader, wanted: Iterable[Wanted]) -> ObjectSnapshot:
    try:
        return reader.snapshot(wanted)
    finally:
        reader.close()
