"""Each check of the benchmark passes by right evidence and fails by wrong; the documentation has them all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from tests.cis.conftest import evidence, wanted
from tests.cis.wrong import OPEN, RIGHT, WRONG, entry

from rkx_cis import gather, table
from rkx_cis.check import Check
from rkx_cis.checks import CHECKS, PROFILES, REASONS, Profile, expected
from rkx_cis.evidence import Entry, Evidence, Process, Verdict

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cis.md"
BY_ID = {check.id: check for check in CHECKS}
TESTED = [check for check in CHECKS if check.kind != "manual"]
Rendered = Callable[[Profile], Evidence]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """Return the evidence of a cluster that rkx describes with a profile."""
    folder = tmp_path_factory.mktemp("rendered")
    return cache(lambda profile: evidence(wanted(profile, folder)))


def test_the_list_is_the_benchmarks() -> None:
    assert Counter(check.kind for check in CHECKS) == {"scored": 65, "unscored": 38, "manual": 28}
    assert len(BY_ID) == len(CHECKS)
    sizes = Counter(check.id.rpartition(".")[0] for check in CHECKS)
    assert sizes == {
        **{"1.1": 21, "1.2": 30, "1.3": 7, "1.4": 2, "2": 7, "3.1": 3, "3.2": 2, "4.1": 10, "4.2": 14, "4.3": 1},
        **{"5.1": 13, "5.2": 12, "5.3": 2, "5.4": 2, "5.5": 1, "5.6": 4},
    }


def test_every_check_that_is_tested_has_wrong_evidence() -> None:
    assert [check.id for check in TESTED if not WRONG.get(check.id)] == []


def right(check: Check, found: Evidence) -> Evidence:
    """Change what fails for a reason on rkx's clusters."""
    return RIGHT[check.id](found) if check.id in RIGHT else found


def test_each_check_passes_by_right_evidence_and_says_what_it_saw(rendered: Rendered) -> None:
    verdicts = {check.id: check.judge(right(check, rendered("cis"))) for check in TESTED}
    assert {name: verdict for name, verdict in verdicts.items() if verdict.result != "pass" or not verdict.seen} == {}


@pytest.mark.parametrize("check", TESTED, ids=lambda check: check.id)
def test_a_check_fails_by_wrong_evidence_and_says_what_it_saw(rendered: Rendered, check: Check) -> None:
    verdicts = [check.judge(change(right(check, rendered("cis")))) for change in WRONG[check.id]]
    assert [(verdict.result, bool(verdict.seen)) for verdict in verdicts] == [("fail", True)] * len(verdicts), verdicts


@pytest.mark.parametrize("profile", PROFILES)
def test_what_rkx_describes_comes_to_the_verdicts_that_are_documented(rendered: Rendered, profile: Profile) -> None:
    other = [
        (check.id, verdict)
        for check, verdict in table.judge(rendered(profile))
        if verdict.result != expected(check, profile)
    ]
    assert other == []


def test_a_program_that_does_not_run_passes_nothing(rendered: Rendered) -> None:
    found = rendered("cis")
    dead = replace(found, machines=[replace(machine, processes={}) for machine in found.machines])
    of_programs = [each for each in TESTED if each.id.startswith(("1.2", "1.3", "1.4", "2", "3", "4.2", "4.3"))]
    assert [each.id for each in of_programs if each.judge(dead).result == "pass"] == ["1.2.28"]  # a file alone


def test_a_cluster_without_machines_passes_nothing_of_them() -> None:
    nothing = Evidence(machines=())
    names = [check for check in TESTED if not check.id.startswith("5")]
    assert [check.id for check in names if check.judge(nothing).result == "pass"] == []


def test_etcds_data_may_belong_to_a_user_of_that_name(rendered: Rendered) -> None:
    named = entry("/var/lib/etcd", owner="etcd:etcd")(rendered("default"))
    assert BY_ID["1.1.12"].judge(named) == Verdict(
        result="pass", seen="/var/lib/etcd is etcd:etcd, etcd runs as 52034:52034"
    )


def test_pod_security_is_told_to_the_person_who_judges(rendered: Rendered) -> None:
    judge = BY_ID["5.2.1"].judge
    assert judge(rendered("default")).seen == "Pod Security: privileged, exempt: kube-system"
    assert judge(rendered("cis")).seen == "Pod Security: restricted, exempt: kube-system"
    assert judge(OPEN(rendered("cis"))).seen == "no Pod Security"


def test_a_scored_check_that_fails_without_a_reason_is_named() -> None:
    bad, good = Verdict(result="fail", seen="x"), Verdict(result="pass", seen="x")
    rows = [(BY_ID["1.2.2"], bad), (BY_ID["1.2.4"], good), (BY_ID["1.2.11"], bad)]
    assert table.unexplained(rows, "default") == ["1.2.2"]
    assert [line.split()[:3] for line in table.shown(rows, "default")][:3] == [
        ["1.2.2", "scored", "fail"],
        ["1.2.4", "scored", "pass"],
        ["1.2.11", "unscored", "fail"],
    ]


def test_reasons_are_given_for_checks_that_are_tested() -> None:
    for profile in PROFILES:
        assert {BY_ID[name].kind for name in REASONS[profile]} <= {"scored", "unscored"}


def test_the_page_is_what_the_program_says() -> None:
    assert table.page() in PAGE.read_text(), f"put table.page() into {PAGE.name} and review it"


def test_the_page_counts_as_it_lists() -> None:
    rows = re.findall(r"^\| (\d[\d.]+) \| (\w+) \| [^|]+ \| (\w+) \| (\w+) \|", PAGE.read_text(), re.M)
    assert [name for name, *_ in rows] == [check.id for check in CHECKS]
    for number, profile in enumerate(PROFILES, start=2):
        passed = sum(row[1] == "scored" and row[number] == "pass" for row in rows)
        assert f"| {profile} | {passed} of 65 |" in PAGE.read_text()


def test_what_machines_print_is_read() -> None:
    unit = gather.UNIT
    words = ("0:0", "/usr/local/bin/kubelet", "--config=/etc/x", "--v=2", "")
    shown = f"{unit.join(words)}\n33:33{unit}nginx: worker\n0:0{unit}\n"
    assert dict(gather.processes(shown)) == {"kubelet": Process(arguments=("--config=/etc/x", "--v=2"), owner="0:0")}
    listed = "600 root:root f /etc/kubernetes/kubelet/config.yaml\n700 52034:52034 d /var/lib/etcd\n"
    assert dict(gather.files(listed)) == {
        "/etc/kubernetes/kubelet/config.yaml": Entry(mode=0o600, owner="root:root"),
        "/var/lib/etcd": Entry(mode=0o700, owner="52034:52034", folder=True),
    }
