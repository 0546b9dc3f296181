"""How runs and plans are shown: recorded texts."""

from __future__ import annotations

import io
import json

from rich.console import Console
from tests.conftest import Golden
from tests.core.cli.conftest import FakeApi, numbered, rkx

from rkx import api
from rkx.cli.progress import CLUSTER, Progress, Row
from rkx.cli.show_json import JsonLines
from rkx.cli.show_plain import Plain
from rkx.cli.show_plan import as_text
from rkx.cli.show_rich import Screen
from rkx.errors import Problem
from rkx.events import (
    ActionFailed,
    ActionFinished,
    ActionStarted,
    Event,
    PlanReady,
    ProblemFound,
    RunFinished,
    RunStarted,
    Waiting,
)
from rkx.model.action import Change, CreateContainer, ReplaceContainer, TakeStep, WaitForNode
from rkx.model.key import HealthKey, NodeKey
from rkx.model.plan import Confirmation, Plan
from rkx.model.resource import Container
from rkx.model.risk import Risk
from rkx.model.step import Step
from rkx.model.update import NodeUpdate, RolloutGroup

AGENT = Container(node="one", name="kubelet", image="i", argv=())
WAITS = Container(node="two", name="kube-proxy", image="i", argv=())
KUBELET, PROXY, READY = AGENT.key, WAITS.key, HealthKey(NodeKey("one"))
DRAIN = Step(verb="drain", subject="node two", reason="it changes")
PLAN = Plan(
    cluster="sample",
    actions=(
        ReplaceContainer(
            key=AGENT.key,
            reason="image changed",
            owner="kubernetes",
            changes=(Change(field="image", before="rkx/kubernetes:v1", after="rkx/kubernetes:v2"), Change(field="env")),
        ),
        WaitForNode(node="one", reason="others need it", after=(KUBELET,)),
        TakeStep(node="two", group="workers", step=DRAIN, reason="it changes"),
        CreateContainer(key=WAITS.key, reason="missing", after=(READY,)),
    ),
    updates=(NodeUpdate(group="workers", node="two", pre_steps=(DRAIN,), keys=(PROXY,)),),
    groups=(RolloutGroup(name="workers", max_unavailable=2),),
    confirmations=(Confirmation(what="remove node three", why="its pods move"),),
    unknown=("objects",),
    unreachable=("four",),
    risks=(Risk(name="open-door", where="nodes[0]", what="everybody may enter"),),
)
EVENTS = numbered(
    RunStarted(command="up", cluster="sample"),
    ProblemFound(where="ingress", message="not acted on yet", hint="leave it out"),
    PlanReady(actions=4, plan=PLAN),
    ActionStarted(node="one", verb="replace", key=str(KUBELET), reason="image changed"),
    Waiting(node="one", key=str(KUBELET), why="/healthz answers 500"),
    ActionFinished(node="one", verb="replace", key=str(KUBELET), duration_s=1.5),
    ActionStarted(verb="wait", key=str(READY), reason="others need it"),
    ActionFinished(verb="wait", key=str(READY), duration_s=0.25),
    ActionStarted(node="two", verb="create", key=str(PROXY), reason="missing"),
    ActionFailed(node="two", verb="create", key=str(PROXY), message="no such image", hint="push it"),
    RunFinished(exit_code=7, message="no such image", duration_s=9.0),
)


def test_json_when_each_kind_of_event_is_shown_then_is_as_recorded(golden: Golden) -> None:
    lines: list[str] = []
    reader = JsonLines(lines.append)
    for event in EVENTS:
        reader.show(event)
    golden("events.jsonl", "".join(f"{line}\n" for line in lines))


def test_json_when_recorded_then_has_every_kind_of_event() -> None:
    assert {event.kind for event in EVENTS} == {kind.kind for kind in Event.__subclasses__()}


def _plain(*, verbose: bool) -> str:
    lines: list[str] = []
    reader = Plain(lines.append, verbose=verbose)
    for event in EVENTS:
        reader.show(event)
    return "".join(f"{line}\n" for line in lines)


def test_plain_when_a_run_is_shown_then_each_action_that_ended_has_a_line(golden: Golden) -> None:
    golden("plain.txt", _plain(verbose=False))


def test_plain_when_verbose_then_says_what_begins_and_waits(golden: Golden) -> None:
    golden("verbose.txt", _plain(verbose=True))


def test_plan_when_shown_then_names_node_verb_resource_reason_and_changes(golden: Golden) -> None:
    golden("plan.txt", as_text(PLAN) + "\n")


def test_plan_when_empty_then_says_so_and_exits_0(fake: FakeApi) -> None:
    assert (rkx("plan").exit_code, rkx("plan").stdout) == (0, "nothing to do\n")


def test_plan_when_asked_for_json_then_is_one_object_as_recorded(fake: FakeApi, golden: Golden) -> None:
    fake.plan = PLAN
    golden("plan.json", json.dumps(json.loads(rkx("plan", "--json").stdout), indent=1) + "\n")


def test_up_when_asked_for_json_then_every_line_is_an_event_and_nothing_else_is_said(fake: FakeApi) -> None:
    fake.work = lambda run, _options: run.emit(PlanReady(actions=0))
    lines = [json.loads(line) for line in rkx("up", "--json").output.splitlines()]
    assert [line["kind"] for line in lines] == ["run-started", "plan-ready", "run-finished"]
    assert [line["seq"] for line in lines] == [1, 2, 3]


def test_up_when_a_node_warns_then_the_warning_is_shown_but_not_the_files_again(fake: FakeApi) -> None:
    def work(run: api.Run, _options: api.Options) -> None:
        run.emit(ProblemFound(node="one", message="cgroup v2 was not tried", hint="tell us"))
        run.emit(ProblemFound(where="ingress", message="shown when the file was loaded"))

    fake.work = work
    shown = rkx("up").stdout
    assert "warning: one: cgroup v2 was not tried (tell us)" in shown
    assert "shown when the file was loaded" not in shown


def test_up_when_it_finds_what_is_of_no_node_then_that_is_shown_and_a_warning_of_the_file_once(fake: FakeApi) -> None:
    fake.warnings = (Problem(where="", message="a line of the file", warning=True),)

    def work(run: api.Run, _options: api.Options) -> None:
        run.emit(ProblemFound(message="a line of the file"))
        run.emit(ProblemFound(message="the state was found on one", hint="compare its authority"))

    fake.work = work
    for command in ("up", "remove"):
        found = rkx(command)
        assert "warning: the state was found on one (compare its authority)" in found.stdout
        assert (found.stdout + found.stderr).count("a line of the file") == 1


def _after(count: int) -> Progress:
    progress = Progress()
    for event in EVENTS[:count]:
        progress.take(event)
    return progress


def test_progress_when_an_action_runs_then_others_say_for_whom_they_wait() -> None:
    assert _after(5).rows() == [
        Row(node=CLUSTER, waits="health Node one for one container kubelet"),
        Row(node="one", now="replace container kubelet (/healthz answers 500)"),
        Row(node="two", waits="container kube-proxy for one container kubelet"),
    ]


def test_progress_when_all_ended_then_no_node_has_a_row() -> None:
    progress = _after(len(EVENTS))
    assert (progress.rows(), progress.done, progress.failed, progress.total) == ([], 2, 1, 4)


def test_progress_when_many_of_a_kind_run_then_they_are_counted() -> None:
    progress = Progress()
    for name in ("a", "b", "c"):
        progress.take(ActionStarted(node="one", verb="create", key=f"one file /etc/{name}"))
    assert progress.rows() == [Row(node="one", now="create 3 files")]


def test_progress_when_nodes_were_prepared_before_the_plan_then_both_are_counted() -> None:
    progress = Progress()
    progress.take(ActionFinished(node="one", verb="prepare", key="one program rkx-node"))
    progress.take(PlanReady(actions=4, plan=PLAN))
    assert (progress.done, progress.total) == (1, 5)


def test_screen_when_a_plan_accepts_a_risk_then_it_stays_on_the_screen() -> None:
    shown = io.StringIO()
    screen = Screen(Console(file=shown, force_terminal=False, width=160))
    screen.show(EVENTS[2])
    screen.close()
    assert "accepted risk open-door (nodes[0])" in shown.getvalue()


def test_screen_when_drawn_then_shows_time_count_and_rows() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=False, width=160)
    screen = Screen(terminal)
    for event in EVENTS[:5]:
        screen.show(event)
    with terminal.capture() as drawn:
        terminal.print(screen.render())
    screen.close()
    first, *rows = [line.split("  ") for line in drawn.get().splitlines()]
    assert (first[0], first[-1]) == ("up sample", "0 of 4 actions")
    assert [row[0] for row in rows] == [CLUSTER, "one", "two"]
