"""What a file becomes: the sample of RKE's announcement, the example, and the rules between keys."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rkx.config import DEFAULT_KUBERNETES_VERSION, Loaded, load, load_text
from rkx.config.options import Options
from rkx.errors import ConfigError
from rkx.model.cluster import Cluster, DrainOptions, Percentage, PluginRef, PrivateRegistry, UpgradeStrategy
from rkx.model.node import Taint
from rkx.secret import Secret

from .bad_inputs import added, changed

SAMPLE = Path(__file__).parent / "fixtures" / "rke-2017.yml"
EXAMPLE = Path(__file__).parents[3] / "cluster.example.yml"
NODE = "    role: [controlplane, etcd, worker]\n"


def loaded(text: str) -> Loaded:
    return load_text(text, Path("/etc/site/cluster.yml"))


def cluster(text: str) -> Cluster:
    return loaded(text).cluster


def options(found: Cluster, name: str) -> dict[str, Any]:
    refs = (*found.auth, found.network, *found.services, *found.addons, *found.extensions)
    return dict(next(ref for ref in refs if ref.name == name).options)


def known(ref: PluginRef) -> set[str]:
    """Name the options that RKE's schema has."""
    assert isinstance(ref.options, Options)
    return {name for name, entry in ref.options.tree.entries.items() if entry.known}


def test_the_sample_is_the_announcements_byte_for_byte() -> None:
    content = SAMPLE.read_bytes()
    assert hashlib.sha256(content).hexdigest() == "bccfdaa2fb643d841e7df90f208f7e1595cd0b3f20766c0e5f57571577e3da18"


def test_the_sample_loads_with_its_eight_warnings_and_one_for_ingress() -> None:
    dead = "no effect: images of services have no effect since RKE v0.1; use system_images"
    pause = "gcr.io/google_containers/pause-amd64:3.0"
    assert [(each.line, each.column, each.where, each.message) for each in load(SAMPLE).warnings] == [
        (2, 1, "auth", '"auth" is the old name of "authentication"'),
        (20, 5, "services.etcd.image", dead),
        (22, 5, "services.kube-api.image", dead),
        (27, 5, "services.kube-controller.image", dead),
        (31, 5, "services.scheduler.image", dead),
        (33, 5, "services.kubelet.image", dead),
        (
            36,
            28,
            "services.kubelet.infra_container_image",
            f'"{pause}" is a retired address; the usual pause image is used',
        ),
        (38, 5, "services.kubeproxy.image", dead),
        (0, 0, "", "no ingress controller: RKE's own, ingress-nginx, is unmaintained since March 2026"),
    ]


def test_the_sample_becomes_the_cluster_it_means() -> None:
    found = load(SAMPLE).cluster
    assert [(node.name, sorted(node.roles)) for node in found.nodes] == [
        ("server1", ["controlplane", "etcd"]),
        ("server2", ["worker"]),
    ]
    assert found.nodes[0].transport_options == {"user": "ubuntu", "ssh_key_path": "/home/user/.ssh/id_rsa"}
    assert (found.pod_cidr, found.service_cidr) == ("10.233.64.0/18", "10.233.0.0/18")
    assert (found.dns_address, found.dns_domain) == ("10.233.0.3", "cluster.local")
    assert (found.kubernetes_version, found.name) == (DEFAULT_KUBERNETES_VERSION, "local")
    assert options(found, "kubernetes") == {"kube-api": {"extra_args": {"v": "4"}}}
    assert options(found, "manifests")["addons"].startswith("---\napiVersion: v1\nkind: Pod\n")
    assert [ref.name for ref in found.addons] == ["coredns", "metrics-server", "manifests"]
    assert [ref.name for ref in found.auth] == ["x509"]


def test_the_example_loads_without_a_warning() -> None:
    found = load(EXAMPLE)
    assert found.warnings == ()
    assert len(found.cluster.nodes) == 3


def test_loading_imports_no_provider_and_nothing_of_the_engine() -> None:
    code = (
        "import sys, pathlib, rkx.config as c; c.load(pathlib.Path(sys.argv[1]));"
        "print([m for m in sys.modules if m.split('.')[0] in ('docker', 'stevedore', 'paramiko')])"
    )
    paths = ":".join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", code, str(SAMPLE)], env={"PYTHONPATH": paths}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_scalars_keep_their_spelling_where_text_is_wanted() -> None:
    arguments = "{a: 04, b: 1.10, c: on, d: 1e3, e: ~, f: '', g: 12:30, h: 0x1F}"
    found = cluster(added(f"services: {{kubelet: {{extra_args: {arguments}}}}}\n"))
    expected = {"a": "04", "b": "1.10", "c": "on", "d": "1e3", "e": "", "f": "", "g": "12:30", "h": "0x1F"}
    assert options(found, "kubernetes") == {"kubelet": {"extra_args": expected}}


def test_empty_values_are_absent_and_silent_as_rke_config_writes_them() -> None:
    empty = """\
services:
  etcd: {image: "", extra_args: {}, extra_binds: [], external_urls: [], ca_cert: "", uid: 0, snapshot: null,
         backup_config: null, retention: "", creation: ""}
  kube-api: {pod_security_policy: false, service_node_port_range: "", audit_log: null}
  kubelet: {cluster_domain: "", infra_container_image: "", fail_swap_on: false}
cloud_provider: {name: ""}
restore: {restore: false, snapshot_name: ""}
rotate_encryption_key: false
rotate_certificates: null
win_prefix_path: ""
prefix_path: ""
addon_job_timeout: 0
bastion_host: {address: "", port: "", user: "", ssh_key: "", ssh_agent_auth: false, ignore_proxy_env_vars: false}
system_images: {etcd: "", alpine: "", weave_node: ""}
authorization: {mode: "", options: {}}
enable_cri_dockerd: null
kubernetes_version: ""
"""
    found = loaded(changed("kubernetes_version: v1.34.4\n", "") + empty)
    assert found.warnings == ()
    assert found.cluster.kubernetes_version == DEFAULT_KUBERNETES_VERSION
    assert found.cluster.addon_timeout_s == 300
    assert "bastion" not in found.cluster.nodes[0].transport_options


def test_zero_counts_where_draining_means_it() -> None:
    drain = "{grace_period: 0, timeout: 0, ignore_daemonsets: false}"
    found = cluster(added(f"upgrade_strategy: {{drain: yes, node_drain_input: {drain}}}\n"))
    assert found.upgrade.drain
    assert found.drain == DrainOptions(grace_period_s=0, timeout_s=0, ignore_daemonsets=False)


def test_a_node_takes_its_own_key_before_the_clusters_and_paths_start_at_the_file() -> None:
    text = changed(
        NODE, f"{NODE}    ssh_key_path: keys/one\n    ssh_cert_path: /c\n  - {{address: two, role: [worker]}}\n"
    )
    found = cluster(f"{text}ssh_key_path: ./all\nssh_cert_path: all-cert.pub\nssh: {{known_hosts: hosts}}\n")
    one, two = (node.transport_options for node in found.nodes)
    shared = {"known_hosts": "/etc/site/hosts"}
    assert one == {"ssh_key_path": "/etc/site/keys/one", "ssh_cert_path": "/c", **shared}
    assert two == {"ssh_key_path": "/etc/site/all", "ssh_cert_path": "/etc/site/all-cert.pub", **shared}


def test_home_is_spelled_out_in_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    [node] = cluster(added("ssh_key_path: ~/.ssh/id\n")).nodes
    assert node.transport_options["ssh_key_path"] == "/home/me/.ssh/id"


def test_the_bastion_gets_the_clusters_key_and_its_own_port() -> None:
    [node] = cluster(added("ssh_key_path: /k\nbastion_host: {address: b, user: u, port: 2222}\n")).nodes
    assert node.transport_options["bastion"] == {"address": "b", "user": "u", "port": 2222, "ssh_key_path": "/k"}


def test_another_transport_gets_its_own_options_alone() -> None:
    text = changed(NODE, f"{NODE}    user: u\n    transport_options: {{b: 2}}\n")
    [node] = cluster(f"{text}transport: lab\ntransport_options: {{a: 1, b: 1}}\n").nodes
    assert (node.transport, node.transport_options) == ("lab", {"a": 1, "b": 2})


def test_names_are_lowered_and_role_taints_dropped_with_a_warning() -> None:
    taints = "[{key: node-role.kubernetes.io/etcd, effect: NoExecute}, {key: a, value: b, effect: NoExecute}]"
    found = loaded(changed(NODE, f"{NODE}    hostname_override: One.Example\n    taints: {taints}\n"))
    [node] = found.cluster.nodes
    assert (node.name, node.internal_address) == ("one.example", "10.0.0.5")
    assert node.taints == (Taint(key="a", value="b", effect="NoExecute"),)
    assert [warning.where for warning in found.warnings] == ["nodes[0].taints[0]"]


def test_another_service_range_gives_its_tenth_address_to_dns_with_warnings() -> None:
    found = loaded(added("services: {kube-controller: {service_cluster_ip_range: 10.96.0.0/12}}\n"))
    assert (found.cluster.service_cidr, found.cluster.dns_address) == ("10.96.0.0/12", "10.96.0.10")
    assert sorted(warning.message for warning in found.warnings) == [
        "DNS gets the tenth address of the range, 10.96.0.10",
        'services.kube-api.service_cluster_ip_range is absent, "10.96.0.0/12" holds for it too',
    ]


def test_ranchers_suffix_of_a_version_is_cut() -> None:
    assert cluster(changed("v1.34.4", "v1.30.5-rancher1-1")).kubernetes_version == "v1.30.5"


def test_network_options_lose_their_providers_prefix_and_know_their_places() -> None:
    text = "{plugin: flannel, mtu: 1400, options: {flannel_iface: eth1, flannel_backend_port: '8473', mine: 1}}"
    network = cluster(changed("{plugin: flannel}", text)).network
    assert network.options == {"mtu": 1400, "iface": "eth1", "backend_port": "8473", "mine": 1}
    assert network.options_where["iface"] == "network.options.flannel_iface"
    assert network.options_where["mtu"] == "network.mtu"
    assert known(network) == {"mtu", "iface", "backend_port"}


def test_an_option_of_another_network_has_no_effect_and_says_so() -> None:
    found = loaded(changed("{plugin: flannel}", "{plugin: flannel, options: {canal_iface: eth1}}"))
    assert found.cluster.network.options == {}
    assert [warning.where for warning in found.warnings] == ["network.options.canal_iface"]


def test_no_network_is_flannel_with_a_warning_about_policies() -> None:
    found = loaded(changed("network: {plugin: flannel}\n", ""))
    assert found.cluster.network.name == "flannel"
    assert "network policies" in found.warnings[0].message


def test_services_that_are_none_of_rkes_are_providers_with_their_options() -> None:
    found = cluster(added("services: {keepalived: {interface: eth0}, scheduler: {extra_args: {v: 2}}}\n"))
    assert [(ref.name, ref.where) for ref in found.services] == [
        ("kubernetes", "services"),
        ("keepalived", "services.keepalived"),
    ]
    assert options(found, "keepalived") == {"interface": "eth0"}
    assert options(found, "kubernetes") == {"scheduler": {"extra_args": {"v": "2"}}}
    assert known(found.services[1]) == set()


def test_strategies_are_joined_by_bars_in_any_case_and_get_their_options() -> None:
    found = cluster(added("authentication: {strategy: X509|OIDC, options: {oidc: {issuer: i}}, sans: [a, 1.2.3.4]}\n"))
    assert [ref.name for ref in found.auth] == ["x509", "oidc"]
    assert options(found, "oidc") == {"issuer": "i"}
    assert found.sans == ("a", "1.2.3.4")


def test_a_webhook_map_turns_its_provider_on() -> None:
    found = cluster(added("authentication: {webhook: {cache_timeout: 9s}}\n"))
    assert [ref.name for ref in found.auth] == ["x509", "webhook"]
    assert found.auth[1].options_where["cache_timeout"] == "authentication.webhook.cache_timeout"


def test_addons_come_in_order_and_none_takes_one_out() -> None:
    text = changed("ingress: {provider: none}", "ingress: {provider: nginx, http_port: 8080}")
    found = cluster(f"{text}dns: {{provider: none}}\naddons: a\naddon_plugins: [{{name: x, options: {{o: 1}}}}]\n")
    assert [ref.name for ref in found.addons] == ["metrics-server", "nginx", "manifests", "x"]
    assert options(found, "nginx") == {"http_port": 8080}
    assert options(found, "manifests") == {"addons": "a"}
    assert options(found, "x") == {"o": 1}


def test_tolerations_take_both_spellings_of_their_seconds() -> None:
    text = "dns: {tolerations: [{key: a, tolerationseconds: 5}, {key: b, tolerationSeconds: 6}]}\n"
    assert options(cluster(added(text)), "coredns")["tolerations"] == [
        {"key": "a", "tolerationSeconds": 5},
        {"key": "b", "tolerationSeconds": 6},
    ]


def test_older_spellings_are_mapped_with_a_warning_each() -> None:
    text = changed("{plugin: flannel}", "{plugin: flannel, options: {flannel_image: f:1}}") + (
        "enforce_docker_version: false\n"
        "services: {kube_api: {always_pull_images: true}}\n"
        "system_images: {service_sidekick_image: s:1, etcd: e:1}\n"
    )
    found = loaded(text)
    assert found.cluster.ignore_docker_version
    assert options(found.cluster, "kubernetes") == {"kube-api": {"always_pull_images": True}}
    assert found.cluster.images == {"flannel": "f:1", "kubernetes_services_sidecar": "s:1", "etcd": "e:1"}
    assert [warning.line for warning in found.warnings] == [6, 7, 8, 9]


def test_what_rkx_does_not_act_on_is_a_warning_at_its_key() -> None:
    text = "cloud_provider: {name: external}\nprefix_path: /opt\nrotate_encryption_key: true\n"
    assert [(each.line, each.column) for each in loaded(added(text)).warnings] == [(7, 1), (8, 14), (9, 1)]


def test_a_profile_is_the_clusters() -> None:
    found = loaded(added("profile: cis\n"))
    assert (found.cluster.profile, found.warnings) == ("cis", ())
    assert cluster(added("profile:\n")).profile is None


def test_registries_keep_their_passwords_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_PASSWORD", "hunter2")
    text = "private_registries: [{url: r, user: u, password: {env: REGISTRY_PASSWORD}, is_default: true}]\n"
    found = cluster(added(text))
    assert found.registries == (PrivateRegistry(url="r", user="u", password=Secret("hunter2"), is_default=True),)
    assert "hunter2" not in repr(found)


def test_secrets_come_from_files_and_commands(tmp_path: Path) -> None:
    (tmp_path / "pass").write_text("from-file\n")
    text = added("private_registries: [{password: {file: pass}}, {password: {command: [printf, out]}}]\n")
    found = load_text(text, tmp_path / "cluster.yml").cluster.registries
    assert [each.password for each in found] == [Secret("from-file"), Secret("out")]


@pytest.mark.parametrize(
    "source", ["{file: none}", "{env: RKX_NO_SUCH}", "{command: [false]}", "{command: [no-such-program]}"]
)
def test_a_secret_that_cannot_be_had_is_a_mistake_in_its_place(source: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(added(f"private_registries: [{{password: {source}}}]\n"))
    assert [(each.where, each.line) for each in caught.value.problems] == [("private_registries[0].password", 7)]


def test_merge_keys_give_what_is_not_written_beside_them() -> None:
    base = changed(NODE, "    <<: &all {role: [controlplane, etcd, worker], user: u}\n    user: me\n")
    [node] = cluster(base).nodes
    assert node.transport_options == {"user": "me"}


def test_a_place_is_found_by_path_and_by_its_longest_beginning() -> None:
    document = loaded(added("services: {kubelet: {extra_args: {v: 4, a.b: c}}}\n")).document
    assert document.locate("nodes[0].role[1]")[:2] == (4, 26)
    assert document.locate("services.kubelet.extra_args.v") == (7, 38, document.lines[6])
    assert document.locate("services.kubelet.extra_args.a.b").column == 46
    assert document.locate("services.kubelet.none.of.it").column == 21
    assert document.locate("none")[:2] == (1, 1)


def test_what_an_upgrade_does_not_heed_yet_is_a_warning_but_not_how_nodes_are_emptied() -> None:
    given = "{max_unavailable_worker: 2, max_unavailable_controlplane: 1, drain: true, node_drain_input: {timeout: 9}}"
    found = loaded(added(f"upgrade_strategy: {given}\n"))
    assert [warning.where for warning in found.warnings] == [
        "upgrade_strategy.max_unavailable_worker",
        "upgrade_strategy.max_unavailable_controlplane",
        "upgrade_strategy.drain",
    ]
    assert {warning.message for warning in found.warnings} == {"rkx does not act on this yet"}
    assert loaded(added("upgrade_strategy: {drain: false, node_drain_input: {timeout: 9}}\n")).warnings == ()


@pytest.mark.parametrize(
    ("text", "strategy"),
    [
        ("{}", UpgradeStrategy(max_unavailable_worker=Percentage(10), max_unavailable_controlplane=1)),
        (
            "{max_unavailable_worker: 3, max_unavailable_controlplane: 50%}",
            UpgradeStrategy(max_unavailable_worker=3, max_unavailable_controlplane=Percentage(50)),
        ),
    ],
)
def test_how_many_may_be_away_is_a_count_or_a_percentage(text: str, strategy: UpgradeStrategy) -> None:
    assert cluster(added(f"upgrade_strategy: {text}\n")).upgrade == strategy


def test_none_unavailable_is_a_mistake_and_not_taken_for_absent() -> None:
    with pytest.raises(ConfigError, match="1 mistake") as caught:
        loaded(added("upgrade_strategy: {max_unavailable_worker: 0}\n"))
    assert [each.where for each in caught.value.problems if not each.warning] == [
        "upgrade_strategy.max_unavailable_worker"
    ]


def test_keys_of_cloud_providers_are_known_by_their_whole_names() -> None:
    maps = (
        "awsCloudProvider: {global: {disable-security-group-ingress: true}}, vsphereCloudProvider: "
        "{global: {soap-roundtrip-count: 1}}, openstackCloudProvider: {global: {ca-file: /c}, "
        "load_balancer: {monitor-delay: 1s}}"
    )
    found = loaded(added(f"cloud_provider: {{name: external, {maps}}}\n"))
    assert [warning.where for warning in found.warnings] == ["cloud_provider"]
