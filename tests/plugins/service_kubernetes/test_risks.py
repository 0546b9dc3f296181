"""What opens the cluster carries the name of its risk, in whatever spelling and by whatever option it is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.service_kubernetes.test_arguments import config, problems

from rkx import api
from rkx.errors import ConfigError
from rkx_service_kubernetes import KubernetesService, risks
from rkx_service_kubernetes.config import (
    AuditConfiguration,
    AuditLog,
    Encryption,
    KubeApi,
    KubernetesConfig,
)

HEAD = """\
nodes: [{address: 192.0.2.1, hostname_override: one, user: u, role: [controlplane, etcd, worker]}]
network: {plugin: flannel}
ingress: {provider: none}
"""


def carried(service: str, **extra: Any) -> list[str]:  # noqa: ANN401 - fields of Program
    return [problem.risk for problem in problems(config(service, **extra)) if problem.risk]


OPEN = [
    ("kube-api", "anonymous-auth", ("true", "True", "TRUE", "t", "T", "1", "yes", ""), "anonymous-requests"),
    ("kube-api", "authorization-mode", ("AlwaysAllow", "Node,RBAC,AlwaysAllow", '"AlwaysAllow"'), "open-authorization"),
    ("kube-api", "authorization-mode", ("Node", "RBAC", "Node,RBAC,Webhook", ""), "open-authorization"),
    ("kube-api", "authorization-config", ("/x",), "open-authorization"),
    ("kube-api", "token-auth-file", ("/x",), "static-tokens"),
    ("kube-api", "service-account-lookup", ("false", "0", "F"), "stale-tokens"),
    ("kube-api", "enable-admission-plugins", ("AlwaysAdmit,NodeRestriction", "PodSecurity", ""), "open-admission"),
    (
        "kube-api",
        "disable-admission-plugins",
        ("NodeRestriction", "X, PodSecurity", "ServiceAccount"),
        "open-admission",
    ),
    ("kube-api", "admission-control-config-file", ("/x", ""), "unseen-configuration"),
    ("kube-api", "audit-log-path", ("",), "no-audit-log"),
    ("kube-api", "audit-policy-file", ("",), "no-audit-log"),
    ("kube-api", "requestheader-allowed-names", ("",), "open-front-proxy"),
    ("kubelet", "anonymous-auth", ("true", "1", "T"), "anonymous-requests"),
    ("kubelet", "authorization-mode", ("AlwaysAllow",), "open-authorization"),
    ("kubelet", "read-only-port", ("10255", "00", "0x1"), "read-only-port"),
    ("kubelet", "streaming-connection-idle-timeout", ("0", "0s", "0h0m", "-1h", "0.1ns"), "endless-streams"),
    ("kubelet", "config-dir", ("/x",), "unseen-configuration"),
    ("kubelet", "manifest-url", ("https://192.0.2.9",), "remote-pods"),
    ("kube-controller", "use-service-account-credentials", ("false", "f", "0", ""), "shared-account"),
    ("kube-controller", "bind-address", ("0.0.0.0", "::", "192.0.2.1", ""), "open-metrics"),
    ("kube-controller", "authorization-always-allow-paths", ("/healthz,/metrics", "/*"), "open-metrics"),
    ("scheduler", "bind-address", ("0.0.0.0", ""), "open-metrics"),
    ("kubeproxy", "metrics-bind-address", ("0.0.0.0:10249", "[::]:10249", ":10249", "one:1"), "open-metrics"),
    ("etcd", "listen-metrics-urls", ("http://0.0.0.0:2381", "http://127.0.0.1:1,http://192.0.2.1:1"), "open-metrics"),
    ("etcd", "listen-client-http-urls", ("http://127.0.0.1:2382", "https://a:1,http://a:2"), "plain-etcd"),
]


@pytest.mark.parametrize(
    ("service", "flag", "text", "risk"),
    [(service, flag, text, risk) for service, flag, texts, risk in OPEN for text in texts],
)
def test_a_value_that_opens_the_cluster_carries_its_risk(service: str, flag: str, text: str, risk: str) -> None:
    [found] = [each for each in problems(config(service, extra_args={flag: text})) if each.risk]
    assert (found.where, found.risk) == (f"services.{service}.extra_args.{flag}", risk)
    assert f"--{flag}" in found.message


@pytest.mark.parametrize(
    ("service", "flag", "text"),
    [
        *(("kube-api", "anonymous-auth", text) for text in ("false", "False", "FALSE", "f", "F", "0")),
        ("kube-api", "authorization-mode", "RBAC,Node"),
        ("kube-api", "enable-admission-plugins", "NodeRestriction,AlwaysPullImages"),
        ("kube-api", "disable-admission-plugins", "DefaultTolerationSeconds"),
        ("kube-api", "requestheader-allowed-names", "front-proxy-client"),
        ("kube-api", "service-account-lookup", "true"),
        ("kube-api", "profiling", "true"),
        ("kubelet", "anonymous-auth", ""),
        ("kubelet", "authorization-mode", "Webhook"),
        ("kubelet", "read-only-port", "0"),
        ("kubelet", "streaming-connection-idle-timeout", "30m"),
        ("kubelet", "protect-kernel-defaults", "false"),
        ("kube-controller", "use-service-account-credentials", "true"),
        ("kube-controller", "bind-address", "127.0.0.1"),
        ("scheduler", "bind-address", "::1"),
        ("kubeproxy", "metrics-bind-address", "[::1]:10249"),
        ("kubeproxy", "metrics-bind-address", ""),
        ("etcd", "listen-metrics-urls", "http://127.0.0.1:2381,http://localhost:2382"),
    ],
)
def test_a_value_that_opens_nothing_carries_none(service: str, flag: str, text: str) -> None:
    assert carried(service, extra_args={flag: text}) == []


def test_values_of_a_list_are_judged_each_and_stand_beside_rkxs_own() -> None:
    def risk(flag: str, *texts: str) -> list[str]:
        return carried("kube-api", extra_args_array={flag: texts})

    assert risk("anonymous-auth", "false", "true") == ["anonymous-requests"]
    assert risk("authorization-mode", "AlwaysAllow") == ["open-authorization"]
    assert risk("enable-admission-plugins", "PodSecurity", "AlwaysAdmit") == ["open-admission"]
    assert risk("audit-log-path", "") == ["no-audit-log"]
    assert risk("enable-admission-plugins", "PodSecurity") == []


def test_a_list_that_is_too_long_to_be_read_opens_what_it_is_for() -> None:
    assert carried("kube-api", extra_args={"authorization-mode": "x" * 200_000}) == ["open-authorization"]


def test_etcds_variables_are_its_flags() -> None:
    assert carried("etcd", extra_env=("ETCD_LISTEN_METRICS_URLS=http://0.0.0.0:1", "PATH=/x")) == ["open-metrics"]
    [owned] = problems(config("etcd", extra_env=("ETCD_AUTO_TLS=true",)))
    assert (owned.where, owned.warning) == ("services.etcd.extra_env[0]", False)
    assert "--auto-tls" in owned.message


@pytest.mark.parametrize("option", [{"extra_args": {}}, {"extra_args_array": {}}])
@pytest.mark.parametrize("text", ["", "/x"])
def test_the_file_of_encryption_is_rkxs_own(option: Mapping[str, Any], text: str) -> None:
    [name] = option
    value = {"encryption-provider-config": text if name == "extra_args" else (text,)}
    [found] = problems(config("kube-api", **{name: value}))
    assert (found.warning, found.risk) == (False, "")
    assert "services.kube-api.secrets_encryption_config" in found.hint


POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy"}
SECRETBOX: Mapping[str, Any] = {"secretbox": {"keys": []}}
IDENTITY: Mapping[str, Any] = {"identity": {}}


def encrypted(*providers: object, of: str = "secrets") -> KubeApi:
    custom = {"resources": [{"resources": [of], "providers": list(providers)}]}
    return KubeApi(secrets_encryption_config=Encryption(custom_config=custom))


@pytest.mark.parametrize(
    ("wanted", "risk", "key"),
    [
        (KubeApi(audit_log=AuditLog(enabled=False)), "no-audit-log", "audit_log.enabled"),
        (
            KubeApi(
                audit_log=AuditLog(configuration=AuditConfiguration(policy={**POLICY, "rules": ({"level": "None"},)}))
            ),
            "no-audit-log",
            "audit_log.configuration.policy",
        ),
        (
            KubeApi(secrets_encryption_config=Encryption(enabled=False)),
            "plain-secrets",
            "secrets_encryption_config.enabled",
        ),
        (encrypted(IDENTITY, SECRETBOX), "plain-secrets", "secrets_encryption_config.custom_config"),
        (encrypted(SECRETBOX, of="configmaps"), "plain-secrets", "secrets_encryption_config.custom_config"),
        (encrypted(), "plain-secrets", "secrets_encryption_config.custom_config"),
        (
            KubeApi(secrets_encryption_config=Encryption(custom_config={"resources": "x"})),
            "plain-secrets",
            "secrets_encryption_config.custom_config",
        ),
    ],
)
def test_audit_and_encryption_switched_off_carry_a_risk(wanted: KubeApi, risk: str, key: str) -> None:
    [found] = problems(KubernetesConfig(kube_api=wanted))
    assert (found.where, found.risk) == (f"services.kube-api.{key}", risk)


@pytest.mark.parametrize("wanted", [encrypted(SECRETBOX, IDENTITY), encrypted(SECRETBOX, of="*.*")])
def test_a_configuration_that_encrypts_carries_none(wanted: KubeApi) -> None:
    assert problems(KubernetesConfig(kube_api=wanted)) == []


@pytest.mark.parametrize("service", ["etcd", "kube-api", "kube-controller", "scheduler"])
@pytest.mark.parametrize(
    "bind",
    ["/:/host", "/:/host:ro", "//:/host", "/srv/..:/host", "/run:/host", "/var/run/docker.sock:/s", "/run/docker.sock"],
)
def test_the_machine_in_a_container_that_is_not_privileged_carries_a_risk(service: str, bind: str) -> None:
    assert carried(service, extra_binds=(bind,)) == ["host-root"]


@pytest.mark.parametrize("bind", ["/etc:/x", "/etc/kubernetes/kubelet:/x", "/var/lib:/x", "/root/.ssh:/x", "/proc:/x"])
def test_folders_of_keys_carry_a_risk_from_above_and_from_below(bind: str) -> None:
    assert carried("kube-api", extra_binds=(bind,)) == ["host-root"]


@pytest.mark.parametrize("bind", ["/srv:/srv", "/etc/ssl/certs:/x:ro", "/opt/oidc:/etc/kubernetes/oidc", "/rooted:/x"])
def test_folders_of_the_users_own_carry_none(bind: str) -> None:
    assert problems(config("kube-api", extra_binds=(bind,))) == []


@pytest.mark.parametrize("service", ["kubelet", "kubeproxy"])
def test_a_privileged_container_gets_nothing_new_by_a_bind(service: str) -> None:
    assert carried(service, extra_binds=("/:/host",)) == []


@pytest.mark.parametrize("target", ["/etc/kubernetes/kubelet", "/etc/kubernetes/x/../kubelet/config.yaml"])
def test_a_bind_that_hides_rkxs_own_files_is_refused(target: str) -> None:
    [found] = problems(config("kubelet", extra_binds=(f"/srv:{target}",)))
    assert (found.where, found.warning, found.risk) == ("services.kubelet.extra_binds[0]", False, "")


def test_a_file_of_rkes_that_opens_the_cluster_is_told_the_line_that_takes_it(tmp_path: Path) -> None:
    file = tmp_path / "cluster.yml"
    services = "services: {kube-api: {audit_log: {enabled: false}, extra_args: {anonymous-auth: true}}}\n"
    file.write_text(HEAD + services)
    with pytest.raises(ConfigError) as caught:
        api.load(file)
    found = {problem.risk: problem for problem in caught.value.problems if problem.risk}
    assert {name: (each.line, each.column) for name, each in found.items()} == {
        "no-audit-log": (4, 44),
        "anonymous-requests": (4, 81),
    }
    assert found["no-audit-log"].hint.endswith("accept_risk: [no-audit-log]")


def test_every_flag_of_the_table_is_judged_of_a_program_that_there_is() -> None:
    programs = {program for risk in risks.table().values() for program in risk.get("flags", {})}
    assert programs <= {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"}
    assert {risk for *_, risk in OPEN} | {"host-root", "no-audit-log", "plain-secrets"} == KubernetesService.risks
