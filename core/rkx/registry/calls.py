"""Call one hook of one plugin, with a deadline; each fault names plugin and distribution."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import msgspec
import pluggy

from rkx.errors import PluginFault, RkxError
from rkx.hooks import Plugin, Specifications
from rkx.model.cluster import PluginRef

T = TypeVar("T")
HOOKS = tuple(name for name in dir(Specifications) if name.startswith("rkx_"))
DEADLINE_S = 30.0
"""How long a hook that computes values may take; then it is abandoned. As many manifests as may be take it 5 s."""


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin in use: its reference in cluster.yml, its instance, and the distribution that it comes from."""

    ref: PluginRef
    plugin: Plugin[Any]
    owner: str

    @property
    def stamp(self) -> str:
        """Name it as the owner of what it describes."""
        return f"{self.ref.stage}:{self.ref.name}"

    def fault(self, message: str, trace: str = "") -> PluginFault:
        """Return the error of this plugin's authors."""
        return PluginFault(
            f"{self.ref.stage} plugin {self.ref.name!r} ({self.owner}): {message}",
            plugin=self.ref.name,
            owner=self.owner,
            trace=trace,
            hint=f"report this to the authors of {self.owner}",
        )


class Calls:
    """The chosen plugins as pluggy holds them; each call asks one of them and checks the kind of what comes back."""

    def __init__(self, chosen: Sequence[Chosen]) -> None:
        self.chosen = tuple(chosen)
        self._pluggy = _manager()
        for each in chosen:
            self._register(each)

    def _register(self, chosen: Chosen) -> None:
        plugin = chosen.plugin
        for name in HOOKS:
            _judge_marker(chosen, name)
        try:
            self._pluggy.register(plugin, name=f"{chosen.stamp}:{id(plugin)}")
            self._pluggy.check_pending()
        except pluggy.PluginValidationError as error:
            raise chosen.fault(str(error)) from error

    def _has(self, chosen: Chosen, hook: str) -> bool:
        return any(impl.plugin is chosen.plugin for impl in getattr(self._pluggy.hook, hook).get_hookimpls())

    def call(self, chosen: Chosen, hook: str, *, timed: bool = True, **arguments: Any) -> Any:  # noqa: ANN401
        """Return what pluggy does, a list; ``timed`` is for what computes, and not for what connects or asks others."""
        others = [each.plugin for each in self.chosen if each is not chosen]
        caller = self._pluggy.subset_hook_caller(hook, others)
        if not timed:
            return _guarded(chosen, hook, lambda: caller(**arguments))
        return _guarded(chosen, hook, lambda: _within(DEADLINE_S, chosen, hook, lambda: caller(**arguments)))

    def call_alone(self, chosen: Chosen, hook: str, **arguments: Any) -> Any:  # noqa: ANN401
        """Return what pluggy does for a plugin that is not registered: there is an instance of it for each node."""
        _judge_marker(chosen, hook)
        methods = [getattr(chosen.plugin, hook)] if hasattr(chosen.plugin, hook) else []
        return _guarded(chosen, hook, lambda: getattr(self._nobody.hook, hook).call_extra(methods, arguments))

    @cached_property
    def _nobody(self) -> pluggy.PluginManager:
        return _manager()

    def one(self, chosen: Chosen, hook: str, kind: type[T], **arguments: Any) -> T:  # noqa: ANN401
        """Return the one value of the hook; PluginFault if it is missing or of another type."""
        results = self.call(chosen, hook, **arguments)
        if len(results) != 1 or not isinstance(results[0], kind):
            raise chosen.fault(f"{hook} returned {_kinds(results)}, not {kind.__name__}")
        return results[0]

    def many(
        self,
        chosen: Chosen,
        hook: str,
        kinds: tuple[type, ...],
        *,
        timed: bool = True,
        **arguments: Any,  # noqa: ANN401
    ) -> list[Any]:
        """Return the values of the hook, none where the plugin lacks it; PluginFault if they are of another type."""
        if not self._has(chosen, hook):
            return []
        [result] = self.call(chosen, hook, timed=timed, **arguments)
        if not isinstance(result, list | tuple):
            raise chosen.fault(f"{hook} returned {type(result).__name__}, not a list or tuple")
        for item in result:
            if not isinstance(item, kinds):
                raise chosen.fault(f"{hook} returned {type(item).__name__} among its results")
        return list(result)


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager("rkx")
    manager.add_hookspecs(Specifications)
    return manager


def _judge_marker(chosen: Chosen, hook: str) -> None:
    method = getattr(type(chosen.plugin), hook, None)
    if method is not None and not hasattr(method, "rkx_impl"):
        raise chosen.fault(f"{hook} lacks the marker @rkx.hookimpl")


def _kinds(results: Sequence[object]) -> str:
    return ", ".join(type(result).__name__ for result in results) or "nothing"


def _guarded(chosen: Chosen, hook: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except RkxError:
        raise
    except (Exception, SystemExit) as error:
        raise chosen.fault(f"{hook} raised {error!r}", traceback.format_exc()) from error


def _within(deadline_s: float, chosen: Chosen, hook: str, call: Callable[[], T]) -> T:
    """Run a hook on a worker thread; one that hangs is abandoned with its thread."""
    done: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue()

    def work() -> None:
        try:
            done.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - carried to the thread that asked
            done.put((None, error))

    threading.Thread(target=work, daemon=True, name=hook).start()
    try:
        result, error = done.get(timeout=deadline_s)
    except queue.Empty:
        raise chosen.fault(f"{hook} gave no answer in {deadline_s:g} s") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value] # None comes only with an error
