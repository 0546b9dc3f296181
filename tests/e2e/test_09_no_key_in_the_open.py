"""No private key and no token is seen in clear outside files of mode 0600."""

from __future__ import annotations

import base64
import io
import re
import tarfile
from pathlib import Path

import pytest
import watch
from recorded import Recorded

from rkx.reconcile.state_json import parse

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(9), pytest.mark.timeout(900)]
NEEDLES = "/srv/needles"
SECRET_PARTS = {"key", "secret"}
OPEN_PARTS = {"certificate", "chain", "ca-bundle", "public"}
AROUND = {"rendered"}  # the file that holds the part `secret`, known by it
EVERYWHERE = {"/etc/kubernetes/kubelet/client.key", "/etc/kubernetes/kubelet/serving.key"}
ON_THE_SERVER = {"/etc/kubernetes/kube-apiserver/encryption.yaml", "/var/lib/rkx/state/cluster.rkxstate"}
SIGNATURE = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.([\w-]{80})")
TOKENS = "cat /var/lib/kubelet/pods/*/volumes/kubernetes.io~projected/*/token 2>/dev/null; true"
# What was there before `up` began cannot hold its keys. Volumes are mounts of their own; pods' tokens lie in others.
SEARCH = f"""
find / /run /tmp /dev/shm /var/lib/docker /var/lib/kubelet /var/lib/etcd -xdev -type f -cnewer {watch.FOLDER}/pid \
  ! -path {NEEDLES} -print0 | xargs -0 -r grep -lsZFf {NEEDLES} -- | xargs -0 -r stat -c '%a %n'
"""
PROCESSES = f"grep -laFf {NEEDLES} /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; true"


@pytest.fixture(scope="module")
def needles(recorded: Recorded) -> dict[str, list[str]]:
    """Return texts by which each secret is known, by its name: of all keys, and of the tokens in pods."""
    state = parse(recorded.cluster.file.with_suffix(".rkxstate").read_bytes(), "the state")
    found = {"digest key": _spellings(state.digest_key.reveal())}
    for name, credential in state.credentials.items():
        assert credential.parts.keys() <= SECRET_PARTS | OPEN_PARTS | AROUND
        for part in SECRET_PARTS & credential.parts.keys():
            found[name] = _spellings(credential.parts[part].reveal())
    for machine in recorded.cluster.machines:
        tokens = SIGNATURE.findall(recorded.cluster.on(machine.name, "sh", "-c", TOKENS))
        assert tokens
        found |= {f"token {number} on {machine.name}": [each] for number, each in enumerate(tokens)}
    assert min(len(text) for texts in found.values() for text in texts) > 30
    for machine in recorded.cluster.machines:
        _put(recorded, machine.name, "".join(f"{text}\n" for texts in found.values() for text in texts))
    return found


def test_keys_when_a_node_is_searched_lie_in_closed_files_alone(
    recorded: Recorded, needles: dict[str, list[str]]
) -> None:
    for machine in recorded.cluster.machines:
        rows = recorded.cluster.on(machine.name, "sh", "-c", SEARCH).splitlines()
        found = {path: mode for mode, _, path in (row.partition(" ") for row in rows)}
        known = EVERYWHERE | (ON_THE_SERVER if machine == recorded.cluster.machines[0] else set())
        assert known <= found.keys()  # or the search finds nothing at all
        assert {path: mode for path, mode in found.items() if mode != "600"} == {}
        assert [path for path in found if path.startswith(("/var/lib/docker/", "/var/log/", watch.FOLDER))] == []


def test_docker_when_watched_has_shown_every_container_and_no_key(
    recorded: Recorded, needles: dict[str, list[str]]
) -> None:
    for machine in recorded.cluster.machines:
        made = {event["id"] for event in watch.events(recorded.cluster, machine.name) if event["status"] == "create"}
        inspected = {each["Id"]: each for each in watch.inspected(recorded.cluster, machine.name)}
        assert made
        assert made - inspected.keys() == set()
        assert {"/rkx-node", "/rkx-host", "/kubelet"} <= {each["Name"] for each in inspected.values()}
        for name in ("events", "inspected"):
            assert _hits(recorded.cluster.on(machine.name, "cat", f"{watch.FOLDER}/{name}"), needles) == []


def test_processes_when_listed_show_no_key(recorded: Recorded, needles: dict[str, list[str]]) -> None:
    for machine in recorded.cluster.machines:
        listed = recorded.cluster.on(machine.name, "cat", f"{watch.FOLDER}/processes")
        assert "kubelet --config=" in listed
        assert _hits(listed, needles) == []
        assert recorded.cluster.on(machine.name, "sh", "-c", PROCESSES) == ""


def test_rkx_when_it_tells_and_plans_shows_no_key(recorded: Recorded, needles: dict[str, list[str]]) -> None:
    assert "Plan(cluster=" in recorded.said()
    assert _hits(recorded.said(), needles) == []
    assert _hits(recorded.cluster.rkx("plan", "--json").check().out, needles) == []
    asked = [each for each in recorded.requests["up"] if not each.shape.endswith("/attach")]
    assert _hits("\n".join(each.target + each.body.decode("latin-1") for each in asked), needles) == []


def test_files_beside_cluster_yml_when_they_hold_keys_are_closed(
    recorded: Recorded, needles: dict[str, list[str]]
) -> None:
    holding = {path for path in _files(recorded.cluster.folder) if _hits(path.read_text("latin-1"), needles)}
    assert {"cluster.rkxstate", "kube_config_cluster.yml"} <= {path.name for path in holding}
    assert {path: oct(path.stat().st_mode & 0o777) for path in holding} == dict.fromkeys(holding, "0o600")


def _spellings(secret: bytes) -> list[str]:
    """Return what a secret looks like in text: the middle of it as it is, and in base64 at the start of a field."""
    if secret.startswith(b"-----BEGIN"):
        line = secret.splitlines()[1].decode()
        inside = [line[8:56]]  # the number itself, without what all keys of its kind begin with
    else:
        inside = [base64.b64encode(secret).decode()[:40], secret.hex()]
    return [*inside, base64.b64encode(secret).decode()[48:108]] if len(secret) > 100 else inside


def _hits(text: str, needles: dict[str, list[str]]) -> list[str]:
    return [name for name, texts in needles.items() if any(each in text for each in texts)]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()]


def _put(recorded: Recorded, machine: str, text: str) -> None:
    """Put the list on a machine without naming it in any process's arguments."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(NEEDLES.lstrip("/"))
        entry.size, entry.mode = len(text.encode()), 0o600
        archive.addfile(entry, io.BytesIO(text.encode()))
    recorded.cluster.lab.client().containers.get(machine).put_archive("/", packed.getvalue())
