"""The one door to plugins: stevedore finds the chosen ones, pluggy holds them, typed methods call them.

Every method asks one plugin at a time, checks what comes back, and names plugin and distribution in each fault.
"""

from __future__ import annotations

import difflib
import queue
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, TypeVar

import pluggy

from rkx.errors import PluginApiMismatch, PluginConflict, PluginFault, PluginNotFound, Problem, RkxError
from rkx.hooks import API_VERSION, Plugin, Specifications
from rkx.model.checks import Finding, PortClaim
from rkx.model.cluster import Cluster, PluginRef, Stage
from rkx.model.facts import Facts
from rkx.model.identity import NODE_CLIENT_CA, Due, Identity, Issued, IssueRequest, Pending, Saved
from rkx.model.network import AuthSettings, NetworkSettings
from rkx.model.node import Node
from rkx.model.plan import Action
from rkx.model.resource import Container, File, Folder, Key, Leaves, Manifest, Registration, Resource, stamped
from rkx.model.step import Answers, Call, Do, Done, Lane, Refuse, Step, Turn, Verdict, Wait
from rkx.transport import Prompt, Transport

T = TypeVar("T")
RESOURCES = (Container, File, Folder, Leaves, Manifest, Registration)
DEADLINE_S = 10.0
"""How long a hook that computes values may take; then it is abandoned."""


class Installed(Protocol):
    """All entry points of this Python, read once: ``importlib.metadata.entry_points()``."""

    def select(self, *, group: str) -> Iterable[EntryPoint]:
        """Give those of a group."""


def installed(stage: Stage, every: Installed | None = None) -> dict[str, list[EntryPoint]]:
    """List the providers of a stage by name, without importing any; ``every`` spares reading what is installed."""
    found: dict[str, list[EntryPoint]] = {}
    for point in (entry_points() if every is None else every).select(group=f"rkx.{stage}"):
        found.setdefault(point.name, []).append(point)
    return found


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown"


def find(stage: Stage, name: str, every: Installed | None = None) -> tuple[type[Plugin[Any]], str]:
    """Import the provider called ``name`` and give it with its distribution; the code of no other plugin runs."""
    points = installed(stage, every)
    if name not in points:
        raise _not_found(stage, name, sorted(points))
    owners = sorted({_owner(point) for point in points[name]})
    if len(owners) > 1:
        raise PluginConflict(
            f"{stage} plugin {name!r} comes from {' and '.join(owners)}", hint="uninstall all of them but one"
        )
    return _checked(stage, name, owners[0], _load(stage, points[name], owners[0])), owners[0]


def _not_found(stage: Stage, name: str, known: Sequence[str]) -> PluginNotFound:
    near = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return PluginNotFound(
        f"no {stage} plugin named {name!r} is installed",
        hint=f"{meant}installed: {', '.join(known) or 'none'}; another one comes with: pip install rkx-{stage}-{name}",
    )


def _load(stage: Stage, points: list[EntryPoint], owner: str) -> object:
    from stevedore.named import NamedExtensionManager

    name = points[0].name

    class _Group(NamedExtensionManager[Any]):
        """The entry points that were found, so that no stale cache hides a new plugin."""

        def list_entry_points(self) -> list[EntryPoint]:
            return points

    def fail(_manager: object, _point: object, error: BaseException) -> None:
        raise PluginFault(
            f"{stage} plugin {name!r} cannot be imported: {error!r}",
            plugin=name,
            owner=owner,
            trace="".join(traceback.format_exception(error)),
            hint=f"reinstall {owner}, or report this to its authors",
        ) from error

    [extension] = _Group(f"rkx.{stage}", [name], on_load_failure_callback=fail)
    return extension.plugin


def _checked(stage: Stage, name: str, owner: str, loaded: object) -> type[Plugin[Any]]:
    if not (isinstance(loaded, type) and issubclass(loaded, Plugin)):
        raise PluginFault(f"{stage} plugin {name!r} is no class derived from rkx's", plugin=name, owner=owner)
    if loaded.stage != stage or loaded.name != name:
        raise PluginFault(
            f"{stage} plugin {name!r} calls itself {loaded.stage} {loaded.name!r}", plugin=name, owner=owner
        )
    if loaded.api != API_VERSION:
        raise PluginApiMismatch(
            f"{stage} plugin {name!r} speaks version {loaded.api} of the hooks, this rkx version {API_VERSION}",
            hint=f"install a version of {owner} made for it",
        )
    return loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One plugin in use: its reference in cluster.yml, its instance, and the distribution that it comes from."""

    ref: PluginRef
    plugin: Plugin[Any]
    owner: str


class Plugins:
    """All chosen plugins, with one typed method per hook."""

    def __init__(self, chosen: Sequence[Chosen]) -> None:
        self._chosen = tuple(chosen)
        self._pluggy = pluggy.PluginManager("rkx")
        self._pluggy.add_hookspecs(Specifications)
        for each in chosen:
            self._register(each)

    def _register(self, chosen: Chosen) -> None:
        plugin = chosen.plugin
        for name in dir(Specifications):
            method = getattr(type(plugin), name, None)
            if name.startswith("rkx_") and method is not None and not hasattr(method, "rkx_impl"):
                raise _fault(chosen, f"{name} lacks the marker @rkx.hookimpl")
        try:
            self._pluggy.register(plugin, name=f"{chosen.ref.stage}:{chosen.ref.name}:{id(plugin)}")
            self._pluggy.check_pending()
        except pluggy.PluginValidationError as error:
            raise _fault(chosen, str(error)) from error

    def of(self, stage: Stage) -> tuple[Chosen, ...]:
        """List the chosen plugins of a stage, in cluster.yml's order."""
        return tuple(each for each in self._chosen if each.ref.stage == stage)

    def versions(self) -> list[tuple[str, str, str]]:
        """List stage, name and distribution of each plugin in use."""
        return [(each.ref.stage, each.ref.name, each.owner) for each in self._chosen]

    def images(self) -> frozenset[str]:
        """Give the names under ``system_images`` that the chosen plugins ask for."""
        return frozenset(name for each in self._chosen for name in each.plugin.images)

    def risks(self) -> frozenset[str]:
        """Give the names of the risks that the chosen plugins know."""
        return frozenset(name for each in self._chosen for name in each.plugin.risks)

    def _has(self, chosen: Chosen, hook: str) -> bool:
        return any(impl.plugin is chosen.plugin for impl in getattr(self._pluggy.hook, hook).get_hookimpls())

    def _call(self, chosen: Chosen, hook: str, deadline_s: float | None, **arguments: Any) -> Any:  # noqa: ANN401
        others = [each.plugin for each in self._chosen if each is not chosen]
        caller = self._pluggy.subset_hook_caller(hook, others)
        if deadline_s is None:
            return _guarded(chosen, hook, lambda: caller(**arguments))
        return _guarded(chosen, hook, lambda: _within(deadline_s, chosen, hook, lambda: caller(**arguments)))

    def _one(self, chosen: Chosen, hook: str, kind: type[T], **arguments: Any) -> T:  # noqa: ANN401
        results = self._call(chosen, hook, DEADLINE_S, **arguments)
        if len(results) != 1 or not isinstance(results[0], kind):
            raise _fault(chosen, f"{hook} returned {_kinds(results)}, not {kind.__name__}")
        return results[0]

    def _many(
        self,
        chosen: Chosen,
        hook: str,
        kinds: tuple[type, ...],
        deadline_s: float | None,
        **arguments: Any,  # noqa: ANN401
    ) -> list[Any]:
        if not self._has(chosen, hook):
            return []
        [result] = self._call(chosen, hook, deadline_s, **arguments)
        if not isinstance(result, list | tuple):
            raise _fault(chosen, f"{hook} returned {type(result).__name__}, not a list or tuple")
        for item in result:
            if not isinstance(item, kinds):
                raise _fault(chosen, f"{hook} returned {type(item).__name__} among its results")
        return list(result)

    def _named(self, stage: Stage) -> Chosen:
        return self.of(stage)[0]

    def validate(self, cluster: Cluster) -> list[Problem]:
        """Ask every plugin for mistakes in cluster.yml; each may carry a risk that its plugin declares."""
        found: list[Problem] = []
        for each in self._chosen:
            own = self._many(each, "rkx_validate", (Problem,), DEADLINE_S, cluster=cluster)
            if strange := {problem.risk for problem in own} - each.plugin.risks - {""}:
                raise _fault(each, f"rkx_validate returned the risk {min(strange)!r}, which is none of its own")
            found += own
        return found

    def checks(self, cluster: Cluster, facts: Facts) -> list[Finding | PortClaim]:
        """Ask every plugin to judge the nodes."""
        kinds = (Finding, PortClaim)
        return [
            check
            for each in self._chosen
            for check in self._many(each, "rkx_checks", kinds, DEADLINE_S, cluster=cluster, facts=facts)
        ]

    def open_transport(self, chosen: Chosen, node: Node, prompt: Prompt | None) -> Transport:
        """Connect to a node by the transport chosen for it; on the caller's thread, without a deadline of ours."""
        [transport] = self._call(chosen, "rkx_open_transport", None, node=node, prompt=prompt)
        if not isinstance(transport, Transport):
            raise _fault(chosen, f"rkx_open_transport returned {type(transport).__name__}, not a transport")
        return transport

    def identities(self, cluster: Cluster) -> list[Identity]:
        """Collect the credentials that all parts need, sorted by name."""
        found: dict[str, Identity] = {}
        for each in self._chosen:
            for identity in self._many(each, "rkx_identities", (Identity,), DEADLINE_S, cluster=cluster):
                if identity.name in found:
                    raise _fault(each, f"identity {identity.name!r} is claimed by {found[identity.name].owner} too")
                found[identity.name] = replace(identity, owner=_stamp(each))
        if NODE_CLIENT_CA not in found:  # nobody signs in the cluster, so nobody renews anything there
            found = {name: _lasting(identity) for name, identity in found.items()}
        return [found[name] for name in sorted(found)]

    def credentials_due(
        self, cluster: Cluster, identities: Sequence[Identity], saved: Mapping[str, Saved], now: datetime
    ) -> list[Due]:
        """Ask the auth plugin which credentials to make or renew."""
        return self._many(
            self._named("auth"),
            "rkx_credentials_due",
            (Due,),
            DEADLINE_S,
            cluster=cluster,
            identities=tuple(identities),
            saved=saved,
            now=now,
        )

    def issue(self, requests: Sequence[IssueRequest], now: datetime) -> list[Issued | Pending]:
        """Have the auth plugin issue certificates."""
        named = self._named("auth")
        own = tuple(r if r.identity.owner == _stamp(named) or r.signer else replace(r, key=None) for r in requests)
        return self._many(named, "rkx_issue", (Issued, Pending), None, requests=own, now=now)

    def auth_settings(self, cluster: Cluster, facts: Facts) -> AuthSettings:
        """Merge what all auth plugins add to the API server; the same argument twice is a fault."""
        arguments: dict[str, str] = {}
        files: list[File] = []
        signers: list[str] = []
        for each in self.of("auth"):
            settings = self._one(each, "rkx_auth_settings", AuthSettings, cluster=cluster, facts=facts)
            if twice := sorted(arguments.keys() & settings.arguments.keys()):
                raise _fault(each, f"--{twice[0]} is set by another auth plugin too")
            arguments |= settings.arguments
            files += settings.files
            signers += [settings.node_signer] if settings.node_signer else []
            if len(signers) > 1:
                raise _fault(each, f"{signers[1]} cannot sign for nodes: another auth plugin's {signers[0]} does")
        return AuthSettings(arguments=arguments, files=tuple(files), node_signer="".join(signers))

    def network_settings(self, cluster: Cluster, facts: Facts) -> NetworkSettings:
        """Ask the named network what services must know."""
        return self._one(self._named("network"), "rkx_network_settings", NetworkSettings, cluster=cluster, facts=facts)

    def network_resources(self, cluster: Cluster, facts: Facts, network: NetworkSettings) -> list[Resource]:
        """Ask the named network for its resources."""
        return self._resources(
            self._named("network"), "rkx_network_resources", None, cluster=cluster, facts=facts, network=network
        )

    def service_resources(
        self, cluster: Cluster, node: Node, facts: Facts, auth: AuthSettings, network: NetworkSettings
    ) -> list[Resource]:
        """Ask all services for one node's resources."""
        return [
            resource
            for each in self.of("service")
            for resource in self._resources(
                each,
                "rkx_service_resources",
                node.name,
                cluster=cluster,
                node=node,
                facts=facts,
                auth=auth,
                network=network,
            )
        ]

    def addon_resources(self, cluster: Cluster, network: NetworkSettings) -> list[Resource]:
        """Ask all addons for their manifests."""
        return [
            resource
            for each in self.of("addon")
            for resource in self._resources(each, "rkx_addon_resources", "", cluster=cluster, network=network)
        ]

    def _resources(self, chosen: Chosen, hook: str, allowed: str | None, /, **arguments: Any) -> list[Resource]:  # noqa: ANN401
        found: list[Resource] = self._many(chosen, hook, RESOURCES, DEADLINE_S, **arguments)
        for resource in found:
            if allowed is not None and resource.key.node not in ("", allowed):
                raise _fault(chosen, f"{hook} for {allowed or 'the cluster'} returned {resource.key}")
        return [stamped(resource, _stamp(chosen)) for resource in found]

    def amended(self, cluster: Cluster, resources: Sequence[Resource]) -> list[Resource]:
        """Let each extension change resources, in cluster.yml's order."""
        current = list(resources)
        for each in self.of("extension"):
            current = self._many(each, "rkx_amend", RESOURCES, DEADLINE_S, cluster=cluster, resources=tuple(current))
        return current

    def asks(self, cluster: Cluster, applied: Sequence[Key]) -> list[Call]:
        """Collect what services want looked up at plan time."""
        return [
            call
            for each in self.of("service")
            for call in self._many(each, "rkx_asks", (Call,), DEADLINE_S, cluster=cluster, applied=tuple(applied))
        ]

    def turns(
        self, cluster: Cluster, applied: Sequence[Key], changes: Sequence[Action], answers: Answers
    ) -> list[Turn | Lane]:
        """Collect the steps that services put around changes; each is stamped with its owner."""
        found: list[Turn | Lane] = []
        for each in self.of("service"):
            arguments = {"cluster": cluster, "applied": tuple(applied), "changes": tuple(changes), "answers": answers}
            for turn in self._many(each, "rkx_turns", (Turn, Lane), DEADLINE_S, **arguments):
                found.append(_owned_turn(turn, _stamp(each)) if isinstance(turn, Turn) else turn)
        return found

    def step(self, step: Step, answers: Answers) -> Verdict:
        """Ask the step's owner what it needs next."""
        owner = next(each for each in self._chosen if _stamp(each) == step.owner)
        [verdict] = self._call(owner, "rkx_step", DEADLINE_S, step=step, answers=answers)
        if not isinstance(verdict, Done | Do | Wait | Refuse):
            raise _fault(owner, f"rkx_step returned {type(verdict).__name__}, not a verdict")
        return verdict


def _lasting(identity: Identity) -> Identity:
    return replace(identity, life="lasting") if identity.life == "self-renewed" else identity


def _stamp(chosen: Chosen) -> str:
    return f"{chosen.ref.stage}:{chosen.ref.name}"


def _owned_turn(turn: Turn, owner: str) -> Turn:
    def own(steps: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(replace(step, owner=owner) for step in steps)

    return replace(turn, owner=owner, enter=own(turn.enter), leave=own(turn.leave))


def _kinds(results: Sequence[object]) -> str:
    return ", ".join(type(result).__name__ for result in results) or "nothing"


def _fault(chosen: Chosen, message: str, trace: str = "") -> PluginFault:
    named = f"{chosen.ref.stage} plugin {chosen.ref.name!r} ({chosen.owner})"
    return PluginFault(
        f"{named}: {message}",
        plugin=chosen.ref.name,
        owner=chosen.owner,
        trace=trace,
        hint=f"report this to the authors of {chosen.owner}",
    )


def _guarded(chosen: Chosen, hook: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except RkxError:
        raise
    except (Exception, SystemExit) as error:
        raise _fault(chosen, f"{hook} raised {error!r}", traceback.format_exc()) from error


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
        raise _fault(chosen, f"{hook} gave no answer in {deadline_s:g} s") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value] # None stands only beside an error
