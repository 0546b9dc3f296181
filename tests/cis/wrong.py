"""Evidence with one thing changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rkx_cis.evidence import Evidence, Machine, Object, Process
from rkx_cis.policies import ADMISSION
from rkx_cis.servers import ENCRYPTION
from rkx_cis.workers import CONFIG, PROXY

Change = Callable[[Evidence], Evidence]
ETC, RECORDS = "/etc/kubernetes", "/etc/kubernetes/records"
API, MANAGER, SCHEDULER = "kube-apiserver", "kube-controller-manager", "kube-scheduler"
PLUGINS = "enable-admission-plugins"
ALL = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
EVERYBODY = {"kind": "Group", "name": "system:authenticated"}


def _machines(change: Callable[[Machine], Machine]) -> Change:
    return lambda found: replace(found, machines=[change(machine) for machine in found.machines])


def argument(program: str, name: str, value: str | None) -> Change:
    """Return a program another argument, or none of that name."""

    def change(machine: Machine) -> Machine:
        if program not in machine.processes:
            return machine
        process = machine.processes[program]
        kept = [word for word in process.arguments if word.partition("=")[0] != f"--{name}"]
        more = [] if value is None else [f"--{name}={value}"]
        made = Process(arguments=(*kept, *more), owner=process.owner)
        return replace(machine, processes={**machine.processes, program: made})

    return _machines(change)


def entry(path: str, **rights: Any) -> Change:  # noqa: ANN401 - fields of an Entry
    """Return a file other rights where it is, or take it away where none are given."""

    def change(machine: Machine) -> Machine:
        if path not in machine.files:
            return machine
        files = dict(machine.files)
        found = files.pop(path)
        return replace(machine, files={**files, path: replace(found, **rights)} if rights else files)

    return _machines(change)


def field(path: str, name: str, value: object) -> Change:
    """Return a field of a file another value, or none."""

    def change(machine: Machine) -> Machine:
        body = json.loads(machine.texts[path])
        *parents, last = name.split(".")
        inner = body
        for part in parents:
            inner = inner.setdefault(part, {})
        inner[last] = value
        return replace(machine, texts={**machine.texts, path: json.dumps(body)})

    return _machines(change)


def text(path: str, content: str) -> Change:
    """Return a file another content where it is."""
    return _machines(lambda m: replace(m, texts={**m.texts, path: content}) if path in m.texts else m)


def more(kind: str, body: Object) -> Change:
    """Add an object."""
    return lambda found: replace(found, objects={**found.objects, kind: [*found.objects[kind], body]})


def pod(**spec: Any) -> Change:  # noqa: ANN401 - a pod's specification
    """Add a pod."""
    return more("pods", {"metadata": {"namespace": "work", "name": "bad"}, "spec": {"containers": [], **spec}})


def container(**security: bool) -> Change:
    """Add a pod whose first container is bad."""
    return pod(initContainers=[{"name": "one", "securityContext": security}])


def bound(role: str, rule: Mapping[str, Any]) -> Change:
    """Add a role, bound to everybody."""
    made = more("clusterroles", {"metadata": {"name": role}, "rules": [rule]})
    binding = {"metadata": {"name": role}, "roleRef": {"name": role}, "subjects": [EVERYBODY]}
    return lambda found: more("clusterrolebindings", binding)(made(found))


def kubeconfig(mode: int) -> Change:
    """Open the operator's kubeconfig."""
    return lambda found: replace(found, kubeconfig=replace(found.kubeconfig, mode=mode) if found.kubeconfig else None)


def admin(evidence: Evidence) -> Evidence:
    """Put an administrator's kubeconfig on a machine, in the hands of somebody else."""
    one = evidence.machines[0]
    left = replace(one.files[CONFIG], owner="ubuntu:root")
    first = replace(one, files={**one.files, f"{ETC}/super-admin.conf": left})
    return replace(evidence, machines=[first, *evidence.machines[1:]])


def _open(*paths: str) -> list[Change]:
    return [entry(path, mode=0o640) for path in paths]


def _given(*paths: str) -> list[Change]:
    return [entry(path, owner="ubuntu:root") for path in paths]


FILES: Mapping[str, list[Change]] = {
    **{
        f"1.1.{2 * n + 1}": [*_open(f"{RECORDS}/{name}.json"), entry(f"{RECORDS}/{name}.json")]
        for n, name in enumerate((API, MANAGER, SCHEDULER, "etcd"))
    },
    **{
        f"1.1.{2 * n + 2}": [*_given(f"{RECORDS}/{name}.json"), entry(f"{RECORDS}/{name}.json")]
        for n, name in enumerate((API, MANAGER, SCHEDULER, "etcd"))
    },
    "1.1.9": _open("/etc/cni/net.d/10-flannel.conflist"),
    "1.1.10": _given("/etc/cni/net.d/10-flannel.conflist"),
    "1.1.11": [entry("/var/lib/etcd", mode=0o750), entry("/var/lib/etcd")],
    "1.1.12": [entry("/var/lib/etcd", owner=owner) for owner in ("root:root", "ubuntu:ubuntu", "52035:52034")],
    "1.1.13": [kubeconfig(0o640), kubeconfig(0o700)],
    "1.1.14": [admin],
    "1.1.15": _open(f"{ETC}/{SCHEDULER}/kubeconfig"),
    "1.1.16": _given(f"{ETC}/{SCHEDULER}/kubeconfig"),
    "1.1.17": _open(f"{ETC}/{MANAGER}/kubeconfig"),
    "1.1.18": _given(f"{ETC}/{MANAGER}/kubeconfig"),
    "1.1.19": _given(f"{ETC}/{API}/serving.key", f"{ETC}/{API}"),
    "1.1.20": [entry(f"{ETC}/{API}/serving.crt", mode=0o664)],
    "1.1.21": _open(f"{ETC}/{API}/serving.key"),
    "4.1.1": _open(f"{RECORDS}/kubelet.json"),
    "4.1.2": _given(f"{RECORDS}/kubelet.json"),
    "4.1.3": _open(f"{ETC}/kube-proxy/kubeconfig"),
    "4.1.4": _given(f"{ETC}/kube-proxy/kubeconfig"),
    "4.1.5": _open(f"{ETC}/kubelet/kubeconfig"),
    "4.1.6": _given(f"{ETC}/kubelet/kubeconfig"),
    "4.1.7": [entry(f"{ETC}/kubelet/kubernetes-ca.crt", mode=0o664)],
    "4.1.8": _given(f"{ETC}/kubelet/kubernetes-ca.crt"),
    "4.1.9": [*_open(CONFIG), entry(CONFIG)],
    "4.1.10": _given(CONFIG),
}
"""What each check of files must notice."""


def _api(name: str, *values: str | None) -> list[Change]:
    return [argument(API, name, value) for value in values]


def _etcd(name: str, *values: str | None) -> list[Change]:
    return [argument("etcd", name, value) for value in values]


SERVERS: Mapping[str, list[Change]] = {
    "1.2.1": _api("anonymous-auth", "true", None),
    "1.2.2": _api("token-auth-file", "/etc/tokens"),
    "1.2.3": _api(PLUGINS, "NodeRestriction", None),
    "1.2.4": [*_api("kubelet-client-certificate", None), *_api("kubelet-client-key", None)],
    "1.2.5": _api("kubelet-certificate-authority", None),
    "1.2.6": _api("authorization-mode", "RBAC,AlwaysAllow", None),
    "1.2.7": _api("authorization-mode", "RBAC", None),
    "1.2.8": _api("authorization-mode", "Node", None),
    "1.2.9": _api(PLUGINS, "NodeRestriction", None),
    "1.2.10": _api(PLUGINS, "NodeRestriction,AlwaysAdmit"),
    "1.2.11": _api(PLUGINS, "NodeRestriction", None),
    "1.2.12": _api("disable-admission-plugins", "ServiceAccount"),
    "1.2.13": _api("disable-admission-plugins", "NamespaceLifecycle"),
    "1.2.14": _api(PLUGINS, "EventRateLimit", None),
    "1.2.15": _api("profiling", "true", None),
    "1.2.16": _api("audit-log-path", None, ""),
    "1.2.17": _api("audit-log-maxage", "29", None),
    "1.2.18": _api("audit-log-maxbackup", "9", None),
    "1.2.19": _api("audit-log-maxsize", "99", None),
    "1.2.21": _api("service-account-lookup", "false"),
    "1.2.22": _api("service-account-key-file", None),
    "1.2.23": [*_api("etcd-certfile", None), *_api("etcd-keyfile", None)],
    "1.2.24": [*_api("tls-cert-file", None), *_api("tls-private-key-file", None)],
    "1.2.25": _api("client-ca-file", None),
    "1.2.26": _api("etcd-cafile", None),
    "1.2.27": _api("encryption-provider-config", None, ""),
    "1.2.28": [text(ENCRYPTION, "identity\nsecretbox\n"), text(ENCRYPTION, "aesgcm\n"), text(ENCRYPTION, "")],
    "1.2.29": _api("tls-cipher-suites", "TLS_RSA_WITH_AES_128_CBC_SHA", None),
    "1.2.30": _api("service-account-extend-token-expiration", "true", None),
    "1.3.1": [argument(MANAGER, "terminated-pod-gc-threshold", value) for value in ("0", None)],
    "1.3.2": [argument(MANAGER, "profiling", value) for value in ("true", None)],
    "1.3.3": [argument(MANAGER, "use-service-account-credentials", value) for value in ("false", None)],
    "1.3.4": [argument(MANAGER, "service-account-private-key-file", None)],
    "1.3.5": [argument(MANAGER, "root-ca-file", None)],
    "1.3.6": [argument(MANAGER, "feature-gates", "A=true,RotateKubeletServerCertificate=false")],
    "1.3.7": [argument(MANAGER, "bind-address", "0.0.0.0")],
    "1.4.1": [argument(SCHEDULER, "profiling", value) for value in ("true", None)],
    "1.4.2": [argument(SCHEDULER, "bind-address", "0.0.0.0")],
    "2.1": [*_etcd("cert-file", None), *_etcd("key-file", None)],
    "2.2": _etcd("client-cert-auth", "false", None),
    "2.3": _etcd("auto-tls", "true"),
    "2.4": [*_etcd("peer-cert-file", None), *_etcd("peer-key-file", None)],
    "2.5": _etcd("peer-client-cert-auth", "false", None),
    "2.6": _etcd("peer-auto-tls", "true"),
    "2.7": _etcd("trusted-ca-file", None),
    "3.2.1": _api("audit-policy-file", None),
}
"""What each check of the control plane's programs must notice."""


def _kubelet(name: str, *values: object) -> list[Change]:
    return [field(CONFIG, name, value) for value in values]


NODES: Mapping[str, list[Change]] = {
    "4.2.1": [*_kubelet("authentication.anonymous.enabled", True, None), argument("kubelet", "anonymous-auth", "true")],
    "4.2.2": _kubelet("authorization.mode", "AlwaysAllow", None),
    "4.2.3": _kubelet("authentication.x509.clientCAFile", None),
    "4.2.4": _kubelet("readOnlyPort", 10255),
    "4.2.5": _kubelet("streamingConnectionIdleTimeout", "0", "0s", 0),
    "4.2.6": _kubelet("makeIPTablesUtilChains", False),
    "4.2.7": [argument("kubelet", "hostname-override", "other")],
    "4.2.8": _kubelet("eventRecordQPS", -1),
    "4.2.9": [*_kubelet("tlsCertFile", None), *_kubelet("tlsPrivateKeyFile", None)],
    "4.2.10": _kubelet("rotateCertificates", False),
    "4.2.11": _kubelet("featureGates.RotateKubeletServerCertificate", False),
    "4.2.12": _kubelet("tlsCipherSuites", ["TLS_RSA_WITH_AES_128_CBC_SHA"], None),
    "4.2.13": _kubelet("podPidsLimit", -1, None),
    "4.2.14": _kubelet("seccompDefault", False, None),
    "4.3.1": [field(f"{PROXY}/config.yaml", "metricsBindAddress", "0.0.0.0:10249")],
}
"""What each check of the nodes' programs must notice."""
READ, MAKE = ({"resources": [what], "verbs": [verb]} for what, verb in (("secrets", "list"), ("pods", "create")))
POLICIES: Mapping[str, list[Change]] = {
    "5.1.1": [more("clusterrolebindings", {"metadata": {"name": "mine"}, "roleRef": {"name": "cluster-admin"}})],
    "5.1.2": [bound("readers", READ), bound("all", ALL)],
    "5.1.3": [more("clusterroles", {"metadata": {"name": "wide"}, "rules": [ALL]})],
    "5.1.4": [bound("makers", MAKE)],
    "5.1.5": [more("serviceaccounts", {"metadata": {"namespace": "work", "name": "default"}})],
    "5.1.6": [pod()],
    "5.2.2": [container(privileged=True)],
    "5.2.3": [pod(hostPID=True)],
    "5.2.4": [pod(hostIPC=True)],
    "5.2.5": [pod(hostNetwork=True)],
    "5.2.6": [container(allowPrivilegeEscalation=True)],
}
"""What each check of objects must notice."""
WRONG: Mapping[str, list[Change]] = {**FILES, **SERVERS, **NODES, **POLICIES}


def without(kind: str, named: Callable[[Object], bool]) -> Change:
    """Take objects away."""
    return lambda f: replace(f, objects={**f.objects, kind: [each for each in f.objects[kind] if not named(each)]})


RIGHT: Mapping[str, Change] = {
    "1.1.9": entry("/var/lib/cni/networks/cbr0/10.42.0.2", mode=0o600),
    "4.2.7": argument("kubelet", "hostname-override", None),
    "4.2.10": field(CONFIG, "rotateCertificates", True),
    "5.1.1": without("clusterrolebindings", lambda each: str(each["metadata"]["name"]).startswith("rkx:")),
    "5.2.5": without("pods", lambda each: bool(each["spec"].get("hostNetwork"))),
}
"""What makes a check pass that fails on rkx's clusters for a reason."""
OPEN = text(ADMISSION, "{}")
