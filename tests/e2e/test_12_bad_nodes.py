"""A machine that cannot be used is refused with one message, before anything is changed on it."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from harness import RKX, Cluster
from lone import lone, make_key, one_message, rewrite, spare

from rkx_lab import clocks, faults

__all__ = ["lone", "spare"]  # fixtures
pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]
Case = tuple[str, Callable[[Cluster], None], int, tuple[str, ...]]


def wrong_host_key(cluster: Cluster) -> None:
    """Let known_hosts hold another key than the machine shows."""
    address = cluster.machines[0].address
    key = make_key(cluster.folder / "other").with_suffix(".pub").read_text().rsplit(" ", 2)[0]
    known = cluster.folder / "known_hosts"
    known.write_text(f"{address} {key}\n")
    rewrite(cluster, transport_options={"known_hosts": str(known)})


def key_for_all(cluster: Cluster) -> None:
    """Let everybody read the key."""
    key = cluster.folder / "key"
    shutil.copy(cluster.lab.key, key)
    key.chmod(0o644)
    rewrite(cluster, ssh_key_path=str(key))


def foreign(*options: str) -> Callable[[Cluster], None]:
    """Have a container on the machine that rkx did not make."""

    def make(cluster: Cluster) -> None:
        image = f"{cluster.lab.registry}/rkx/pause:3.10"
        cluster.on(cluster.machines[0].name, "docker", "create", *options, image)

    return make


SSH: tuple[Case, ...] = (
    ("refused", lambda c: rewrite(c, node={"port": 2}), 4, (":2", "refuses the connection", "sshd")),
    ("no name", lambda c: rewrite(c, node={"address": "node.invalid"}), 4, ("node.invalid", "does not resolve")),
    ("wrong user", lambda c: rewrite(c, node={"user": "games"}), 4, ("games@", "refuses the user or the key")),
    (
        "wrong key",
        lambda c: rewrite(c, ssh_key_path=str(make_key(c.folder / "key"))),
        4,
        ("refuses the user or the key", "/key", "authorized_keys"),
    ),
    ("changed host key", wrong_host_key, 4, ("known_hosts:1", "SHA256:", "take the old line out")),
    (
        "missing key file",
        lambda c: rewrite(c, ssh_key_path="/nowhere/id_rsa"),
        3,
        ("cluster.yml:", "/nowhere/id_rsa", "does not exist"),
    ),
    ("key for all", key_for_all, 3, ("cluster.yml:", "0644", "chmod 600")),
    (
        "passphrase and nobody to ask",
        lambda c: rewrite(c, ssh_key_path=str(make_key(c.folder / "key", "correct"))),
        4,
        ("/key", "has a passphrase", "ssh-agent"),
    ),
)
FOREIGN: tuple[Case, ...] = (
    ("a container of our name", foreign("--name", "kubelet"), 6, ("kubelet", "rkx did not make", "remove it")),
    (
        "RKE's containers",
        foreign("--name", "service-sidekick", "--label", "io.rancher.rke.container.name=service-sidekick"),
        6,
        ("made by RKE", "service-sidekick", "with RKE first"),
    ),
    (
        "another cluster's containers",
        foreign("--name", "etcd", "--label", "rkx.cluster=0123456789abcdef"),
        8,
        ("etcd", "made by rkx", "state"),
    ),
)


def assert_untouched(cluster: Cluster) -> None:
    """Check that neither the machine nor the operator's folder holds anything of a run."""
    assert cluster.containers(cluster.machines[0].name) == {}
    assert (
        cluster.on(cluster.machines[0].name, "sh", "-c", "ls -d /var/lib/rkx /etc/kubernetes 2>/dev/null || true") == ""
    )
    assert list(cluster.folder.glob("cluster.rkxstate*")) == []


@pytest.mark.parametrize(("change", "code", "words"), [pytest.param(*case, id=name) for name, *case in SSH])
def test_machine_that_ssh_does_not_reach_is_named(
    lone: Cluster, change: Callable[[Cluster], None], code: int, words: tuple[str, ...]
) -> None:
    change(lone)
    one_message(lone.rkx("up", "--plain"), code, *words)
    assert_untouched(lone)


def test_wrong_passphrase_is_told(lone: Cluster) -> None:
    rewrite(lone, ssh_key_path=str(make_key(lone.folder / "key", "correct")))
    code, text = on_terminal(lone, "Passphrase of", "incorrect")
    assert code == 3, text
    assert f"the passphrase does not open the SSH key {lone.folder / 'key'}" in text
    assert text.count("hint:") == 1
    assert "incorrect" not in text
    assert_untouched(lone)


@pytest.mark.parametrize(("change", "code", "words"), [pytest.param(*case, id=name) for name, *case in FOREIGN])
def test_containers_of_others_are_named_and_stay(
    lone: Cluster, change: Callable[[Cluster], None], code: int, words: tuple[str, ...]
) -> None:
    machine = lone.machines[0].name
    change(lone)
    before = lone.containers(machine)
    try:
        one_message(lone.rkx("up", "--plain"), code, machine, *words)
        assert lone.containers(machine) == before
    finally:
        lone.on(machine, "docker", "rm", "-f", *before)
    assert_untouched(lone)


def test_docker_that_does_not_run_is_told(lone: Cluster) -> None:
    machine = lone.machines[0].name
    faults.stop_dockerd(lone.lab, machine)
    try:
        one_message(lone.rkx("up", "--plain"), 6, "/var/run/docker.sock", "Docker")
    finally:
        faults.start_dockerd(lone.lab, machine)
    assert_untouched(lone)


def test_user_outside_of_dockers_group_is_told(lone: Cluster) -> None:
    machine = lone.machines[0].name
    script = "useradd -m -p '*' guest && cp -r ~root/.ssh /home/guest/ && chown -R guest: /home/guest/.ssh"
    lone.on(machine, "sh", "-c", script)
    rewrite(lone, node={"user": "guest"})
    one_message(lone.rkx("up", "--plain"), 6, "guest may not use /var/run/docker.sock", "usermod -aG docker guest")
    assert_untouched(lone)


@contextmanager
def daemon_settings(cluster: Cluster, settings: dict[str, str]) -> Iterator[None]:
    """Let a machine's Docker run with other settings for a while."""
    machine = cluster.machines[0].name
    cluster.on(machine, "sh", "-c", f"echo '{json.dumps(settings)}' >/etc/docker/daemon.json")
    faults.restart_dockerd(cluster.lab, machine)
    try:
        yield
    finally:
        cluster.on(machine, "rm", "/etc/docker/daemon.json")
        faults.restart_dockerd(cluster.lab, machine)


def test_docker_with_unfit_settings_is_told_all_at_once(lone: Cluster) -> None:
    with daemon_settings(lone, {"log-driver": "local", "userns-remap": "default"}):
        one_message(lone.rkx("up", "--plain"), 6, "logging driver is local", "json-file", "userns-remap", hints=2)
    assert_untouched(lone)


def test_clock_ten_minutes_off_is_told(lone: Cluster) -> None:
    done = lone.rkx("up", "--plain", env=clocks.shifted(600))
    one_message(done, 6, lone.machines[0].name, "clock is -600 s off", "NTP")
    assert_untouched(lone)


def test_taken_port_is_told_and_what_was_prepared_can_be_taken_away(lone: Cluster) -> None:
    machine = lone.machines[0].name
    lone.on(machine, "/usr/sbin/sshd", "-p", "10250", "-o", "PidFile=/run/second-sshd.pid")
    try:
        one_message(lone.rkx("up", "--plain"), 6, machine, "port 10250", "kubelet", "stop what listens there")
        assert set(lone.containers(machine)) == {"rkx-node", "rkx-host"}
    finally:
        lone.on(machine, "sh", "-c", "kill $(cat /run/second-sshd.pid)")
    lone.rkx("remove", "--yes", "--plain").check()
    assert_untouched(lone)


def on_terminal(cluster: Cluster, question: str, answer: str) -> tuple[int, str]:
    """Run ``up`` on a terminal of its own and answer a question each time; gives exit code and all that was shown."""
    ours, theirs = pty.openpty()
    command = [str(RKX), "up", "--file", str(cluster.file), "--plain"]
    child = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown, asked = "", 0
    while child.poll() is None or select.select([ours], [], [], 0)[0]:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            shown += os.read(ours, 4096).decode(errors="replace")
        except OSError:  # Linux: the other side was closed
            break
        if shown.count(question) > asked:
            asked = shown.count(question)
            os.write(ours, f"{answer}\n".encode())
    os.close(ours)
    return child.wait(timeout=30), shown
