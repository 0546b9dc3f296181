"""The simulated cluster is brought up by a process of its own, and the page shows the figures that are kept."""

from __future__ import annotations

import json
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import scale
from scale_page import BEGIN, END, PAGE, exponents, page, tables
from simulated import FIRST, cluster_yml
from timed import Failed

from rkx import config

KEPT: dict[str, Any] = {"at": "now", "revision": "abc", "processors": 2, "load_before": 0.1, "rounds": 1}


def measured(nodes: int, cpu_s: float, what: str = "up") -> dict[str, Any]:
    return {
        "nodes": nodes,
        "what": what,
        "actions": nodes * 6,
        "cpu_s": cpu_s,
        "peak_bytes": nodes * 1_000_000,
        "took_s": 9.0,
        "machines_cpu_s": 0.5,
    }


def test_growth_is_the_power_between_two_sizes() -> None:
    assert exponents({10: 1.0, 100: 100.0, 1000: 1000.0}) == pytest.approx({100: 2.0, 1000: 1.0})


def test_a_table_shows_medians_and_how_they_grow() -> None:
    rows = tables({**KEPT, "measured": [measured(10, cpu) for cpu in (1.0, 2.0, 60.0)] + [measured(100, 20.0)]})
    assert "| 10 | 60 | 2.00 s |  | 10 MB |  | 0.50 s |\n" in rows
    assert "| 100 | 600 | 20.00 s | N^1.00 | 100 MB | N^1.00 | 0.50 s |\n" in rows


def test_new_tables_take_the_place_of_those_between_the_marks_alone() -> None:
    kept = {**KEPT, "measured": [measured(10, 1.0)]}
    written = page(f"# Head\n{BEGIN}old\n{END}tail\n", kept)
    assert written == f"# Head\n{BEGIN}\n{tables(kept)}\n{END}tail\n"
    assert page(written, kept) == written


def test_the_documentation_shows_what_is_kept() -> None:
    assert PAGE.read_text() == page(PAGE.read_text(), json.loads(scale.KEPT.read_text()))


def test_more_nodes_than_the_default_pod_range_has_room_for_are_a_valid_cluster(tmp_path: Path) -> None:
    loaded = config.load_text(cluster_yml([f"node-{number}" for number in range(300)]), tmp_path / "cluster.yml")
    assert (loaded.warnings, len(loaded.cluster.nodes)) == ((), 300)


def test_the_largest_cluster_has_room_in_both_ranges(tmp_path: Path) -> None:
    pods = ip_network(config.load_text(cluster_yml(["one"]), tmp_path / "cluster.yml").cluster.pod_cidr)
    assert 2 ** (24 - pods.prefixlen) >= scale.MOST
    assert FIRST + scale.MOST in ip_network("198.18.0.0/15")


@pytest.mark.whole
def test_a_simulated_cluster_is_planned_brought_up_and_then_nothing_is_to_do() -> None:
    with scale.machines(2) as simulated:
        found = [scale.measure(simulated, 2, what, command) for what, command in scale.STEPS]
        with pytest.raises(Failed, match="plan all, 2 nodes: 0 actions"):
            scale.measure(simulated, 2, "plan all", "plan")
    assert [each.actions > 0 for each in found] == [True, True, False]
    assert all(0 < each.cpu_s < each.took_s * 4 and each.peak_bytes > 10_000_000 for each in found)
    assert sum(each.machines_cpu_s for each in found) > 0
    assert not simulated.folder.exists()
