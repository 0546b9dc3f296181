"""Begin to pull images while the machines are still being prepared: they rest on nothing that a machine says."""

from __future__ import annotations

from collections.abc import Container
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType

from rkx.errors import RkxError
from rkx.model.action import PullImage
from rkx.model.plan import Plan
from rkx.reconcile.connection_prefetch import AT_ONCE
from rkx.reconcile.context import Context
from rkx.reconcile.desired import Desired


class ImagePrefetch:
    """Pulls that begin before their plan is carried out, whose own pulls join them and tell what fails."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pull")

    def __enter__(self) -> ImagePrefetch:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def begin(self, desired: Desired, plan: Plan, doubtful: Container[str]) -> None:
        """Begin a plan's pulls, but on no machine that may be another one than before."""
        for action in plan.actions:
            if isinstance(action, PullImage) and action.node not in doubtful:
                self._pool.submit(self._pull, desired, action)

    def _pull(self, desired: Desired, action: PullImage) -> None:
        from rkx.reconcile import containers

        with suppress(RkxError):
            containers.pull(self._context.connections.links[action.node], action.image, desired.cluster.registries)
