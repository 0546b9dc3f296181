"""A provider's own Config, decoded from plain options with places in cluster.yml."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from rkx.config import Document, decode, load_text, show
from rkx.model.cluster import Cluster, PluginRef
from rkx.secret import Secret

from .bad_inputs import added, changed

PATH = Path("cluster.yml")


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    size: int = 1


class Config(msgspec.Struct, frozen=True, kw_only=True):
    text: str = "default"
    number: int = 0
    share: float = 0.5
    flag: bool = False
    kind: Literal["one", "two"] = "one"
    words: tuple[str, ...] = ()
    table: Mapping[str, str] = msgspec.field(default_factory=dict)
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()
    either: int | str = 0
    secret: Secret[str] | None = None
    kube_api: Mapping[str, Any] = msgspec.field(default_factory=dict)
    net: ipaddress.IPv4Network | None = None

    def __post_init__(self) -> None:
        if self.number > 9000:
            raise ValueError("number is over 9000")


def decoded(options: Mapping[str, Any]) -> Config:
    config, problems = decode(Config, options, where="x", document=None)
    assert config is not None, show(problems)
    assert problems == []
    return config


def extension(text: str) -> tuple[Config | None, str]:
    """Decode the options of an extension in a real file; give what is shown of its problems."""
    loaded = load_text(added(f"extensions:\n  - name: mine\n    options: {text}\n"), PATH)
    config, problems = decode_ref(loaded.cluster.extensions[0], loaded.document)
    return config, show(problems)


def decode_ref(ref: PluginRef, document: Document) -> tuple[Config | None, list[Any]]:
    return decode(Config, ref.options, where=ref.where, document=document)


def network(text: str) -> tuple[Cluster, Document]:
    loaded = load_text(changed("{plugin: flannel}", text), PATH)
    return loaded.cluster, loaded.document


def test_plain_values_become_the_fields_types() -> None:
    config = decoded(
        {
            "text": "a",
            "number": 3,
            "share": 0.25,
            "flag": True,
            "kind": "two",
            "words": ["a", "b"],
            "table": {"a": "b"},
            "inner": {"name": "n"},
            "inners": [{"name": "m", "size": 2}],
            "either": "10%",
            "secret": Secret("s"),
            "kube-api": {"v": [1]},
            "net": "10.0.0.0/8",
        }
    )
    assert config == Config(
        text="a",
        number=3,
        share=0.25,
        flag=True,
        kind="two",
        words=("a", "b"),
        table={"a": "b"},
        inner=Inner(name="n"),
        inners=(Inner(name="m", size=2),),
        either="10%",
        secret=Secret("s"),
        kube_api={"v": (1,)},
        net=ipaddress.IPv4Network("10.0.0.0/8"),
    )


def test_defaults_fill_what_is_absent_or_null() -> None:
    assert decoded({"text": None, "number": None}) == Config()


def test_zero_and_empty_text_are_values_of_a_provider() -> None:
    assert decoded({"text": "", "number": 0}) == Config(text="")


def test_text_fields_take_the_source_text() -> None:
    config, shown = extension("{text: 1.10, words: [on, 007], table: {a: 1e3}, either: 04}")
    assert config == Config(text="1.10", words=("on", "007"), table={"a": "1e3"}, either="04"), shown


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{txt: a}", ('cluster.yml:9:15: extensions[0].options.txt: unknown key "txt"', '"text"')),
        ("{number: many}", ("cluster.yml:9:23: extensions[0].options.number: whole number expected", '"many"')),
        ("{number: '3'}", ("whole number expected", 'text "3" found')),
        ("{number: 9001}", ("extensions[0].options: number is over 9000",)),
        ("{share: x}", ("number expected",)),
        ("{flag: 'yes'}", ("true or false expected",)),
        ("{kind: on}", ('unknown kind "on"', "Allowed: one, two")),
        ("{words: a}", ("list expected", "write [a]")),
        ("{words: [[a]]}", ("extensions[0].options.words[0]: text expected",)),
        ("{inner: {size: 2}}", ("cluster.yml:9:22: extensions[0].options.inner.name: required key is missing",)),
        ("{inner: {nam: a}}", ("extensions[0].options.inner.nam: unknown key", '"name"')),
        ("{inners: [{name: a, size: b}]}", ("cluster.yml:9:40: extensions[0].options.inners[0].size",)),
        ("{net: nowhere}", ("cluster.yml:9:20: extensions[0].options.net: ",)),
        ("{secret: [hunter2]}", ("extensions[0].options.secret: text expected", "{file: PATH}")),
        ("{secret: {env: RKX_NO_SUCH}}", ("no variable",)),
    ],
)
def test_a_wrong_option_is_one_problem_in_its_place(text: str, says: tuple[str, ...]) -> None:
    config, shown = extension(text)
    assert config is None
    assert shown.count("cluster.yml:") == shown.count("hint: ") == 1
    assert all(each in shown for each in says), shown
    assert "hunter2" not in shown


def test_all_wrong_options_are_told_at_once() -> None:
    _, shown = extension("{number: a, flag: b, nope: c}")
    assert shown.count("cluster.yml:") == 3


def test_an_option_that_rke_has_and_the_provider_lacks_is_a_warning() -> None:
    cluster, document = network("{plugin: flannel, mtu: 1400, options: {flannel_backend_vni: 3, flannel_number: 4}}")
    config, problems = decode_ref(cluster.network, document)
    assert config == Config(number=4)
    assert [(each.where, each.warning) for each in problems] == [
        ("network.mtu", True),
        ("network.options.flannel_backend_vni", True),
    ]


def test_quoted_numbers_pass_where_rke_takes_texts() -> None:
    class Flannel(msgspec.Struct, frozen=True, kw_only=True):
        backend_port: int = 8472

    cluster, document = network("{plugin: flannel, options: {flannel_backend_port: '8473'}}")
    ref = cluster.network
    config, problems = decode(Flannel, ref.options, where=ref.where, document=document)
    assert (config, problems) == (Flannel(backend_port=8473), [])


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """What a transport takes."""

    user: str = ""
    ssh_key_path: str = ""
    docker_socket: str = ""
    label: str = ""


def way(text: str) -> tuple[Way | None, str]:
    """Decode the first node's transport options; ``text`` is more of its keys."""
    role = "    role: [controlplane, etcd, worker]\n"
    loaded = load_text(changed(role, f"{role}{text}"), Path("/etc/site/cluster.yml"))
    node = loaded.cluster.nodes[0]
    config, problems = decode(Way, node.transport_options, where=node.where, document=loaded.document)
    return config, show(problems)


def test_a_transport_gets_paths_from_the_files_folder_on() -> None:
    config, shown = way("    ssh_key_path: keys/one\n")
    assert config == Way(ssh_key_path="/etc/site/keys/one"), shown


def test_a_transports_own_options_win_over_the_nodes_keys_and_keep_their_text() -> None:
    config, shown = way("    user: one\n    docker_socket: /a\n    transport_options: {user: two, label: 1.10}\n")
    assert config == Way(user="two", docker_socket="/a", label="1.10"), shown


def test_a_wrong_option_of_a_transport_is_told_in_its_place() -> None:
    _, shown = way("    transport_options: {labell: a}\n")
    assert shown.startswith("/etc/site/cluster.yml:5:25: nodes[0].transport_options.labell: unknown key"), shown


def test_quoted_texts_of_free_mappings_stay_texts() -> None:
    class Addon(msgspec.Struct, frozen=True, kw_only=True):
        tolerations: tuple[Mapping[str, Any], ...] = ()
        update_strategy: Mapping[str, Any] = msgspec.field(default_factory=dict)
        options: Mapping[str, str] = msgspec.field(default_factory=dict)

    taint = "{key: a, value: true, tolerationseconds: 5}"
    strategy = "{one: '1', yes: 'true', none: 'null', two: 2}"
    text = f"dns: {{tolerations: [{taint}], update_strategy: {strategy}, options: {{a: 'null', b: ~}}}}\n"
    loaded = load_text(added(text), PATH)
    config, problems = decode(Addon, loaded.cluster.addons[0].options, where="", document=loaded.document)
    assert problems == []
    assert config == Addon(
        tolerations=({"key": "a", "value": "true", "tolerationSeconds": 5},),
        update_strategy={"one": "1", "yes": "true", "none": "null", "two": 2},
        options={"a": "null", "b": ""},
    )


def test_a_field_of_a_type_that_no_text_makes_is_a_fault_of_the_plugin() -> None:
    class Odd(msgspec.Struct, frozen=True, kw_only=True):
        odd: set[str] = msgspec.field(default_factory=set)

    with pytest.raises(TypeError, match="not a type that options can have"):
        decode(Odd, {"odd": "a"}, where="x", document=None)


def test_without_a_document_problems_have_their_path_alone() -> None:
    config, problems = decode(Config, {"number": "x"}, where="nodes[0]", document=None)
    assert config is None
    assert [(each.where, each.line) for each in problems] == [("nodes[0].number", 0)]
