"""What in cluster.yml opens the cluster; the table is in flags.toml."""

from __future__ import annotations

import csv
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import rkx
from rkx_service_kubernetes.arguments import Given, given, knows, rules
from rkx_service_kubernetes.config import AuditLog, Encryption, KubeApi, Program

TRUE = frozenset(["1", "t", "T", "true", "TRUE", "True"])
FALSE = frozenset(["0", "f", "F", "false", "FALSE", "False"])
"""The spellings that Go's flags take for truth values; no other one starts the program."""
DURATION = re.compile(r"(?<![\d.])0*[1-9]\d*(\.\d*)?(ns|us|µs|ms|s|m|h)")
API = "services.kube-api"


def table() -> dict[str, Any]:
    """Return every risk by its name."""
    found: dict[str, Any] = rules()["risks"]
    return found


def problem(name: str, where: str, what: str, hint: str = "") -> rkx.Problem:
    """Say that something carries a risk."""
    risk = table()[name]
    control = f" (CIS {risk['cis']})" if "cis" in risk else ""
    return rkx.Problem(where=where, message=f"{what}: {risk['why']}{control}", hint=hint, risk=name)


def of_arguments(program: str, extra: Program, minor: int) -> Iterator[rkx.Problem]:
    """Find arguments that open the cluster, each once."""
    for name, risk in table().items():
        flags = risk.get("flags", {}).get(program, {})
        for each in given(program, extra):
            if each.flag in flags and knows(program, each.flag, minor):
                yield from _of_flag(name, program, each, flags[each.flag])


def _of_flag(name: str, program: str, given: Given, rule: Mapping[str, Any]) -> Iterator[rkx.Problem]:
    for text in given.texts:
        if opens(rule, text, whole=given.whole):
            shown = f"{program} --{given.flag}={text[:60]!r}" if text else f"{program} without --{given.flag}"
            yield problem(name, given.where, shown)
            return


def opens(rule: Mapping[str, Any], text: str, *, whole: bool) -> bool:
    """Return whether a flag's value opens the cluster; an unreadable one does. ``whole``: rkx's own list is gone."""
    if text == "":
        return bool(rule.get("empty", False))
    try:
        entries = {entry.strip() for row in csv.reader(text.splitlines()) for entry in row}
    except csv.Error:
        return True
    return (
        ("opens" in rule and KINDS[rule["opens"]](text))
        or not entries.isdisjoint(rule.get("has", ()))
        or (whole and not entries.issuperset(rule.get("lacks", ())))
        or ("beyond" in rule and not entries.issubset(rule["beyond"]))
    )


def _network(text: str) -> bool:
    return not all(_is_loopback(part.strip()) for part in text.split(","))


def _is_loopback(text: str) -> bool:
    try:
        host = text if text.count(":") > 1 and "[" not in text and "//" not in text else _host(text)
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(text: str) -> str:
    return urlsplit(text if "//" in text else f"//{text}").hostname or ""


def _plain(text: str) -> bool:
    return not all(part.strip().startswith(("https://", "unixs://")) for part in text.split(","))


KINDS: Mapping[str, Callable[[str], bool]] = {
    "on": lambda text: text not in FALSE,
    "off": lambda text: text not in TRUE,
    "set": lambda text: True,
    "zero": lambda text: text.startswith("-") or not DURATION.search(text),
    "nonzero": lambda text: text != "0",
    "network": _network,
    "plain": _plain,
}


def of_api_server(api: KubeApi) -> Iterator[rkx.Problem]:
    """Find what switches the audit log or the encryption of Secrets off."""
    yield from _of_audit(api.audit_log)
    yield from _of_encryption(api.secrets_encryption_config)


def _of_audit(log: AuditLog) -> Iterator[rkx.Problem]:
    policy = log.configuration.policy
    if not log.enabled:
        yield problem("no-audit-log", f"{API}.audit_log.enabled", "no audit log")
    elif policy is not None and _logs_nothing(policy.get("rules")):
        yield problem("no-audit-log", f"{API}.audit_log.configuration.policy", "every rule's level is None")


def _logs_nothing(found: object) -> bool:
    if not isinstance(found, (list, tuple)):
        return False  # no policy at all, which is told elsewhere
    return all(isinstance(rule, Mapping) and rule.get("level") == "None" for rule in found)


def _of_encryption(encryption: Encryption) -> Iterator[rkx.Problem]:
    where = f"{API}.secrets_encryption_config"
    if encryption.custom_config is not None:
        if _leaves_plain(encryption.custom_config):
            yield problem("plain-secrets", f"{where}.custom_config", "identity is the first provider of secrets")
    elif not encryption.enabled:
        yield problem("plain-secrets", f"{where}.enabled", "no encryption at rest")


def _leaves_plain(custom: Mapping[str, Any]) -> bool:
    """Judge by the first entry that speaks of Secrets, as the API server does; without one they stay plain."""
    for entry in _items(custom.get("resources")):
        if isinstance(entry, Mapping) and not {"secrets", "*.", "*.*"}.isdisjoint(_items(entry.get("resources"))):
            first, *_ = (*_items(entry.get("providers")), "identity")
            return not isinstance(first, Mapping) or "identity" in first
    return True


def _items(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else ()
