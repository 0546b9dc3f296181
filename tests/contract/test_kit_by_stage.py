"""The conformance kit's laws of single stages, each broken by a plugin that its law must find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.contract.kit import Law, breaks, keep
from tests.contract.test_kit import Net, net

import rkx
from rkx.testing.conformance import (
    test_every,
    test_extension,
    test_issuing,
    test_network,
    test_pure,
    test_service,
    test_steps,
)
from rkx.testing.conformance.subject import Subject, concerns, given, load
from rkx.testing.world import NoOptions


class Loose(msgspec.Struct, kw_only=True):
    """Not frozen."""


class Free(msgspec.Struct, frozen=True, kw_only=True):
    """Holds what can be changed."""

    hosts: list[str] = msgspec.field(default_factory=list)


class Unexplained(msgspec.Struct, frozen=True, kw_only=True):
    """Says nothing of its one option."""

    server: str


class Unmarked(Net):
    def rkx_checks(self, cluster: rkx.Cluster, facts: rkx.Facts) -> Sequence[rkx.Check]:
        return []


class Misplaced(Net):
    @rkx.hookimpl
    def rkx_addon_resources(self, cluster: rkx.Cluster, network: rkx.NetworkSettings) -> Sequence[rkx.Resource]:
        return []


class Choosy(Net):
    @rkx.hookimpl
    def rkx_validate(self, cluster: rkx.Cluster) -> Sequence[rkx.Problem]:
        return [rkx.Problem(where="network.plugin", message="not this one")]


class Nowhere(Net):
    @rkx.hookimpl
    def rkx_validate(self, cluster: rkx.Cluster) -> Sequence[rkx.Problem]:
        return [rkx.Problem(where="", message="somewhere", warning=True)]


class Writing(Net):
    @rkx.hookimpl
    def rkx_checks(self, cluster: rkx.Cluster, facts: rkx.Facts) -> Sequence[rkx.Check]:
        facts.clear()  # type: ignore[attr-defined] # what this plugin does wrong
        return []


def configured(config: Any) -> Subject:  # noqa: ANN401 - a config that is wrong in some way
    made: type[Net] = type("Made", (Net,), {"Config": type(config)})
    return given(made(config))


EVERY: list[tuple[Law, Subject]] = [
    (test_every.test_hooks_are_marked_and_take_known_arguments, given(Unmarked(NoOptions()))),
    (test_every.test_hooks_are_asked_of_its_stage, given(Misplaced(NoOptions()))),
    (test_every.test_config_is_a_frozen_struct, configured(Loose())),
    (test_every.test_config_is_a_frozen_struct, configured({})),
    (test_every.test_config_holds_nothing_that_can_be_changed, configured(Free())),
    (test_every.test_each_option_has_a_default_or_is_explained, configured(Unexplained(server="a"))),
    (test_every.test_an_unknown_option_is_refused_with_its_path, configured({})),
    (test_every.test_some_cluster_is_accepted_and_problems_say_where, given(Choosy(NoOptions()))),
    (test_every.test_some_cluster_is_accepted_and_problems_say_where, given(Nowhere(NoOptions()))),
    (test_pure.test_what_a_hook_is_given_stays_as_it_was, given(Writing(NoOptions()))),
    (test_network.test_settings_are_of_a_network, net(proxy="ipchains")),
    (test_network.test_settings_are_the_same_whoever_answered, net(counts=True)),
]


@pytest.mark.parametrize(("law", "subject"), EVERY)
def test_what_breaks_a_law_of_every_plugin_or_of_networks_is_found(law: Law, subject: Subject) -> None:
    breaks(law, subject)


UNSTEADY = """
import rkx
from rkx.testing.world import NoOptions
class Made(rkx.AddonPlugin[NoOptions]):
    name = "unsteady"
    Config = NoOptions
    @rkx.hookimpl
    def rkx_addon_resources(self, cluster, network):
        return [rkx.Manifest(name=name, text="") for name in set("abcdefghij")]
"""


@pytest.mark.whole
def test_an_order_that_comes_from_a_set_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_unsteady.py").write_text(UNSTEADY)
    info = tmp_path / "made_unsteady-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made-unsteady\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[rkx.addon]\nunsteady = made_unsteady:Made\n")
    monkeypatch.syspath_prepend(tmp_path)
    breaks(test_pure.test_the_same_input_gives_the_same_under_another_hash_seed, load("addon:unsteady", {}))


QUERY = rkx.step.NodeRequest(node="node-1", port=1, path="/", identity="", authority="")

ELSEWHERE = replace(QUERY, node="elsewhere")
ROOT = (rkx.Mount(source="/", target="/host"),)
COPY = rkx.step.CopyFile(node="node-1", path=PurePosixPath("saved"), local=Path("/tmp/saved"), direction="to-node")


def task(**more: object) -> rkx.step.RunTask:
    return replace(rkx.step.RunTask(node="node-1", image="made:1", argv=("made",)), **more)


class Service(rkx.ServicePlugin[NoOptions]):
    """A service with one container a node, and a step before each change of it."""

    name = "made"
    Config = NoOptions
    also_together = False
    group, node = "made", "node-1"
    width, after = 1, ()
    verdict: rkx.step.Verdict = rkx.step.Wait(why="nobody answers")
    answered: rkx.step.Verdict = rkx.step.Done()

    @rkx.hookimpl
    def rkx_service_resources(
        self,
        cluster: rkx.Cluster,
        node: rkx.Node,
        facts: rkx.Facts,
        auth: rkx.AuthSettings,
        network: rkx.NetworkSettings,
    ) -> Sequence[rkx.Resource]:
        names = ["made", "more"] if self.also_together and len(node.roles) == 2 else ["made"]
        return [rkx.Container(node=node.name, name=name, image="made:1", argv=("made",)) for name in names]

    @rkx.hookimpl
    def rkx_updates(self, changes: Sequence[rkx.action.ContainerAction]) -> Sequence[rkx.NodeUpdate | rkx.RolloutGroup]:
        step = rkx.step.Step(verb="join", subject="node-1", reason="new", queries=(QUERY,))
        keys = tuple(change.key for change in changes)
        return [
            rkx.RolloutGroup(name="made", max_unavailable=self.width, after=self.after),
            rkx.NodeUpdate(group=self.group, node=self.node, pre_steps=(step,), keys=keys),
        ]

    @rkx.hookimpl
    def rkx_step(self, step: rkx.step.Step, responses: rkx.step.Responses) -> rkx.step.Verdict:
        return self.answered if any(each.status for each in responses.values()) else self.verdict


def service(**attributes: object) -> Subject:
    made: type[Service] = type("Made", (Service,), attributes)
    return given(made(NoOptions()))


SERVICES: list[tuple[Law, dict[str, object]]] = [
    (test_service.test_roles_of_a_node_bring_what_each_alone_brings, {"also_together": True}),
    (test_steps.test_silence_proves_nothing, {"verdict": rkx.step.Done()}),
    (test_steps.test_silence_proves_nothing, {"verdict": rkx.step.Do(effects=(QUERY,))}),
    (test_steps.test_updates_stand_in_groups_that_there_are, {"group": "another"}),
    (test_steps.test_updates_stand_in_groups_that_there_are, {"width": 0}),
    (test_steps.test_updates_concern_nodes_of_the_cluster_and_what_the_plugin_describes, {"node": "elsewhere"}),
    (test_steps.test_what_a_step_does_is_of_nodes_of_the_cluster, {"answered": rkx.step.Do(effects=(ELSEWHERE,))}),
    (test_steps.test_what_a_step_does_is_of_nodes_of_the_cluster, {"answered": rkx.step.Do(effects=(task(node="x"),))}),
    (test_steps.test_tasks_are_bounded_and_see_no_whole_machine, {"answered": rkx.step.Do(effects=(task(image="a"),))}),
    (test_steps.test_tasks_are_bounded_and_see_no_whole_machine, {"answered": rkx.step.Do(effects=(task(argv=()),))}),
    (
        test_steps.test_tasks_are_bounded_and_see_no_whole_machine,
        {"answered": rkx.step.Do(effects=(task(mounts=ROOT),))},
    ),
    (test_steps.test_files_are_copied_between_whole_paths, {"answered": rkx.step.Do(effects=(COPY,))}),
    (test_steps.test_every_width_lets_all_updates_in_and_never_more_at_a_time, {"after": ("made",)}),
]


@pytest.mark.whole
@pytest.mark.parametrize(("law", "attributes"), SERVICES)
def test_what_breaks_a_law_of_services_is_found(law: Law, attributes: dict[str, object]) -> None:
    keep(law, service())
    breaks(law, service(**attributes))


class Extension(rkx.ExtensionPlugin[NoOptions]):
    name = "made"
    Config = NoOptions
    amend: Callable[[Sequence[rkx.Resource]], Sequence[rkx.Resource]] = staticmethod(lambda found: found)

    @rkx.hookimpl
    def rkx_amend(self, cluster: rkx.Cluster, resources: Sequence[rkx.Resource]) -> Sequence[rkx.Resource]:
        return type(self).amend(resources)


def extension(amend: Callable[[Sequence[rkx.Resource]], Sequence[rkx.Resource]]) -> Subject:
    made: type[Extension] = type("Made", (Extension,), {"amend": staticmethod(amend)})
    return given(made(NoOptions()))


EXTENSIONS: list[tuple[Law, Callable[[Sequence[rkx.Resource]], Sequence[rkx.Resource]]]] = [
    (test_extension.test_what_comes_in_goes_out, lambda resources: resources[1:]),
    (
        test_extension.test_what_was_changed_stays_its_makers,
        lambda found: [replace(each, owner="me") for each in found],
    ),
]


@pytest.mark.parametrize(("law", "amend"), EXTENSIONS)
def test_what_breaks_a_law_of_extensions_is_found(
    law: Law, amend: Callable[[Sequence[rkx.Resource]], Sequence[rkx.Resource]]
) -> None:
    keep(law, extension(list))
    breaks(law, extension(amend))


def test_laws_of_other_stages_and_of_hooks_that_it_lacks_are_not_its_own() -> None:
    network, settings_only = net(), Service(NoOptions())
    assert concerns(test_pure, network)
    assert not concerns(test_issuing, network)
    assert concerns(test_steps, given(settings_only))
    assert not concerns(test_steps, load("addon:coredns", {}))
