"""Name the providers that the file chose, each with its own options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rkx.config.diagnostics import Diagnostics
from rkx.config.document import Document
from rkx.config.includes import includes, judge_items
from rkx.config.names import nearest
from rkx.config.options import Options, located, rke_text, section
from rkx.config.schema.addons import AuthenticationKeys, ChoiceKeys, DnsKeys, IngressKeys, MonitoringKeys, WebhookKeys
from rkx.config.schema.network import OPTIONS, NetworkKeys
from rkx.config.schema.services import ServicesKeys
from rkx.config.schema.top import ClusterKeys
from rkx.config.tree import Entry, Table, Tree, as_table, from_python, to_python
from rkx.model.cluster import PluginRef, Stage

SIX = ("etcd", "kube-api", "kube-controller", "scheduler", "kubelet", "kubeproxy")
RANGES = ("service_cluster_ip_range", "cluster_cidr", "cluster_domain", "cluster_dns_server")
RETIRED_PAUSE = ("gcr.io/google_containers/pause", "k8s.gcr.io/pause")
PAUSE = "infra_container_image"
STREAM_SERVER = ("cri_dockerd_stream_server_address", "cri_dockerd_stream_server_port")
DEFAULT_NETWORK = "flannel"


def auth(keys: ClusterKeys, diags: Diagnostics) -> tuple[PluginRef, ...]:
    """Name the authentication providers: a strategy's names joined by ``|``, in any case."""
    own = keys.authentication or AuthenticationKeys()
    names = [name.strip().lower() for name in (own.strategy or "x509").split("|") if name.strip()]
    if own.webhook and "webhook" not in names:
        names.append("webhook")
    for name in own.options or {}:
        if name not in names:
            diags.at_key(f"authentication.options.{name}", f'no effect: "{name}" is not in the strategy', warning=True)
    return tuple(_auth(own, name, diags.document) for name in dict.fromkeys(names))


def _auth(own: AuthenticationKeys, name: str, document: Document) -> PluginRef:
    where = f"authentication.options.{name}"
    table = document.table(where)
    if name == "webhook" and own.webhook:
        place = "authentication.webhook"
        webhook = section(WebhookKeys, document.table(place))
        table = Table({**table.entries, **located(webhook, place)}, table.mark)
    return _ref("auth", name, "authentication.strategy", Options(table, where))


def network(keys: ClusterKeys, diags: Diagnostics) -> PluginRef:
    """Name the network, with the options that are its own."""
    own = keys.network or NetworkKeys()
    if own.plugin is None and "network" not in diags.broken:
        diags.warn("network.plugin", "no network is named: flannel, which enforces no network policies", "name one")
    name = own.plugin or DEFAULT_NETWORK
    if name == "weave":
        diags.error("network.plugin", "weave does not run on Kubernetes 1.30 and later", "flannel, or none")
    entries = {**_network_keys(own, name, diags), **_network_options(name, diags)}
    table = Table(entries, diags.document.table("network").mark)
    return _ref("network", name, "network.plugin", Options(table, "network"))


def _network_keys(own: NetworkKeys, name: str, diags: Diagnostics) -> dict[str, Entry]:
    """Return the network's keys besides its options, and those of ``NAME_network_provider``."""
    whole = section(NetworkKeys, diags.document.table("network"))
    providers = [f"{each}_network_provider" for each in OPTIONS]
    for provider in providers:
        if getattr(own, provider) and provider != f"{name}_network_provider":
            diags.at_key(f"network.{provider}", f'no effect: the network is "{name}"', warning=True)
    mine = f"{name}_network_provider"
    inner = as_table(whole.entries[mine].value) if mine in whole.entries else Table({})
    return {**whole.without("plugin", "options", *providers).entries, **located(inner, f"network.{mine}")}


def _network_options(name: str, diags: Diagnostics) -> dict[str, Entry]:
    """Return what is under the network's ``options``, without the provider's name before each."""
    found: dict[str, Entry] = {}
    ours = OPTIONS.get(name, ())
    for key, entry in diags.document.table("network.options").entries.items():
        where = f"network.options.{key}"
        if to_python(entry.value) in (None, "", [], {}):
            continue
        if other := next((each for each, names in OPTIONS.items() if key in names and key not in ours), ""):
            diags.at_key(where, f'no effect: an option of "{other}", not of "{name}"', warning=True)
            continue
        value = rke_text(entry.value) if key in ours else entry.value
        found[key.removeprefix(f"{name}_")] = Entry(value, entry.key, where, known=key in ours)
    return found


def services(keys: ClusterKeys, others: Mapping[str, Tree], diags: Diagnostics) -> tuple[PluginRef, ...]:
    """Name the service providers: RKE's six services are one, each other name under ``services`` is its own."""
    refs = [_ref("service", "kubernetes", "services", Options(_six(keys, diags), "services"))]
    for name, tree in others.items():
        where = f"services.{name}"
        if not isinstance(tree, Table) and to_python(tree) is not None:
            diags.error(where, "mapping of options expected", f"{name}: {{}}")
            continue
        refs.append(_ref("service", name, where, Options(as_table(tree), where)))
    return tuple(refs)


def _six(keys: ClusterKeys, diags: Diagnostics) -> Table:
    """Return what RKE's services are given, besides what the cluster itself says."""
    written = section(ServicesKeys, diags.document.table("services"))
    gone = (*RANGES, *_retired_pause(keys.services or ServicesKeys(), diags))
    entries: dict[str, Entry] = {}
    for name, entry in written.entries.items():
        if (inner := as_table(entry.value).without(*gone)).entries:
            entries[name] = entry._replace(value=inner)
    top = diags.document.table("").entries
    for name in STREAM_SERVER:
        if getattr(keys, name) is not None:
            entries[name] = Entry(rke_text(top[name].value), top[name].key, where=name, known=True)
    return Table(entries, written.mark)


def misspelt_service(name: str) -> tuple[str, ...]:
    """Say which of the six a name was meant to be; none if it may be a provider's."""
    return nearest(name, SIX, most=1)


def _retired_pause(services: ServicesKeys, diags: Diagnostics) -> tuple[str, ...]:
    """Return the key of the pause image if its address is retired: the usual image is used then."""
    image = (services.kubelet.infra_container_image if services.kubelet else None) or ""
    if not image.startswith(RETIRED_PAUSE):
        return ()
    message = f'"{image}" is a retired address; the usual pause image is used'
    diags.warn(f"services.kubelet.{PAUSE}", message, "take it out")
    return (PAUSE,)


def addons(keys: ClusterKeys, diags: Diagnostics, *, fetch: bool) -> tuple[PluginRef, ...]:
    """Name the addons: DNS, metrics, ingress, the file's own manifests, and others by name."""
    metrics = (keys.monitoring or MonitoringKeys()).provider or "metrics-server"
    found = [
        *_section("dns", _dns(keys, diags), DnsKeys, diags),
        *_section("monitoring", metrics, MonitoringKeys, diags),
        *_section("ingress", _ingress(keys, diags), IngressKeys, diags),
        *_manifests(keys, diags, fetch=fetch),
    ]
    return (*found, *named("addon", keys.addon_plugins or (), "addon_plugins", diags.document))


def _section(key: str, name: str, owner: type[Any], diags: Diagnostics) -> list[PluginRef]:
    """Name the provider of a section of RKE's, whose other keys are its options; without one they have no effect."""
    options = section(owner, diags.document.table(key)).without("provider")
    if name == "none":
        diags.idle(key, options.entries, "no provider is named here")
        return []
    return [_ref("addon", name, f"{key}.provider", Options(options, key))]


def _dns(keys: ClusterKeys, diags: Diagnostics) -> str:
    name = (keys.dns or DnsKeys()).provider or "coredns"
    if name == "kube-dns":
        diags.error("dns.provider", "rkx has no kube-dns", "coredns, or none")
    return name


def _ingress(keys: ClusterKeys, diags: Diagnostics) -> str:
    name = (keys.ingress or IngressKeys()).provider
    if name is None and "ingress" not in diags.broken:
        message = "no ingress controller: RKE's own, ingress-nginx, is unmaintained since March 2026"
        diags.without_place(message, "ingress: {provider: none} says that none is wanted")
    return name or "none"


def _manifests(keys: ClusterKeys, diags: Diagnostics, *, fetch: bool) -> list[PluginRef]:
    texts = includes(keys.addons_include or (), diags, fetch=fetch)
    judge_items({"addons": str(keys.addons or ""), **{where: each["text"] for where, each in texts.items()}}, diags)
    top = diags.document.table("").entries
    entries = {"addons": Entry(rke_text(top["addons"].value), top["addons"].key, known=True)} if keys.addons else {}
    if texts:
        entries["addons_include"] = Entry(from_python([*texts.values()]), top["addons_include"].key, known=True)
    return [_ref("addon", "manifests", next(iter(entries)), Options(Table(entries), ""))] if entries else []


def named(stage: Stage, items: tuple[ChoiceKeys, ...], where: str, document: Document) -> tuple[PluginRef, ...]:
    """Name providers from a list of name and options."""
    refs = []
    for index, item in enumerate(items):
        place = f"{where}[{index}]"
        options = Options(document.table(f"{place}.options"), f"{place}.options")
        refs.append(_ref(stage, item.name or "", f"{place}.name", options))
    return tuple(refs)


def _ref(stage: Stage, name: str, where: str, options: Options) -> PluginRef:
    return PluginRef(stage=stage, name=name, where=where, options=options, options_where=options.places())
