"""Section 5: what the cluster's objects allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from rkx_cis.check import Check, by_hand, unscored
from rkx_cis.evidence import Evidence, Object, Verdict, judged
from rkx_cis.look import Judge, manual

EVERYONE = ("system:authenticated", "system:unauthenticated", "system:anonymous")
BOOTSTRAP = "kubernetes.io/bootstrapping"
ADMISSION = "/etc/kubernetes/kube-apiserver/admission.yaml"


def named(each: Object) -> str:
    """Write an object's name with its namespace."""
    meta = each["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else str(meta["name"])


def none_of(bad: Iterable[str], good: str) -> Verdict:
    """Pass where nothing bad was found."""
    found = list(bad)
    return judged(not found, ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "") or good)


def cluster_admins(evidence: Evidence) -> Verdict:
    """Want the role of all rights bound by Kubernetes' own binding alone."""
    bindings = [each for each in evidence.objects["clusterrolebindings"] if each["roleRef"]["name"] == "cluster-admin"]
    return none_of((named(each) for each in bindings if named(each) != "cluster-admin"), "only its own binding")


def everyone_may(verbs: Sequence[str], resource: str) -> Judge:
    """Want no role for everybody with such a right."""

    def judge(evidence: Evidence) -> Verdict:
        roles = {named(role): role for role in evidence.objects["clusterroles"]}
        bad = [
            named(binding)
            for binding in evidence.objects["clusterrolebindings"]
            if any(subject["name"] in EVERYONE for subject in binding.get("subjects") or ())
            and _gives(roles.get(binding["roleRef"]["name"], {}), verbs, resource)
        ]
        return none_of(bad, f"no account may {', '.join(verbs)} {resource} for being logged in")

    return judge


def _gives(role: Mapping[str, Any], verbs: Sequence[str], resource: str) -> bool:
    return any(
        {resource, "*"} & {*rule.get("resources", ())} and {*verbs, "*"} & {*rule.get("verbs", ())}
        for rule in role.get("rules") or ()
    )


def wildcards(evidence: Evidence) -> Verdict:
    """Want no role with a wildcard but those that each API server makes by itself."""
    every = (*evidence.objects["roles"], *evidence.objects["clusterroles"])
    own = [each for each in every if BOOTSTRAP not in each["metadata"].get("labels", {})]
    bad = [
        named(each) for each in own if any("*" in part for rule in each.get("rules") or () for part in rule.values())
    ]
    return none_of(bad, f"none of {len(own)} roles beside Kubernetes' own")


def default_accounts(evidence: Evidence) -> Verdict:
    """Want no token for pods that name no account."""
    found = [each for each in evidence.objects["serviceaccounts"] if each["metadata"]["name"] == "default"]
    bad = [named(each) for each in found if each.get("automountServiceAccountToken") is not False]
    return none_of(bad, f"none of {len(found)} gives a token")


def mounted_tokens(evidence: Evidence) -> Verdict:
    """Want tokens in pods alone that have an account of their own."""
    tokens = [pod for pod in evidence.objects["pods"] if pod["spec"].get("automountServiceAccountToken") is not False]
    accounts = {named(each): each for each in evidence.objects["serviceaccounts"]}
    mounting = [
        pod for pod in tokens if accounts.get(_account(pod), {}).get("automountServiceAccountToken") is not False
    ]
    bad = [named(pod) for pod in mounting if _account(pod).endswith("/default")]
    return none_of(bad, f"{len(mounting)} pods have one, each of an account of its own")


def _account(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{pod['spec'].get('serviceAccountName', 'default')}"


def no_pod(is_bad: Callable[[Mapping[str, Any]], bool]) -> Judge:
    """Want no pod that runs with such a specification."""

    def judge(evidence: Evidence) -> Verdict:
        pods = evidence.objects["pods"]
        return none_of((named(pod) for pod in pods if is_bad(pod["spec"])), f"none of {len(pods)} pods")

    return judge


def any_container(key: str) -> Callable[[Mapping[str, Any]], bool]:
    """Tell of a pod if a container of it has a security setting."""
    return lambda spec: any(_security(each).get(key) is True for each in _containers(spec))


def _containers(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for part in ("initContainers", "containers"):
        yield from spec.get(part) or ()


def _security(container: Mapping[str, Any]) -> Mapping[str, Any]:
    return container.get("securityContext") or {}


def pod_security(evidence: Evidence) -> Verdict:
    """Tell a person at which level Pod Security holds pods."""
    texts = [each.texts[ADMISSION] for each in evidence.machines if ADMISSION in each.texts]
    plugins = (yaml.safe_load(texts[0]) if texts else {}).get("plugins", ())
    for configuration in [each["configuration"] for each in plugins if each["name"] == "PodSecurity"]:
        exempt = ", ".join(configuration["exemptions"]["namespaces"]) or "none"
        return Verdict(result="manual", seen=f"Pod Security: {configuration['defaults']['enforce']}, exempt: {exempt}")
    return Verdict(result="manual", seen="no Pod Security")


UNSCORED: tuple[tuple[str, str, Judge], ...] = (
    ("5.1.1", "cluster-admin is bound where it must be", cluster_admins),
    ("5.1.2", "not everybody reads secrets", everyone_may(("get", "list", "watch"), "secrets")),
    ("5.1.3", "roles have no wildcards", wildcards),
    ("5.1.4", "not everybody makes pods", everyone_may(("create",), "pods")),
    ("5.1.5", "default accounts are not used", default_accounts),
    ("5.1.6", "tokens are mounted where they are needed", mounted_tokens),
    ("5.2.2", "no privileged containers", no_pod(any_container("privileged"))),
    ("5.2.3", "no pods in the machine's process namespace", no_pod(lambda spec: spec.get("hostPID") is True)),
    ("5.2.4", "no pods in the machine's IPC namespace", no_pod(lambda spec: spec.get("hostIPC") is True)),
    ("5.2.5", "no pods in the machine's network", no_pod(lambda spec: spec.get("hostNetwork") is True)),
    ("5.2.6", "no containers that gain rights", no_pod(any_container("allowPrivilegeEscalation"))),
)
BY_HAND: tuple[tuple[str, str, Judge], ...] = (
    ("5.1.7", "system:masters has no members", manual("rkx keeps one such credential, for the first binding")),
    ("5.1.8", "few may bind, impersonate or escalate", manual("the users' roles")),
    ("5.1.9", "few make persistent volumes", manual("the users' roles")),
    (
        "5.1.10",
        "few reach nodes through the API server",
        manual("API servers by a role of their own; the users' roles"),
    ),
    ("5.1.11", "few approve certificate requests", manual("the users' roles")),
    ("5.1.12", "few set webhooks", manual("the users' roles")),
    ("5.1.13", "few make tokens of accounts", manual("the users' roles")),
    ("5.2.1", "something judges pods", pod_security),
    ("5.2.7", "no containers as root", pod_security),
    ("5.2.8", "no containers with NET_RAW", pod_security),
    ("5.2.9", "no containers with capabilities", pod_security),
    ("5.2.10", "no host processes on Windows", manual("rkx has no Windows nodes")),
    ("5.2.11", "no volumes of the machine", pod_security),
    ("5.2.12", "no ports of the machine", pod_security),
    ("5.3.1", "the network enforces policies", manual("flannel does not")),
    ("5.3.2", "each namespace has policies", manual("rkx makes some where the network enforces them; the users'")),
    ("5.4.1", "secrets are files rather than variables", manual("the users' pods")),
    ("5.4.2", "secrets are kept outside", manual("the users' choice")),
    ("5.5.1", "images prove where they are from", manual("the users' choice")),
    ("5.6.1", "namespaces part the work", manual("the users' choice")),
    ("5.6.2", "seccomp is on", manual("the kubelets' default")),
    ("5.6.3", "pods say how they run", manual("the users' pods")),
    ("5.6.4", "nothing is in the namespace default", manual("rkx puts nothing there")),
)
CHECKS: tuple[Check, ...] = (
    *(unscored(number, wants, judge) for number, wants, judge in UNSCORED),
    *(by_hand(number, wants, judge) for number, wants, judge in BY_HAND),
)
