"""Observe what a plan rests on, and plan; nodes that hold up no other are left out where they are unfit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from rkx.errors import PreflightFailed
from rkx.model.plan import Plan
from rkx.model.step import NodeRequest
from rkx.reconcile import planner
from rkx.reconcile.desired import Desired
from rkx.reconcile.gather import gather
from rkx.reconcile.node_requests import send_all
from rkx.reconcile.object_reader import compared
from rkx.reconcile.observation import Observation
from rkx.reconcile.opening import Opened
from rkx.reconcile.plan_updates import Unanswered
from rkx.reconcile.preflight import by_node

Planned = tuple[Desired, Plan]


def fit(opened: Opened) -> Planned:
    """Plan; nodes that hold up no other are left out where they alone are unfit, then it is planned for the rest."""
    while True:
        try:
            return plan(opened)
        except PreflightFailed as error:
            if not _leave_out(opened, by_node(error)):
                raise


def _leave_out(opened: Opened, unfit: Mapping[str, PreflightFailed]) -> bool:
    held_up = unfit.keys() - opened.context.optional
    return not held_up and any([opened.observer.leave_out(name, why) for name, why in unfit.items()])


def plan(opened: Opened) -> Planned:
    """Look at the objects, and plan; the queries of plugins are asked only where the plan needs their answers.

    Raises PreflightFailed where nodes are unfit, Refused where data or service would be lost.
    """
    context, observer = opened.context, opened.observer
    desired = gather(context, observer.nodes)
    observation = replace(observer.observation(), objects=opened.prefetch.snapshot(compared(desired)))
    while isinstance(found := planner.plan(context.plugins, desired, observation, context.state), Unanswered):
        observation = _answered(opened, observation, found.queries)
    return desired, found


def plan_removal(opened: Opened) -> Planned:
    """Plan for nothing."""
    observation = opened.observer.observation()
    desired = planner.removal_of(gather(opened.context, opened.observer.nodes), observation)
    return desired, planner.plan_removal(desired, observation, opened.context.state)


def _answered(opened: Opened, observation: Observation, queries: Sequence[NodeRequest]) -> Observation:
    """Add answers; a node that forbids forwarding, where a plan starts no relay, gives none."""
    links = opened.context.connections.links
    responses = {**observation.responses, **send_all(queries, links, opened.context.store)}
    return replace(observation, responses=responses, is_blind=any(link.is_blind for link in links.values()))
