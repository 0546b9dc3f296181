import subprocess
from pathlib import Path

import pytest
import yaml

from rkx_lab import capability, cluster_yml, containers, engine, images, keys, leftovers, machines, registry, state
from rkx_lab.errors import LabError
from rkx_lab.state import Lab, Machine

LAB = Lab(
    name="lab",
    engine="unix:///var/run/docker.sock",
    subnet="172.30.7.0/24",
    gateway="172.30.7.1",
    preload=True,
    machines=(Machine(name="lab-1", address="172.30.7.11"), Machine(name="lab-2", address="172.30.7.12")),
)


def test_cluster_yml_gives_the_first_machine_the_control_plane_and_the_others_work() -> None:
    values = yaml.safe_load(cluster_yml.render(LAB, user="ubuntu"))
    assert [(n["address"], n["user"], n["role"]) for n in values["nodes"]] == [
        ("172.30.7.11", "ubuntu", ["controlplane", "etcd"]),
        ("172.30.7.12", "ubuntu", ["worker"]),
    ]
    assert values["private_registries"] == [{"url": "172.30.7.1:5000", "is_default": True}]
    assert values["services"]["kubeproxy"]["extra_args"] == {"conntrack-max-per-core": "0"}


def test_dockerd_of_a_machine_has_the_wrapper_only_where_it_is_needed() -> None:
    plain = containers.dockerd_arguments("10.0.0.1:5000", wrapper=False)
    assert plain == ["--insecure-registry", "10.0.0.1:5000", "--registry-mirror", "http://10.0.0.1:5000"]
    assert containers.dockerd_arguments("10.0.0.1:5000", wrapper=True)[-2:] == ["--default-runtime", "lab"]


@pytest.mark.parametrize(("mask", "lacks"), [("000001fffeffffff", True), ("000001ffffffffff", False)])
def test_the_missing_capability_is_bit_24_of_the_bounding_set(mask: str, lacks: bool) -> None:
    assert capability.lacks_sys_resource(f"Name:\tsh\nCapBnd:\t{mask}\n") is lacks


def test_the_wrapper_takes_out_the_capability_and_negative_scores(tmp_path: Path) -> None:
    spec = '{"caps":["CAP_SYS_RESOURCE","CAP_KILL"],"more":["CAP_KILL","CAP_SYS_RESOURCE"],"oomScoreAdj":-998}'
    (tmp_path / "config.json").write_text(spec)
    script = engine.WRAPPER.read_text().replace("exec /usr/sbin/runc", "exec echo")
    done = subprocess.run(
        ["sh", "-c", script, "runc", "create", "--bundle", str(tmp_path), "id"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"create --bundle {tmp_path} id\n"
    changed = '{"caps":["CAP_KILL"],"more":["CAP_KILL"],"oomScoreAdj":0}'
    assert (tmp_path / "config.json").read_text() == changed


def test_our_second_engine_keeps_its_hands_off_docker0(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RKX_LAB_HOME", str(tmp_path))
    assert "--bridge" not in engine.command(engine.DEFAULT)
    line = engine.command("unix:///run/rkx-lab/x/docker.sock")
    assert line[line.index("--bridge") + 1] == "none"
    assert f"{tmp_path}/.engine/data" in line


def test_mounts_left_by_an_engine_go_last_first_and_others_stay() -> None:
    info = "\n".join(f"1 2 0:3 / {point} rw - ext4 x rw" for point in ("/data/a", "/database", "/data/a/b", "/run/x"))
    assert leftovers.mounts_below(info, (Path("/data"), Path("/other"))) == ["/data/a/b", "/data/a"]


def test_control_groups_left_by_an_engine_go_with_those_in_them_and_others_stay(tmp_path: Path) -> None:
    for name in ("dead", "gone"):
        (tmp_path / "containers" / name).mkdir(parents=True)
    for path in ("devices/docker/dead/kubepods/pod", "devices/docker/alive", "unified/docker/dead", "pids"):
        (tmp_path / "groups" / path).mkdir(parents=True)
    leftovers.remove_groups(tmp_path / "groups", tmp_path / "containers")
    left = {str(path.relative_to(tmp_path / "groups")) for path in (tmp_path / "groups").rglob("*")}
    assert left == {"devices", "devices/docker", "devices/docker/alive", "unified", "unified/docker", "pids"}


def test_known_hosts_name_the_port_only_when_it_is_another() -> None:
    public = "ssh-ed25519 AAAA root@lab-1\nssh-rsa BBBB\n"
    assert keys.known_hosts_lines(public, "10.0.0.1") == "10.0.0.1 ssh-ed25519 AAAA\n10.0.0.1 ssh-rsa BBBB\n"
    assert keys.known_hosts_lines(public, "10.0.0.1", 2222).startswith("[10.0.0.1]:2222 ssh-ed25519 AAAA\n")


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    keys.make_user_keys(tmp_path)
    first = keys.authorized_keys(tmp_path)
    keys.make_user_keys(tmp_path)
    assert keys.authorized_keys(tmp_path) == first
    assert (tmp_path / "id_ed25519").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "id_rsa").read_text().startswith("-----BEGIN RSA PRIVATE KEY-----")


def test_the_registry_listens_on_one_address_only() -> None:
    text = registry.config("172.30.7.1:5000", Path("/cache/registry"))
    values = yaml.safe_load(text)
    assert values["http"] == {"addr": "172.30.7.1:5000"}
    assert values["storage"]["filesystem"] == {"rootdirectory": "/cache/registry"}


def test_a_lab_is_read_as_it_was_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RKX_LAB_HOME", str(tmp_path))
    LAB.save()
    assert state.load("lab") == LAB


@pytest.mark.parametrize("name", ["", "Lab", "1lab", "lab_1", "lab-", "../x", "a" * 33])
def test_a_name_unfit_for_a_host_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="use lower-case letters"):
        state.folder_of(name)


def test_a_machine_is_found_by_name_or_number_and_others_are_named() -> None:
    assert LAB.machine("2") == LAB.machine("lab-2") == LAB.machines[1]
    with pytest.raises(LabError, match="no machine '3'; it has lab-1, lab-2"):
        LAB.machine("3")


def test_machines_made_anew_hold_the_images_of_another_checkout_and_are_the_same_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[dict[str, str]] = []
    own = {name: f"our {name}" for name in (images.MACHINE, *images.CLUSTER)}
    monkeypatch.setattr(images, "ensure", lambda names: own)
    monkeypatch.setattr(containers, "remove", lambda client, machine: None)
    monkeypatch.setattr(machines, "_make", lambda lab, missing, found, say: made.append(found))
    machines.clean(LAB, cluster={"kubernetes": "their kubernetes"})  # type: ignore[dict-item] # a name will do
    machines.clean(LAB)
    assert made == [{"kubernetes": "their kubernetes", images.MACHINE: f"our {images.MACHINE}"}, own]
