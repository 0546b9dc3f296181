"""The kit as pytest loads it; whole runs by its command are among the tests on machines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from rkx.testing import plugin


def in_fresh_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    quick = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env=quick)


@pytest.mark.whole
def test_nothing_of_rkx_is_loaded_with_the_plugin() -> None:
    loaded = "sorted(name for name in sys.modules if name.split('.')[0] == 'rkx')"
    done = in_fresh_python("-c", f"import rkx.testing.plugin, sys; print({loaded})")
    assert done.stdout == "['rkx', 'rkx.testing', 'rkx.testing.plugin']\n", done.stderr


@pytest.mark.whole
def test_laws_of_others_are_deselected(tmp_path: Path) -> None:
    settings = tmp_path / "pytest.ini"
    settings.write_text("[pytest]\n")
    quiet = ("-c", str(settings), "-p", "no:cacheprovider", "--collect-only", "-q")
    kit = ("-p", "rkx.testing.plugin", "--rkx-plugin", "addon:manifests", "--pyargs", "rkx.testing.conformance")
    done = in_fresh_python("-m", "pytest", *quiet, *kit)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_describing.py::test_images_are_pinned[addon:manifests]" in done.stdout
    assert "deselected" in done.stdout
    for other in ("test_issuing.py", "test_steps.py", "test_transport.py", "test_network.py"):
        assert other not in done.stdout


def configure(plugins: list[str], options: str = "{}", address: str = "") -> None:
    """Begin a run with these options."""
    values: Mapping[str, object] = {"--rkx-plugin": plugins, "--rkx-options": options, "--rkx-address": address}

    class Config:
        stash = pytest.Stash()

        def getoption(self, name: str) -> object:
            return values[name]

    plugin.pytest_configure(Config())  # type: ignore[arg-type] # no more of it is asked


@pytest.mark.parametrize(
    ("plugins", "options", "said"),
    [
        (["addon:corends"], "{}", "did you mean 'coredns'"),
        (["coredns"], "{}", "'coredns' is not a valid STAGE:NAME"),
        (["network:flannel"], '{"ifacee": "eth1"}', "options.ifacee: unknown key"),
        (["network:flannel"], "{iface: eth1}", "no JSON"),
        (["network:flannel"], "[]", "is not a mapping"),
        (["network:flannel", "addon:coredns"], '{"mtu": 1400}', "belong to one plugin"),
        (["transport:ssh"], "{}", "give its --rkx-address"),
    ],
)
def test_what_cannot_be_tried_is_said_at_once(plugins: list[str], options: str, said: str) -> None:
    with pytest.raises(pytest.UsageError, match=said):
        configure(plugins, options)
