"""Mistakes that are found before any machine is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from msgspec.structs import replace
from tests.plugins.transport_ssh.conftest import node, public_line

import rkx
from rkx_transport_ssh import SshConfig, SshTransport
from rkx_transport_ssh.keys import Private


def problems(*nodes: rkx.Node) -> list[tuple[str, str]]:
    cluster = rkx.Cluster(name="test", nodes=nodes, kubernetes_version="v1.34.4")
    found = SshTransport(SshConfig()).rkx_validate(cluster)
    return [(problem.where, problem.message) for problem in found]


def test_good_options_have_no_problem(key_file: Path) -> None:
    assert problems(node(user="ubuntu", ssh_key_path=str(key_file))) == []


def test_each_mistake_has_its_place(key_file: Path, tmp_path: Path, user_keys: dict[str, Private]) -> None:
    public = tmp_path / "id.pub"
    public.write_text(public_line(user_keys["rsa"]))
    key_file.chmod(0o644)
    assert problems(
        node(ssh_key_path="/no/key", docker_socket="a socket", host_key="none"),
        replace(node(user="u", ssh_key_path=str(public)), where="nodes[1]"),
        replace(node(user="u", bastion={"ssh_key_path": str(key_file)}), where="nodes[2]"),
        replace(node(user="u", ssh_key=rkx.Secret("secret")), where="nodes[3]"),
    ) == [
        ("nodes[0].user", "no user to sign in as on 127.0.0.1"),
        ("nodes[0].docker_socket", '"a socket" is not an absolute path of plain characters'),
        ("nodes[0].ssh_key_path", "SSH key /no/key does not exist"),
        ("nodes[0].host_key", "host_key is not a public key"),
        ("nodes[1].ssh_key_path", f"SSH key {public} is a public key"),
        ("nodes[2].bastion.ssh_key_path", f"SSH key {key_file} may be read by others: its mode is 0644"),
        ("nodes[3].ssh_key", "ssh_key is not a private key in PEM form"),
    ]


def test_a_name_that_no_file_can_have_is_a_mistake() -> None:
    found = problems(
        node(user="u", ssh_key_path="~no-such-user/key"),
        replace(node(user="u", ssh_key_path="a" * 5000), where="nodes[1]"),
        replace(node(user="u", known_hosts="a" * 5000), where="nodes[2]"),
    )
    assert found[0] == ("nodes[0].ssh_key_path", "SSH key ~no-such-user/key does not exist")
    assert [where for where, _ in found] == ["nodes[0].ssh_key_path", "nodes[1].ssh_key_path", "nodes[2].known_hosts"]
    assert all(message.endswith("cannot be read: File name too long") for _, message in found[1:])


def test_a_mistake_that_nodes_share_is_told_once() -> None:
    first = node(user="u", ssh_key_path="/no/key")
    assert problems(first, replace(first, where="nodes[1]")) == [
        ("nodes[0].ssh_key_path", "SSH key /no/key does not exist")
    ]


def test_nodes_of_other_transports_are_left_alone() -> None:
    assert problems(replace(node(ssh_key_path="/no/key"), transport="docker")) == []


def test_the_plugin_loads_without_the_ssh_library() -> None:
    check = "import sys, rkx_transport_ssh; sys.exit('paramiko' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
