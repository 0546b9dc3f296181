"""What paramiko hardly ever uses is not imported, and is there when it is used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

AT_A_LOGIN = """
import sys, rkx_transport_ssh.connect
assert "paramiko" in sys.modules and "invoke" in sys.modules
assert "invoke.runners" not in sys.modules, "its code has run"
"""
BY_CONFIG = """
from rkx_transport_ssh import SshConfig
from rkx_transport_ssh.route import route
[hop] = route(SshConfig(), "192.0.2.1", "one")
assert (hop.user, hop.port) == ("matched", 22), hop
"""


def run(program: str, **env: str) -> None:
    """Run a program in a Python of its own."""
    environment = {**os.environ, **env}
    subprocess.run([sys.executable, "-c", program], env=environment, stdin=subprocess.DEVNULL, check=True)


def test_paramiko_comes_without_what_it_may_never_use() -> None:
    run(AT_A_LOGIN)


@pytest.mark.whole
def test_match_exec_of_openssh_config_is_honoured(home: Path) -> None:
    (home / ".ssh" / "config").write_text('Match exec "true"\n  User matched\nMatch exec "false"\n  Port 2022\n')
    run(BY_CONFIG, HOME=str(home))
