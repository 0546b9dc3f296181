"""``rkx --help`` is quick: it imports nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"docker", "stevedore", "pluggy", "requests", "paramiko", "cryptography", "yaml", "rich", "logging"}


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"], ["-v"]])
def test_help_when_asked_for_then_loads_no_heavy_module(arguments: list[str]) -> None:
    script = f"""
import sys
sys.argv = ["rkx", *{arguments!r}]
from rkx.cli.main import main
try:
    main()
except SystemExit as end:
    assert end.code == 0
print(*sorted({{name.partition(".")[0] for name in sys.modules}} & {HEAVY!r}), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []


def test_help_when_shown_then_names_every_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from rkx.cli.main import main; main()"], capture_output=True, text=True
    )
    for command in ("up", "plan", "remove", "validate", "kubeconfig", "plugins", "version"):
        assert f"\n  {command} " in done.stdout + done.stderr
