"""What the user's own texts become, and what is refused in them."""

from __future__ import annotations

import pytest
from tests.conftest import decoded

import rkx
from rkx_addon_manifests import Include, Manifests, ManifestsConfig

CLUSTER = rkx.Cluster(name="test", nodes=(), kubernetes_version="v1.34.4")
NETWORK = rkx.NetworkSettings(cni="flannel", pod_cidr="10.42.0.0/16")
POD = """\
---
apiVersion: v1
kind: Pod
metadata:
  name: my-nginx
  namespace: default
spec:
  containers:
  - name: my-nginx
    image: nginx
    ports:
    - containerPort: 80"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"


def manifests(config: ManifestsConfig) -> list[rkx.Manifest]:
    found = Manifests(config).rkx_addon_resources(cluster=CLUSTER, network=NETWORK)
    return [item for item in found if isinstance(item, rkx.Manifest)]


def problems(addons: str = "", **files: str) -> list[rkx.Problem]:
    includes = tuple(Include(source=f"{name}.yml", text=text) for name, text in files.items())
    return list(Manifests(ManifestsConfig(addons=addons, addons_include=includes)).rkx_validate(cluster=CLUSTER))


def test_the_text_becomes_a_manifest_that_waits_for_its_pod() -> None:
    assert manifests(ManifestsConfig(addons=POD)) == [
        rkx.Manifest(
            name="addons",
            text=POD,
            after=(rkx.API_READY,),
            health_checks=(rkx.HealthCheck(kind="Pod", namespace="default", name="my-nginx"),),
            where="addons",
            namespace="default",
        )
    ]


def test_each_include_is_a_manifest_of_its_own() -> None:
    found = manifests(
        ManifestsConfig(
            addons=POD,
            addons_include=(Include(source="web.yml", text=DEPLOYMENT), Include(source="coredns", text=MAP)),
        )
    )
    assert [(item.name, item.where) for item in found] == [
        ("addons", "addons"),
        ("addons_include/web.yml", "web.yml"),
        ("addons_include/coredns", "coredns"),
    ]
    assert [item.text for item in found] == [POD, DEPLOYMENT, MAP]


def test_workloads_are_waited_for_and_nothing_else() -> None:
    [found] = manifests(ManifestsConfig(addons=DEPLOYMENT))
    assert found.health_checks == (
        rkx.HealthCheck(kind="Deployment", namespace="shop", name="web"),
        rkx.HealthCheck(kind="DaemonSet", namespace="default", name="agent"),
    )


def test_what_only_shares_a_workloads_name_is_not_waited_for() -> None:
    other = DEPLOYMENT.replace("apps/v1", "example.org/v1")
    assert [item.health_checks for item in manifests(ManifestsConfig(addons=other))] == [()]


def test_objects_inside_a_list_count() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"
    assert problems(text) == []
    assert [item.health_checks for item in manifests(ManifestsConfig(addons=text))] == [
        (rkx.HealthCheck(kind="Pod", namespace="default", name="a"),)
    ]


@pytest.mark.parametrize("text", ["", "  \n", "---\n", "---\n# only a comment\n---\n"])
def test_nothing_written_is_no_mistake(text: str) -> None:
    assert problems(text) == []


def test_empty_text_is_no_manifest() -> None:
    assert manifests(ManifestsConfig(addons=" \n")) == []


def test_a_good_text_has_no_problems() -> None:
    assert problems(POD, web=DEPLOYMENT) == []


def test_broken_yaml_is_named_with_document_and_line() -> None:
    broken = "---\n" + MAP + "---\nkind: Pod\nmetadata:\n  name: a: b\n"
    [in_text] = problems(broken)
    [in_file] = problems(web=broken)
    assert in_text.where == "addons"
    assert (
        in_text.message
        == "document 2, line 3 of it: mapping values are not allowed in this context (line 8 of the text)"
    )
    assert (in_file.where, in_file.file, in_file.line, in_file.column) == ("addons_include[0]", "web.yml", 8, 10)
    assert in_file.message == "document 2, line 3 of it: mapping values are not allowed in this context"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("a: &a [*a]", 'alias "a" is inside its own anchor'),
        (
            "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 7))]),
            "aliases",
        ),
        (f"a: {'[' * 120}{']' * 120}", "nested deeper than 100 levels"),
    ],
    ids=["inside itself", "repeated", "deep"],
)
def test_what_becomes_too_much_is_named_with_document_and_line(body: str, message: str) -> None:
    [found] = problems(web=f"{POD}\n---\n{body}\n")
    assert f"document 2, line {found.line - POD.count(chr(10)) - 2} of it: {message}" in found.message
    assert (found.where, found.file) == ("addons_include[0]", "web.yml")


def test_lines_count_from_the_first_where_no_separator_stands() -> None:
    [found] = problems("kind: Pod\nmetadata:\n  name: a: b\n")
    assert found.message.startswith("document 1, line 3 of it: ")


def test_a_character_that_yaml_forbids_is_a_problem() -> None:
    [found] = problems(MAP + "data: {a: \x01}\n")
    assert found.where == "addons"
    assert "document 1" in found.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "document 1 is a list, not an object"),
        ("<html>\n", "document 1 is a str, not an object"),
        ("kind: Pod\nmetadata: {name: a}\n", "document 1 has no apiVersion"),
        ("apiVersion: v1\nkind: Pod\n", "document 1 has no metadata.name"),
        ("apiVersion: v1\nmetadata: {name: 7}\n", "document 1 has no kind and no metadata.name"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: [b]}\n",
            "document 1: metadata.namespace is not text",
        ),
        ("apiVersion: v1\nkind: Pod\nmetadata: a\n", "document 1 has no metadata.name"),
    ],
)
def test_a_document_that_is_no_object_is_refused(text: str, message: str) -> None:
    [found] = problems(web=text)
    assert (found.message, found.file, found.line) == (message, "web.yml", 1)


def test_the_line_of_a_later_document_is_named() -> None:
    [found] = problems(web=f"---\n{MAP}---\nkind: Pod\nmetadata: {{name: a}}\napiVersion: ''\n")
    assert (found.message, found.line) == ("document 2 has no apiVersion", 6)


def test_all_mistakes_are_found_at_once() -> None:
    assert [found.where for found in problems("- a\n", one="a: b: c", two="[")] == [
        "addons",
        "addons_include[0]",
        "addons_include[1]",
    ]


def test_an_object_written_twice_is_refused() -> None:
    [found] = problems(MAP, web=DEPLOYMENT)
    assert (found.where, found.file, found.line) == ("addons_include[0]", "web.yml", 5)
    assert found.message == "document 2 has ConfigMap 'settings' again, which is in addons, document 1"


def test_a_node_is_refused_at_its_place() -> None:
    node = "apiVersion: v1\nkind: Node\nmetadata: {name: one}\n"
    [in_text] = problems(f"{MAP}---\n{node}")
    assert (in_text.where, in_text.message) == (
        "addons",
        "document 2: a Node cannot be applied as a manifest: 'one' (line 5 of the text)",
    )
    [in_file] = problems(a=node)
    assert (in_file.file, in_file.line, in_file.hint) == (
        "a.yml",
        1,
        "kubelets register Nodes; set labels and taints under nodes in cluster.yml",
    )
    assert problems("apiVersion: example.org/v1\nkind: Node\nmetadata: {name: one}\n") == []


def test_options_decode() -> None:
    assert decoded(ManifestsConfig, {}) == ManifestsConfig()
    assert decoded(ManifestsConfig, {"addons_include": [{"source": "a.yml", "text": MAP}]}) == ManifestsConfig(
        addons_include=(Include(source="a.yml", text=MAP),)
    )
