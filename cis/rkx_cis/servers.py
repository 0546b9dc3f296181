"""Sections 1.2 to 3: how the programs of the control plane and of etcd are run."""

from __future__ import annotations

from rkx_cis.check import Check, by_hand, scored, unscored
from rkx_cis.evidence import Machine, Role, Verdict, judged
from rkx_cis.look import (
    Look,
    Test,
    absent,
    at_least,
    both,
    equal,
    every,
    flag,
    given,
    has,
    lacks,
    manual,
    strong,
    unset_or,
)

API, MANAGER, SCHEDULER = "kube-apiserver", "kube-controller-manager", "kube-scheduler"
ENCRYPTION = "/etc/kubernetes/kube-apiserver/encryption.yaml"
PLUGINS, MODES = "enable-admission-plugins", "authorization-mode"
LOOPBACK = unset_or(equal("127.0.0.1"))


def _api(name: str, test: Test) -> Look:
    return flag(API, name, test)


def _pair(program: str, *names: str) -> Look:
    return both(*(flag(program, name, given) for name in names))


def _providers(machine: Machine) -> Verdict:
    """Want a strong provider first in the encryption configuration."""
    names = machine.texts.get(ENCRYPTION, "").split()
    return judged(
        bool(names) and names[0] in ("aescbc", "kms", "secretbox"), f"providers: {', '.join(names) or 'none'}"
    )


SCORED: tuple[tuple[str, str, Role, Look], ...] = (
    ("1.2.2", "no file of tokens", "controlplane", _api("token-auth-file", absent)),
    (
        "1.2.4",
        "the API server has a pair of its own for kubelets",
        "controlplane",
        _pair(API, "kubelet-client-certificate", "kubelet-client-key"),
    ),
    ("1.2.5", "kubelets are verified", "controlplane", _api("kubelet-certificate-authority", given)),
    ("1.2.6", "not everything is allowed", "controlplane", both(_api(MODES, given), _api(MODES, lacks("AlwaysAllow")))),
    ("1.2.7", "nodes are authorized as nodes", "controlplane", _api(MODES, has("Node"))),
    ("1.2.8", "roles authorize", "controlplane", _api(MODES, has("RBAC"))),
    ("1.2.10", "not everything is admitted", "controlplane", _api(PLUGINS, lacks("AlwaysAdmit"))),
    (
        "1.2.12",
        "service accounts stay automatic",
        "controlplane",
        _api("disable-admission-plugins", lacks("ServiceAccount")),
    ),
    (
        "1.2.13",
        "nothing is made in namespaces that end",
        "controlplane",
        _api("disable-admission-plugins", lacks("NamespaceLifecycle")),
    ),
    ("1.2.14", "kubelets change their own objects alone", "controlplane", _api(PLUGINS, has("NodeRestriction"))),
    ("1.2.15", "no profiling of the API server", "controlplane", _api("profiling", equal("false"))),
    ("1.2.16", "there is an audit log", "controlplane", _api("audit-log-path", given)),
    ("1.2.17", "it is kept for 30 days", "controlplane", _api("audit-log-maxage", at_least(30))),
    ("1.2.18", "in 10 files", "controlplane", _api("audit-log-maxbackup", at_least(10))),
    ("1.2.19", "of 100 MB", "controlplane", _api("audit-log-maxsize", at_least(100))),
    (
        "1.2.21",
        "tokens of deleted accounts end",
        "controlplane",
        _api("service-account-lookup", unset_or(equal("true"))),
    ),
    ("1.2.22", "tokens are verified by a key of their own", "controlplane", _api("service-account-key-file", given)),
    (
        "1.2.23",
        "the API server has a pair of its own for etcd",
        "controlplane",
        _pair(API, "etcd-certfile", "etcd-keyfile"),
    ),
    ("1.2.24", "the API server serves by TLS", "controlplane", _pair(API, "tls-cert-file", "tls-private-key-file")),
    ("1.2.25", "clients are verified", "controlplane", _api("client-ca-file", given)),
    ("1.2.26", "etcd is verified", "controlplane", _api("etcd-cafile", given)),
    (
        "1.2.30",
        "tokens live no longer than they say",
        "controlplane",
        _api("service-account-extend-token-expiration", equal("false")),
    ),
    ("1.3.2", "no profiling of the controller manager", "controlplane", flag(MANAGER, "profiling", equal("false"))),
    (
        "1.3.3",
        "each controller has an account of its own",
        "controlplane",
        flag(MANAGER, "use-service-account-credentials", equal("true")),
    ),
    (
        "1.3.4",
        "tokens are signed by a key of their own",
        "controlplane",
        flag(MANAGER, "service-account-private-key-file", given),
    ),
    ("1.3.5", "pods get the cluster's authority", "controlplane", flag(MANAGER, "root-ca-file", given)),
    (
        "1.3.6",
        "kubelets may renew what they serve with",
        "controlplane",
        flag(MANAGER, "feature-gates", lacks("RotateKubeletServerCertificate=false")),
    ),
    ("1.3.7", "the controller manager listens on loopback", "controlplane", flag(MANAGER, "bind-address", LOOPBACK)),
    ("1.4.1", "no profiling of the scheduler", "controlplane", flag(SCHEDULER, "profiling", equal("false"))),
    ("1.4.2", "the scheduler listens on loopback", "controlplane", flag(SCHEDULER, "bind-address", LOOPBACK)),
    ("2.1", "etcd serves by TLS", "etcd", _pair("etcd", "cert-file", "key-file")),
    ("2.2", "etcd verifies clients", "etcd", flag("etcd", "client-cert-auth", equal("true"))),
    ("2.3", "etcd signs nothing itself", "etcd", flag("etcd", "auto-tls", unset_or(equal("false")))),
    ("2.4", "members talk by TLS", "etcd", _pair("etcd", "peer-cert-file", "peer-key-file")),
    ("2.5", "members verify each other", "etcd", flag("etcd", "peer-client-cert-auth", equal("true"))),
    ("2.6", "members sign nothing themselves", "etcd", flag("etcd", "peer-auto-tls", unset_or(equal("false")))),
)
UNSCORED: tuple[tuple[str, str, Role, Look], ...] = (
    ("1.2.1", "anonymous requests are refused", "controlplane", _api("anonymous-auth", equal("false"))),
    ("1.2.3", "Services name no external addresses", "controlplane", _api(PLUGINS, has("DenyServiceExternalIPs"))),
    ("1.2.9", "floods of events are limited", "controlplane", _api(PLUGINS, has("EventRateLimit"))),
    ("1.2.11", "images are always pulled", "controlplane", _api(PLUGINS, has("AlwaysPullImages"))),
    ("1.2.27", "secrets are encrypted in etcd", "controlplane", _api("encryption-provider-config", given)),
    ("1.2.28", "by a strong provider", "controlplane", _providers),
    ("1.2.29", "the API server's ciphers are strong", "controlplane", _api("tls-cipher-suites", strong)),
    (
        "1.3.1",
        "ended pods are collected",
        "controlplane",
        flag(MANAGER, "terminated-pod-gc-threshold", at_least(1)),
    ),
    ("2.7", "etcd has an authority of its own", "etcd", flag("etcd", "trusted-ca-file", given)),
    ("3.2.1", "there is an audit policy", "controlplane", _api("audit-policy-file", given)),
)
CHECKS: tuple[Check, ...] = (
    *(scored(number, wants, every(role, look)) for number, wants, role, look in SCORED),
    *(unscored(number, wants, every(role, look)) for number, wants, role, look in UNSCORED),
    by_hand("1.2.20", "requests end in time", manual("--request-timeout is not given: 60 s")),
    by_hand(
        "3.1.1", "users have no client certificates", manual("the operator's kubeconfig has one, by strategy x509")
    ),
    by_hand("3.1.2", "users have no tokens of service accounts", manual("rkx gives none")),
    by_hand("3.1.3", "users have no bootstrap tokens", manual("rkx makes none")),
    by_hand("3.2.2", "the audit policy covers what matters", manual("secrets, config maps and tokens: metadata alone")),
)
