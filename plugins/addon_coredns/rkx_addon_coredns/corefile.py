"""The Corefile, and what must not be in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import rkx
from rkx_addon_coredns.config import CoreDnsConfig

WORD = re.compile(r"[A-Za-z0-9._:/\[\]%-]+")
NODE_SERVERS = "/etc/resolv.conf"

MAIN = """\
.:53 {{
    errors
    health {{
        lameduck 5s
    }}
    ready
    kubernetes {zones} {{
        pods insecure
        fallthrough {reverse}
        ttl 30
    }}
    prometheus :9153
    forward . {servers} {{
        max_concurrent 1000
    }}
    cache 30
    reload
    loadbalance
}}
"""
STUB = """\
{domain}:53 {{
    errors
    cache 30
    forward . {servers}
}}
"""


def corefile(config: CoreDnsConfig, domain: str) -> str:
    """Write the Corefile.

    It has no ``loop``: that plugin stops the pod where the node's own server happens to point back at the cluster.
    """
    reverse = " ".join(config.reversecidrs)
    servers = " ".join(config.upstreamnameservers or (NODE_SERVERS,))
    stubs = [
        STUB.format(domain=name, servers=" ".join(config.stubdomains[name])) for name in sorted(config.stubdomains)
    ]
    return "".join([MAIN.format(zones=f"{domain} {reverse}", reverse=reverse, servers=servers), *stubs])


def find_mistakes(config: CoreDnsConfig, places: Mapping[str, str]) -> list[rkx.Problem]:
    """List the values that are no single word of a Corefile, and stub domains without servers."""
    problems = [
        rkx.Problem(where=where, message=f"{value!r} is neither a name nor an address", hint=hint)
        for where, value, hint in _words(config, places)
        if not WORD.fullmatch(value)
    ]
    stubs = places.get("stubdomains", "dns.stubdomains")
    problems += [
        rkx.Problem(where=f"{stubs}.{domain}", message="no server is given for this domain")
        for domain, servers in config.stubdomains.items()
        if not servers
    ]
    return problems


def _words(config: CoreDnsConfig, places: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for option in ("upstreamnameservers", "reversecidrs"):
        place = places.get(option, f"dns.{option}")
        for index, value in enumerate(getattr(config, option)):
            yield f"{place}[{index}]", value, "write one list entry for each"
    place = places.get("stubdomains", "dns.stubdomains")
    for domain, servers in config.stubdomains.items():
        yield f"{place}.{domain}", domain, "stubdomains maps a domain to a list of servers"
        for index, server in enumerate(servers):
            yield f"{place}.{domain}[{index}]", server, "write one list entry for each"
