"""Show a plan: as text, node by node, or as JSON values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from msgspec.structs import asdict

from rkx.cli.show_plain import counted
from rkx.lines import one_line
from rkx.model.action import Action
from rkx.model.plan import Plan
from rkx.model.update import NodeUpdate, keys_of


def as_text(plan: Plan) -> str:
    """Return a plan for reading: per node, what is done to which resource, why, and what changes."""
    lines = [one_line(line) for line in (*_actions(plan), *_groups(plan), *_remarks(plan))]
    if plan.is_empty:
        return "\n".join(["nothing to do", *lines])
    return "\n".join([f"{plan.cluster}: {counted(len(plan.actions), 'action')}", *lines])


def _actions(plan: Plan) -> Iterator[str]:
    ordered = sorted(plan.actions, key=lambda action: action.key.node)
    for node, actions in groupby(ordered, key=lambda action: action.key.node):
        yield node or "the cluster"
        for action in actions:
            yield from _action(action)


def _action(action: Action) -> Iterator[str]:
    owner = f", by {action.owner}" if action.owner else ""
    yield f"  {action.verb:<8} {action.key.shown_kind.lower()} {action.key.shown_name} ({action.reason}{owner})"
    for change in action.changes:
        values = (
            f": {change.before or 'nothing'} -> {change.after or 'nothing'}" if change.before or change.after else ""
        )
        yield f"           {change.field}{values}"


def _groups(plan: Plan) -> Iterator[str]:
    for group in plan.groups:
        if nodes := [update.node for update in plan.updates if update.group == group.name]:
            yield f"{group.name}: at most {group.max_unavailable} at a time: {', '.join(nodes)}"


def _remarks(plan: Plan) -> Iterator[str]:
    for finding in plan.findings:
        yield f"warning: {finding.node or 'the cluster'}: {finding.message}"
    for what in plan.unknown:
        yield f"unknown until the API answers: {what}"
    for name in plan.unreachable:
        yield f"not reached, left as it is: {name}"
    for risk in plan.risks:
        yield f"accepted risk {risk.name}: {risk.where}: {risk.what}"
    for danger in plan.confirmations:
        yield f"asks first: {danger.what} ({danger.why})"


def as_values(plan: Plan) -> dict[str, Any]:
    """Return a plan for programs; ``v`` is the version of this form."""
    return {
        "v": 1,
        "cluster": plan.cluster,
        "empty": plan.is_empty,
        "actions": [_action_values(action) for action in plan.actions],
        "groups": [asdict(group) for group in plan.groups],
        "updates": [_update_values(update) for update in plan.updates],
        "confirmations": [{"what": danger.what, "why": danger.why} for danger in plan.confirmations],
        "findings": [{"node": each.node, "message": each.message, "hint": each.hint} for each in plan.findings],
        "unknown": list(plan.unknown),
        "unreachable": list(plan.unreachable),
        "risks": [asdict(risk) for risk in plan.risks],
    }


def _action_values(action: Action) -> dict[str, Any]:
    return {
        "verb": action.verb,
        "node": action.key.node,
        "kind": action.key.shown_kind,
        "name": action.key.shown_name,
        "reason": action.reason,
        "owner": action.owner,
        "changes": [{"field": c.field, "before": c.before, "after": c.after} for c in action.changes],
        "after": [str(key) for key in action.after],
    }


def _update_values(update: NodeUpdate) -> dict[str, Any]:
    return {"group": update.group, "node": update.node, "keys": [str(key) for key in keys_of(update)]}
