"""Section 4: files of the nodes, and how their programs are run."""

from __future__ import annotations

from rkx_cis.check import Check, scored, unscored
from rkx_cis.files import ETC, RECORDS, ROOT
from rkx_cis.look import (
    Look,
    Test,
    above_zero,
    absent,
    at_least,
    both,
    equal,
    every,
    flag,
    given,
    lacks,
    mode,
    owner,
    setting,
    strong,
    unset_or,
)

KUBELET, PROXY = f"{ETC}/kubelet", f"{ETC}/kube-proxy"
CONFIG = f"{KUBELET}/config.yaml"
AUTHORITY = f"{KUBELET}/kubernetes-ca.crt"
ROTATION = "featureGates.RotateKubeletServerCertificate"
CERTIFICATE = ("tls-cert-file", "tlsCertFile"), ("tls-private-key-file", "tlsPrivateKeyFile")


def _kubelet(name: str, field: str, test: Test) -> Look:
    return setting("kubelet", CONFIG, name, field, test)


SCORED: tuple[tuple[str, str, Look], ...] = (
    ("4.1.1", "the kubelet's record is 600 or less", mode(0o600, f"{RECORDS}/kubelet.json")),
    ("4.1.2", "the kubelet's record is root's", owner(ROOT, f"{RECORDS}/kubelet.json")),
    ("4.1.5", "the kubelet's kubeconfig is 600 or less", mode(0o600, f"{KUBELET}/kubeconfig")),
    ("4.1.6", "the kubelet's kubeconfig is root's", owner(ROOT, f"{KUBELET}/kubeconfig")),
    ("4.1.9", "the kubelet's configuration is 600 or less", mode(0o600, CONFIG)),
    ("4.1.10", "the kubelet's configuration is root's", owner(ROOT, CONFIG)),
    (
        "4.2.1",
        "kubelets refuse anonymous requests",
        _kubelet("anonymous-auth", "authentication.anonymous.enabled", equal("false")),
    ),
    (
        "4.2.2",
        "kubelets do not allow everything",
        both(
            _kubelet("authorization-mode", "authorization.mode", given),
            _kubelet("authorization-mode", "authorization.mode", lacks("AlwaysAllow")),
        ),
    ),
    ("4.2.3", "kubelets verify clients", _kubelet("client-ca-file", "authentication.x509.clientCAFile", given)),
    (
        "4.2.6",
        "kubelets keep their chains of rules",
        _kubelet("make-iptables-util-chains", "makeIPTablesUtilChains", unset_or(equal("true"))),
    ),
    (
        "4.2.10",
        "kubelets renew their certificates",
        _kubelet("rotate-certificates", "rotateCertificates", unset_or(equal("true"))),
    ),
    (
        "4.3.1",
        "kube-proxy's figures are on loopback",
        setting(
            "kube-proxy",
            f"{PROXY}/config.yaml",
            "metrics-bind-address",
            "metricsBindAddress",
            unset_or(lambda value: (value or "").startswith("127.0.0.1")),
        ),
    ),
)
UNSCORED: tuple[tuple[str, str, Look], ...] = (
    ("4.1.3", "kube-proxy's kubeconfig is 600 or less", mode(0o600, f"{PROXY}/kubeconfig")),
    ("4.1.4", "kube-proxy's kubeconfig is root's", owner(ROOT, f"{PROXY}/kubeconfig")),
    ("4.1.7", "the kubelet's authority is 644 or less", mode(0o644, AUTHORITY)),
    ("4.1.8", "the kubelet's authority is root's", owner(ROOT, AUTHORITY)),
    ("4.2.4", "no port for reading alone", _kubelet("read-only-port", "readOnlyPort", unset_or(equal("0")))),
    (
        "4.2.5",
        "idle streams end",
        _kubelet("streaming-connection-idle-timeout", "streamingConnectionIdleTimeout", above_zero),
    ),
    ("4.2.7", "nodes are called as their machines are", flag("kubelet", "hostname-override", absent)),
    ("4.2.8", "events are not suppressed", _kubelet("event-qps", "eventRecordQPS", unset_or(at_least(0)))),
    ("4.2.9", "kubelets serve by TLS", both(*(_kubelet(name, field, given) for name, field in CERTIFICATE))),
    (
        "4.2.11",
        "kubelets may renew what they serve with",
        _kubelet("rotate-server-certificates", ROTATION, unset_or(equal("true"))),
    ),
    ("4.2.12", "kubelets' ciphers are strong", _kubelet("tls-cipher-suites", "tlsCipherSuites", strong)),
    ("4.2.13", "pods have a limit of processes", _kubelet("pod-max-pids", "podPidsLimit", at_least(1))),
    ("4.2.14", "seccomp is the default", _kubelet("seccomp-default", "seccompDefault", equal("true"))),
)
CHECKS: tuple[Check, ...] = (
    *(scored(number, wants, every(None, look)) for number, wants, look in SCORED),
    *(unscored(number, wants, every(None, look)) for number, wants, look in UNSCORED),
)
