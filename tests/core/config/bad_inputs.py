"""Files with mistakes, each with the places where its messages must point, warnings too."""

from __future__ import annotations

from typing import NamedTuple

HEAD = """\
kubernetes_version: v1.34.4
nodes:
  - address: 10.0.0.5
    role: [controlplane, etcd, worker]
ingress: {provider: none}
network: {plugin: flannel}
"""
"""A good file of six lines; most bad ones are this with one mistake."""


class Bad(NamedTuple):
    name: str
    text: str | bytes
    places: tuple[str, ...]
    says: tuple[str, ...]


def changed(old: str, new: str) -> str:
    """Return the good file with one piece replaced."""
    assert HEAD.count(old) == 1, old
    return HEAD.replace(old, new)


def added(text: str) -> str:
    """Return the good file with lines after it: the first is line 7."""
    return HEAD + text


NODE = "    role: [controlplane, etcd, worker]\n"
SECOND = "  - address: 10.0.0.6\n    role: [worker]\n"

BAD = [
    Bad("sealed-copies", added("state:\n  key: hunter2\n"), ("8:3",), ("state.key", "not supported", "not sealed")),
    Bad("01-empty", "", ("1:1",), ("empty", "`nodes:`")),
    Bad("01-only-comments", "# nothing\n---\n", ("1:1",), ("empty",)),
    Bad("02-tab", changed("  - address", "\t- address"), ("3:1",), ("tab", "spaces")),
    Bad("02-tab-deeper", changed("    role", "  \trole"), ("4:3",), ("tab", "spaces")),
    Bad("03-quote-never-closed", added('cluster_name: "abc\nprefix_path: /\n'), ("7:15",), ("opened here", "closed")),
    Bad(
        "04-duplicate-key",
        added("nodes: [{address: a, role: [controlplane, etcd]}]\n"),
        ("7:1",),
        ('"nodes" again', "already at 2:1"),
    ),
    Bad("05-two-documents", added("---\nnodes: []\n"), ("7:1",), ("only one", "second")),
    Bad("06-list-on-top", "- address: 10.0.0.5\n", ("1:1",), ("mapping expected, sequence found", "`nodes:`")),
    Bad("07-unknown-top-key", changed("nodes:", "node:"), ("2:1",), ('unknown key "node"', '"nodes"')),
    Bad(
        "08-unknown-service-key",
        added("services:\n  kubelet:\n    extra-args: {v: 4}\n"),
        ("9:5",),
        ("services.kubelet.extra-args", '"extra_args"'),
    ),
    Bad("09-camel-case", changed(NODE, f"{NODE}    sshKeyPath: ./id\n"), ("5:5",), ("nodes[0]", '"ssh_key_path"')),
    Bad("10-nodes-a-mapping", "nodes: {a: 1}\n", ("1:8",), ("list of mappings expected",)),
    Bad("11-no-nodes", "nodes: []\n", ("1:8",), ("at least one node",)),
    Bad("11-null-nodes", "cluster_name: a\nnodes:\n", ("2:1",), ("at least one node",)),
    Bad("12-no-role", changed(NODE, "    user: u\n"), ("3:5",), ("nodes[0].role", "controlplane, etcd, worker")),
    Bad("13-role-a-text", changed("[controlplane, etcd, worker]", "worker"), ("4:11",), ("list expected", "[worker]")),
    Bad("14-unknown-role", changed("[controlplane,", "[controlplan,"), ("4:12",), ("unknown role", '"controlplane"')),
    Bad("15-role-twice", changed("worker]", "etcd]"), ("4:32",), ("nodes[0].role[2]", '"etcd" again')),
    Bad("16-no-etcd", changed("etcd, ", ""), ("2:1",), ("role etcd", "1, 3 or 5")),
    Bad("16-no-control-plane", changed("controlplane, ", ""), ("2:1",), ("role controlplane",)),
    Bad("18-address-twice", changed(NODE, NODE + SECOND.replace(".6", ".5")), ("5:14",), ("10.0.0.5", "3:14")),
    Bad(
        "19-names-equal-but-for-case",
        changed(NODE, f"{NODE}    hostname_override: node1\n{SECOND}    hostname_override: Node1\n"),
        ("8:24",),
        ('"node1"', "5:24", "lower case"),
    ),
    Bad("19-localhost", changed("10.0.0.5", "localhost"), ("3:14",), ('"localhost" is not a valid node name',)),
    Bad(
        "19-loopback",
        changed(NODE, f"{NODE}    hostname_override: 127.0.0.1\n"),
        ("5:24",),
        ('"127.0.0.1" is not a valid node name',),
    ),
    Bad(
        "19-name-is-anothers-address",
        changed(NODE, f"{NODE}    internal_address: 192.168.0.5\n{SECOND}    hostname_override: 192.168.0.5\n"),
        ("8:24",),
        ('"192.168.0.5" is an address of nodes[0] at 5:23',),
    ),
    Bad(
        "19-name-is-a-strangers-address",
        changed(NODE, f"{NODE}    hostname_override: 10.43.0.1\n"),
        ("5:24",),
        ('"10.43.0.1" is an address, but none of this node',),
    ),
    Bad(
        "20-no-dns-name",
        changed(NODE, f"{NODE}    hostname_override: Node_1\n"),
        ("5:24",),
        ("DNS-1123", '"N", "_"', '"node-1"?'),
    ),
    Bad("21-octet", changed("10.0.0.5", "10.0.0.256"), ("3:14",), ("octet 256 > 255",)),
    Bad("22-port-in-address", changed("10.0.0.5", "10.0.0.5:22"), ("3:14",), ("no port", "port: 22")),
    Bad(
        "23-bare-ipv6",
        changed("10.0.0.5", "'fd00::1'"),
        ("3:14", "3:14"),
        ("hostname_override", "IPv6", "cluster_cidr"),
    ),
    *(
        Bad(f"24-port-{port}", changed(NODE, f"{NODE}    port: {port}\n"), ("5:11",), ("not a valid port", "1-65535"))
        for port in ("0", "70000", "ssh", "022")
    ),
    Bad("29-version-read-as-written", changed("v1.34.4", "1.30"), ("1:21",), ('"1.30"', "vX.Y.Z")),
    Bad("29-version-without-v", changed("v1.34.4", "1.34.4"), ("1:21",), ('"v1.34.4"?',)),
    Bad("30-version-too-old", changed("v1.34.4", "v1.29.15"), ("1:21",), ('"v1.29.15"', "1.30", "RKE first")),
    Bad(
        "32-host-bits",
        added("services: {kube-controller: {cluster_cidr: 10.42.0.1/16}}\n"),
        ("7:44",),
        ("host bits", '"10.42.0.0/16"?'),
    ),
    Bad(
        "33-ranges-overlap",
        added(
            "services:\n  kube-controller:\n    cluster_cidr: 10.42.0.0/16\n"
            "    service_cluster_ip_range: 10.42.128.0/17\n"
            "  kube-api: {service_cluster_ip_range: 10.42.128.0/17}\n  kubelet: {cluster_dns_server: 10.42.128.10}\n"
        ),
        ("11:40",),
        ("10.42.128.0/17", "10.42.0.0/16", "(9:19)"),
    ),
    Bad(
        "33-service-ranges-differ",
        added(
            "services:\n  kube-api: {service_cluster_ip_range: 10.43.0.0/16}\n"
            "  kube-controller: {service_cluster_ip_range: 10.44.0.0/16}\n"
        ),
        ("9:47",),
        ("10.44.0.0/16", "(8:40)"),
    ),
    Bad("33-node-in-pod-range", changed("10.0.0.5", "10.42.0.5"), ("3:14",), ("pod range 10.42.0.0/16",)),
    Bad(
        "34-dns-outside",
        added("services:\n  kubelet:\n    cluster_dns_server: 10.44.0.10\n"),
        ("9:25",),
        ("10.44.0.10", "10.43.0.0/16", "10.43.0.10?"),
    ),
    Bad(
        "35-no-room",
        changed(NODE, NODE + "".join(SECOND.replace(".6", f".{each}") for each in (6, 7, 8, 9)))
        + "services:\n  kube-controller:\n    cluster_cidr: 10.42.0.0/24\n",
        ("17:19",),
        ("room for 1", "5 needed", "/21", "27"),
    ),
    Bad(
        "37-quoted-bool",
        added('services:\n  kube-api:\n    audit_log:\n      enabled: "yes"\n'),
        ("10:16",),
        ("true or false expected", '"yes"'),
    ),
    Bad(
        "39-taint-a-text", changed(NODE, f"{NODE}    taints: ['a=b=c:NoSchedule']\n"), ("5:14",), ("mapping", "effect")
    ),
    Bad(
        "39-taint-effect",
        changed(NODE, f"{NODE}    taints: [{{key: a, effect: NoSchedul}}]\n"),
        ("5:31",),
        ('"NoSchedule"', "PreferNoSchedule"),
    ),
    Bad("39-label-too-long", changed(NODE, f"{NODE}    labels: {{{'a' * 64}: b}}\n"), ("5:80",), ("label key", "63")),
    Bad("more-nul", HEAD.encode() + b"x\0", ("7:2",), ("U+0000",)),
    Bad("more-utf-16", HEAD.encode("utf-16"), ("1:1",), ("UTF-16", "UTF-8")),
    Bad("more-not-utf-8", HEAD.encode() + b"\xff", ("7:1",), ("0xff", "UTF-8")),
    Bad("more-huge-scalar", added("addons: " + "x" * 10_000_000), ("1:1",), ("larger than",)),
    Bad(
        "more-billion-laughs",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        ("4:29",),
        ("aliases repeat",),
    ),
    Bad("more-recursive-alias", added("addons_include: &a [*a]\n"), ("7:21",), ('"a"', "inside its own anchor")),
    Bad("more-merge-loop", added("dns: &a {<<: *a}\n"), ("7:14",), ("inside its own anchor",)),
    Bad("more-python-object", added("addons: !!python/object:os.system {}\n"), ("7:9",), ("tag", "python/object")),
    Bad("more-too-deep", added("addons_include: " + "[" * 70 + "]" * 70), ("7:80",), ("deeper than 64",)),
    Bad("more-zero-width", changed("10.0.0.5", "ser\u200bver"), ("3:14",), ("U+200B ZERO WIDTH SPACE",)),
    Bad("more-bidi", changed("10.0.0.5", "ser\u202ever"), ("3:14",), ("U+202E RIGHT-TO-LEFT OVERRIDE",)),
    Bad("more-not-yaml", added("a: b: c\n"), ("7:5",), ("not YAML",)),
    Bad("more-hosts", "hosts:\n  - ip: 10.0.0.5\n", ("1:1",), ('"hosts"', '"nodes"')),
    Bad("more-arguments-a-list", added("services: {etcd: {extra_args: [v]}}\n"), ("7:31",), ("mapping expected",)),
    Bad("more-misspelt-service", added("services: {kublet: {}}\n"), ("7:12",), ('"kublet"', '"kubelet"')),
    Bad("more-old-and-new-name", added("auth: {strategy: a}\nauthentication: {strategy: b}\n"), ("7:1",), ("both",)),
    Bad("more-external-etcd", added("services: {etcd: {path: /r}}\n"), ("7:19",), ("not supported", "role etcd")),
    Bad(
        "more-ecr",
        added("private_registries: [{ecr_credential_plugin: {aws_access_key_id: a}}]\n"),
        ("7:23",),
        ("aws",),
    ),
    Bad("more-weave", changed("flannel", "weave"), ("6:19",), ("weave", "flannel")),
    Bad("more-kube-dns", added("dns: {provider: kube-dns}\n"), ("7:17",), ("kube-dns", "coredns")),
    Bad("more-cloud", added("cloud_provider: {name: aws}\n"), ("7:18",), ("external",)),
    Bad("more-authorization", added("authorization: {mode: none}\n"), ("7:23",), ("rbac",)),
    Bad("more-cri-dockerd", added("enable_cri_dockerd: false\n"), ("7:21",), ("cri-dockerd",)),
    Bad("more-max-unavailable", added("upgrade_strategy: {max_unavailable_worker: 0%}\n"), ("7:44",), ('"0%"', "10%")),
    Bad(
        "more-dual-stack",
        added("services: {kube-controller: {cluster_cidr: '10.42.0.0/16,fd42::/48'}}\n"),
        ("7:44",),
        ("dual",),
    ),
    Bad("more-octal", added("services: {etcd: {uid: 022}}\n"), ("7:24",), ("octal 18",)),
    Bad("more-several", changed("v1.34.4", "1.30") + "nod: 1\n", ("1:21", "7:1"), ('"1.30"', '"nod"')),
    Bad(
        "60-label-with-two-slashes",
        changed(NODE, f"{NODE}    labels: {{a/b/c: d, UPPER.example/b: d}}\n"),
        ("5:21", "5:41"),
        ('"a/b/c" is not a valid label key', '"UPPER.example/b"'),
    ),
    Bad(
        "60-label-of-the-kubelet",
        changed(NODE, f"{NODE}    labels: {{kubernetes.io/hostname: x}}\n"),
        ("5:38",),
        ("the kubelet itself",),
    ),
    Bad(
        "60-taint-twice",
        changed(
            NODE, f"{NODE}    taints: [{{key: a, value: b, effect: NoSchedule}}, {{key: a, effect: NoSchedule}}]\n"
        ),
        ("5:54",),
        ("same effect",),
    ),
    Bad("61-address-of-no-machine", changed("10.0.0.5", "0.0.0.0"), ("3:14",), ("is not the address of a machine",)),
    Bad(
        "61-image-with-half-a-digest",
        added("system_images: {etcd: 'etcd:v3@sha256:abc', coredns: 'dns:1@latest', kubernetes: 'k:v1'}\n"),
        ("7:23", "7:54"),
        ("what follows the @ is not a valid digest", "64 hexadecimal digits"),
    ),
    Bad(
        "62-range-of-none",
        added("services: {kube-controller: {cluster_cidr: everything}}\n"),
        ("7:44",),
        ('"everything" is not a valid address range', "ADDRESS/BITS"),
    ),
    Bad(
        "62-range-of-loopback",
        added("services: {kube-controller: {cluster_cidr: 127.0.0.0/8}}\n"),
        ("7:44",),
        ("is not a range that pods or services can have",),
    ),
    Bad(
        "63-dns-at-the-servers-address",
        added("services: {kubelet: {cluster_dns_server: 10.43.0.1}}\n"),
        ("7:42",),
        ("the API server's own",),
    ),
    Bad(
        "64-sans",
        added("authentication: {sans: ['*.a b', 'https://x', '*.example.com', 10.0.0.1]}\n"),
        ("7:25", "7:34"),
        ('"*.a b" is not a valid SAN', '"https://x"'),
    ),
    Bad("66-profile", added("profile: cls\n"), ("7:10",), ('unknown profile "cls"', 'did you mean "cis"?')),
    Bad("65-include-by-ftp", added("addons_include: ['ftp://x/y']\n"), ("7:18",), ("cannot be fetched",)),
    Bad("65-include-of-no-file", added("addons_include: [/dev/zero]\n"), ("7:18",), ("is not a regular file",)),
]
