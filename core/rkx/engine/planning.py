"""From what a visit saw and what is wanted to the plan: differences, their order, the turns around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rkx.engine import digest
from rkx.engine.birth import check_data
from rkx.engine.desire import Desired, without
from rkx.engine.diff import diff_nodes, take_down
from rkx.engine.diff_objects import diff_objects, is_grave
from rkx.engine.glance import Glance
from rkx.engine.ledger import Ledger
from rkx.engine.objects import ApiSilent
from rkx.engine.order import SURVEY, order
from rkx.engine.preflight import by_node, preflight, readable
from rkx.engine.shaken import shaken
from rkx.engine.turns import ask_all
from rkx.engine.visit import Visit
from rkx.errors import PluginFault, PreflightFailed, Refused
from rkx.lines import cut
from rkx.model.plan import Action, Danger, Plan
from rkx.model.resource import Container, File, Key, Leaves, Object
from rkx.model.step import Lane, Refuse, Turn

LEAVES = "its pods move, its data goes; credentials that somebody copied there are valid until they end"


def fit(visit: Visit) -> tuple[Desired, Plan]:
    """Plan; nodes that hold up no other are left out where they alone are unfit, then it is planned for the rest."""
    while True:
        desired = visit.desired()
        try:
            return desired, plan(visit, desired)
        except PreflightFailed as error:
            if not _leave_out(visit, by_node(error)):
                raise


def _leave_out(visit: Visit, unfit: Mapping[str, PreflightFailed]) -> bool:
    held_up = unfit.keys() - visit.optional
    return not held_up and any([visit.leave_out(name, why) for name, why in unfit.items()])


def plan(visit: Visit, desired: Desired) -> Plan:
    """Compare what should be with what is."""
    warnings = preflight(visit.plugins, desired, visit.seen, visit.ledger)
    seen = {name: each for name, each in visit.seen.items() if name in desired.layouts}
    check_data(desired, seen, visit.ledger.state)
    actions = diff_nodes(desired, seen, visit.ledger)
    actions += shaken(desired, actions, seen)
    objects, unknown = _objects(visit, desired)
    gone = visit.gone()
    actions += objects + _departures(visit, gone, desired)
    ordered = order(actions, desired)
    dangers = [Danger(what=f"remove node {name}", why=LEAVES) for name in gone]
    dangers += _of_machines(visit)
    dangers += [Danger(what=f"delete {a.key}", why="all that belongs to it goes") for a in objects if is_grave(a)]
    turns, lanes = _turns(visit, desired, ordered)
    return Plan(
        cluster=visit.cluster.name,
        actions=ordered,
        turns=turns,
        lanes=lanes,
        unknown=unknown,
        asks=tuple(dangers),
        unreachable=tuple(sorted(visit.unreachable)),
        findings=tuple(map(readable, (*visit.told, *warnings))),
        contents=_contents(ordered, desired, visit.ledger),
        risks=visit.cluster.risks,
    )


def _of_machines(visit: Visit) -> list[Danger]:
    lost = "what lies on the former machine stays there, and its credentials are valid until they end"
    found = [Danger(what=f"replace node {name}", why=lost) for name in sorted(visit.replaced)]
    known = visit.ledger.state.nodes
    for node in visit.cluster.nodes:
        if node.name in known and "controlplane" in known[node.name].roles and not node.has("controlplane"):
            why = "its API server and its copy of the state go"
            found.append(Danger(what=f"take the control plane from {node.name}", why=why))
    return found


def _contents(actions: Sequence[Action], desired: Desired, ledger: Ledger) -> str:
    """Digest what the actions would write, so that a plan is applied as it was shown, or not at all."""
    words = []
    for action in actions:
        resource = desired.objects.get(action.key) or desired.resources.get(action.key)
        match resource:
            case File():
                words.append(ledger.word(resource))
            case Container():
                words.append(digest.of_container(ledger.key, resource))
            case Object():
                words.append(digest.of_object(ledger.key, resource))
    return digest.keyed(ledger.key, "\n".join(words).encode())


def plan_removal(visit: Visit, desired: Desired) -> tuple[Desired, Plan]:
    """Plan for nothing: every node is taken down."""
    wanted = without(desired, [*visit.seen])
    actions = [
        action
        for name, seen in sorted(visit.seen.items())
        for action in take_down(name, seen, visit.ledger, _leaves(wanted, name))
    ]
    danger = Danger(what=f"remove the whole cluster {visit.cluster.name!r}", why="all of its data goes")
    asks = (danger,) if actions else ()
    away = tuple(sorted(visit.unreachable))
    return wanted, Plan(
        cluster=visit.cluster.name,
        actions=order(actions, wanted),
        asks=asks,
        unreachable=away,
        findings=tuple(map(readable, visit.told)),
    )


def _objects(visit: Visit, desired: Desired) -> tuple[list[Action], tuple[str, ...]]:
    early, visit.glance = visit.glance, None
    try:
        return _compared(visit, desired, early), ()
    except ApiSilent:
        reason = f"unknown until the API answers: up to {len(desired.objects)} objects"
        return [Action(verb="survey", key=SURVEY, reason=reason)], ("objects",)


def _compared(visit: Visit, desired: Desired, early: Glance | None) -> list[Action]:
    glance = early or Glance(visit.api)
    try:
        return diff_objects(desired, glance, visit.ledger, partial=bool(visit.unreachable))
    except ApiSilent:
        if early is None:
            raise
    finally:
        glance.close()
    return _compared(visit, desired, None)  # the first control plane node was silent: others are there by now


def _departures(visit: Visit, gone: Sequence[str], desired: Desired) -> list[Action]:
    found: list[Action] = []
    for name in gone:
        leave = Action(verb="remove", key=Key("", "Node", name), reason="no longer in cluster.yml")
        downs = take_down(name, visit.seen[name], visit.ledger, _leaves(desired, name))
        found += [leave, *(replace(action, after=(*action.after, leave.key)) for action in downs)]
    return found if desired.cluster.nodes else []


def _turns(visit: Visit, desired: Desired, actions: Sequence[Action]) -> tuple[tuple[Turn, ...], tuple[Lane, ...]]:
    """Ask for turns; a container that nobody put on a node, whatever it is called, is that node's word alone."""
    ours = _recorded(visit) | desired.resources.keys()
    applied = sorted({*_recorded(visit), *(_running(visit) & ours)})
    changes = [action for action in actions if action.key.kind == "Container" and action.key in ours]
    if not changes:
        return (), ()
    answers = ask_all(visit.plugins.asks(visit.cluster, applied), visit.links, visit.ledger)
    found = visit.plugins.turns(visit.cluster, applied, changes, answers)
    keys = {action.key for action in actions}
    for turn in found:
        if isinstance(turn, Turn):
            _check_turn(visit, turn, keys)
    return tuple(t for t in found if isinstance(t, Turn)), tuple(lane for lane in found if isinstance(lane, Lane))


def _check_turn(visit: Visit, turn: Turn, planned: set[Key]) -> None:
    """Refuse now what its steps would refuse later, when half of the run is done."""
    if planned.isdisjoint(turn.keys):
        raise PluginFault(f"{turn.owner}: a turn of {turn.node} claims nothing that is planned")
    if any(link.is_blind for link in visit.links.values()):
        return  # a plan starts no relay, so silence says nothing
    for step in turn.enter:
        verdict = visit.plugins.step(step, ask_all(step.asks, visit.links, visit.ledger))
        if isinstance(verdict, Refuse):
            raise Refused(f"{step.verb} {step.subject}: {cut(verdict.why)}", hint=cut(verdict.hint))


def _recorded(visit: Visit) -> set[Key]:
    nodes = visit.ledger.state.nodes.items()
    return {Key(name, "Container", each) for name, record in nodes for each in record.containers}


def _running(visit: Visit) -> set[Key]:
    return {Key(n, "Container", c) for n, seen in visit.seen.items() for c in seen.ours(visit.cluster.id)}


def _leaves(desired: Desired, node: str) -> list[Leaves]:
    return [each for each in desired.leaving.get(node, ()) if isinstance(each, Leaves)]
