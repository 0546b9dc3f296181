"""Name the providers that the file chose, each with its own options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rkx.config.diagnostics import Diagnostics
from rkx.config.includes import includes
from rkx.config.names import nearest
from rkx.config.plain import chosen, plain
from rkx.config.schema.addons import AuthenticationKeys, ChoiceKeys, DnsKeys, IngressKeys, MonitoringKeys
from rkx.config.schema.network import OPTIONS, NetworkKeys
from rkx.config.schema.services import ServicesKeys
from rkx.config.schema.top import ClusterKeys
from rkx.model.cluster import PluginRef, Stage

SIX = ("etcd", "kube-api", "kube-controller", "scheduler", "kubelet", "kubeproxy")
RANGES = ("service_cluster_ip_range", "cluster_cidr", "cluster_domain", "cluster_dns_server")
RETIRED_PAUSE = ("gcr.io/google_containers/pause", "k8s.gcr.io/pause")
PAUSE = "services.kubelet.infra_container_image"
DEFAULT_NETWORK = "flannel"
NONE = "no provider is named here"


def auth(keys: ClusterKeys, diags: Diagnostics) -> tuple[PluginRef, ...]:
    """Name the authentication providers: a strategy's names joined by ``|``, in any case."""
    own = keys.authentication or AuthenticationKeys()
    names = [name.strip().lower() for name in (own.strategy or "x509").split("|") if name.strip()]
    if own.webhook and "webhook" not in names:
        names.append("webhook")
    for name in own.options or {}:
        if name not in names:
            diags.at_key(f"authentication.options.{name}", f'no effect: "{name}" is not in the strategy', warning=True)
    return tuple(_auth(own, name) for name in dict.fromkeys(names))


def _auth(own: AuthenticationKeys, name: str) -> PluginRef:
    where = "authentication.strategy"
    options = plain((own.options or {}).get(name) or {})
    if name == "webhook" and own.webhook:
        mine = plain(own.webhook)
        places = {"": "authentication.options.webhook", **{key: f"authentication.webhook.{key}" for key in mine}}
        return chosen("auth", name, where, {**options, **mine}, places, unknown=frozenset(options) - mine.keys())
    places = {"": f"authentication.options.{name}"}
    return chosen("auth", name, where, options, places, unknown=frozenset(options))


def network(keys: ClusterKeys, diags: Diagnostics) -> PluginRef:
    """Name the network, with the options that are its own."""
    own = keys.network or NetworkKeys()
    if own.plugin is None and "network" not in diags.broken:
        diags.warn("network.plugin", "no network is named: flannel, which enforces no network policies", "name one")
    name = own.plugin or DEFAULT_NETWORK
    if name == "weave":
        diags.error("network.plugin", "weave does not run on Kubernetes 1.30 and later", "flannel, or none")
    options, places = _provider_keys(own, name, diags)
    unknown = set()
    for key, value in (own.options or {}).items():
        other = next((each for each, names in OPTIONS.items() if key in names and key not in OPTIONS.get(name, ())), "")
        if value in (None, "", (), {}):
            continue
        if other:
            diags.at_key(f"network.options.{key}", f'no effect: an option of "{other}", not of "{name}"', warning=True)
            continue
        short = key.removeprefix(f"{name}_")
        options[short], places[short] = plain(value), f"network.options.{key}"
        if key not in OPTIONS.get(name, ()):
            unknown.add(short)
    return chosen("network", name, "network.plugin", options, places, unknown=frozenset(unknown))


def _provider_keys(own: NetworkKeys, name: str, diags: Diagnostics) -> tuple[dict[str, Any], dict[str, str]]:
    """Give the network's keys besides its options, and those of ``NAME_network_provider``."""
    providers = [f"{each}_network_provider" for each in OPTIONS]
    options = plain(own, without=("plugin", "options", *providers))
    places = {"": "network"}
    for provider in providers:
        inner = getattr(own, provider)
        if not inner:
            continue
        if provider != f"{name}_network_provider":
            diags.at_key(f"network.{provider}", f'no effect: the network is "{name}"', warning=True)
            continue
        for key, value in plain(inner).items():
            options[key], places[key] = value, f"network.{provider}.{key}"
    return options, places


def services(keys: ClusterKeys, others: Mapping[str, Any], diags: Diagnostics) -> tuple[PluginRef, ...]:
    """Name the service providers: RKE's six services are one, each other name under ``services`` is its own."""
    own = keys.services or ServicesKeys()
    options = plain(own)
    for name in SIX:
        options[name] = {key: value for key, value in options.get(name, {}).items() if key not in RANGES}
    _replace_retired_pause(options["kubelet"], diags)
    options = {name: value for name, value in options.items() if value}
    places = {"": "services"}
    for name in ("cri_dockerd_stream_server_address", "cri_dockerd_stream_server_port"):
        if (value := getattr(keys, name)) is not None:
            options[name], places[name] = value, name
    refs = [chosen("service", "kubernetes", "services", options, places)]
    for name, value in others.items():
        if not isinstance(value, Mapping) and value is not None:
            diags.error(f"services.{name}", "mapping of options expected", f"{name}: {{}}")
            continue
        where = f"services.{name}"
        refs.append(chosen("service", name, where, value or {}, {"": where}, unknown=frozenset(value or ())))
    return tuple(refs)


def misspelt_service(name: str) -> tuple[str, ...]:
    """Say which of the six a name was meant to be; none if it may be a provider's."""
    return nearest(name, SIX, most=1)


def _replace_retired_pause(kubelet: dict[str, Any], diags: Diagnostics) -> None:
    image = kubelet.get("infra_container_image", "")
    if image.startswith(RETIRED_PAUSE):
        diags.warn(PAUSE, f'"{image}" is a retired address; the usual pause image is used', "take it out")
        del kubelet["infra_container_image"]


def addons(keys: ClusterKeys, diags: Diagnostics, *, fetch: bool) -> tuple[PluginRef, ...]:
    """Name the addons: DNS, metrics, ingress, the file's own manifests, and others by name."""
    found = [
        *_dns(keys, diags),
        *_monitoring(keys, diags),
        *_ingress(keys, diags),
        *_manifests(keys, diags, fetch=fetch),
    ]
    return (*found, *named("addon", keys.addon_plugins or (), "addon_plugins"))


def _dns(keys: ClusterKeys, diags: Diagnostics) -> list[PluginRef]:
    own = keys.dns or DnsKeys()
    name = own.provider or "coredns"
    if name == "kube-dns":
        diags.error("dns.provider", "rkx has no kube-dns", "coredns, or none")
    if name in ("none", "kube-dns"):
        diags.idle("dns", plain(own, without=("provider",)), NONE)
        return []
    return [chosen("addon", name, "dns.provider", plain(own, without=("provider",)), {"": "dns"})]


def _monitoring(keys: ClusterKeys, diags: Diagnostics) -> list[PluginRef]:
    own = keys.monitoring or MonitoringKeys()
    name = own.provider or "metrics-server"
    if name == "none":
        diags.idle("monitoring", plain(own, without=("provider",)), NONE)
        return []
    return [chosen("addon", name, "monitoring.provider", plain(own, without=("provider",)), {"": "monitoring"})]


def _ingress(keys: ClusterKeys, diags: Diagnostics) -> list[PluginRef]:
    own = keys.ingress or IngressKeys()
    if own.provider is None and "ingress" not in diags.broken:
        message = "no ingress controller: RKE's own, ingress-nginx, is unmaintained since March 2026"
        diags.without_place(message, "ingress: {provider: none} says that none is wanted")
    if own.provider in (None, "none"):
        diags.idle("ingress", plain(own, without=("provider",)), NONE)
        return []
    return [chosen("addon", own.provider, "ingress.provider", plain(own, without=("provider",)), {"": "ingress"})]


def _manifests(keys: ClusterKeys, diags: Diagnostics, *, fetch: bool) -> list[PluginRef]:
    texts = includes(keys.addons_include or (), diags, fetch=fetch)
    given = {key: value for key, value in (("addons", keys.addons), ("addons_include", texts)) if value}
    if not given:
        return []
    return [chosen("addon", "manifests", next(iter(given)), given, {key: key for key in given})]


def named(stage: Stage, items: tuple[ChoiceKeys, ...], where: str) -> tuple[PluginRef, ...]:
    """Name providers from a list of name and options."""
    refs = []
    for index, item in enumerate(items):
        options = plain(item.options or {})
        place = f"{where}[{index}]"
        places = {"": f"{place}.options"}
        refs.append(chosen(stage, item.name or "", f"{place}.name", options, places, unknown=frozenset(options)))
    return tuple(refs)
