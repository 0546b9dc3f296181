"""What core may load, and which names may stand in it."""

from __future__ import annotations

import graphlib
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

import rkx

CORE = Path(rkx.__file__).parent
COMPONENTS = (
    *("etcd", "kubelet", "kube-apiserver", "kube_apiserver", "kube-proxy", "kube-scheduler", "controller-manager"),
    *("flannel", "canal", "calico", "cilium", "coredns", "metrics-server", "haproxy", "cri-dockerd", "containerd"),
    *("x509", "paramiko"),
)
WORD = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in COMPONENTS), re.IGNORECASE)
ALLOWED = {
    ("reconcile/keys.py", "x509"): "cryptography's module of that name: the one place that makes certificate requests",
    ("testing/conformance/test_issuing.py", "x509"): "the same module: reads the certificates that a plugin issued",
    ("reconcile/state_json.py", "etcd"): "a hint names the nodes of that role, which keep copies of the state",
    ("model/identity.py", "etcd"): "the name of an authority, as it stands in states and folders",
    ("cli/rke_compat.py", "etcd"): "RKE's own command of that name, which the command line answers",
}
"""File and word -> why it stands there. The role of that name in code is sorted out by ``ROLE``."""
ROLE = re.compile(r"""(Literal\[.*|with_role\(|"controlplane", ?|"controlplane" and |\{"controlplane", )"etcd""")


def in_fresh_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.whole
def test_the_api_loads_without_paramiko_and_cryptography() -> None:
    blocked = "import sys; sys.modules.update(paramiko=None, cryptography=None)"
    assert (
        in_fresh_python(f"{blocked}; import rkx.api, rkx.reconcile.opening, rkx.reconcile.loop; print('ok')") == "ok\n"
    )


def test_rkx_itself_loads_nothing_heavy() -> None:
    heavy = ("docker", "stevedore", "requests", "yaml", "pluggy")
    loaded = in_fresh_python(f"import rkx, sys; print([name for name in {heavy} if name in sys.modules])")
    assert loaded == "[]\n"


@pytest.mark.whole
def test_the_modules_of_a_run_load_no_client_of_docker() -> None:
    """Their import takes longer than the look at the nodes."""
    code = "import rkx.cli.main, rkx.api, rkx.reconcile.opening, rkx.reconcile.loop, sys"
    assert in_fresh_python(f"{code}; print([n for n in ('docker', 'requests') if n in sys.modules])") == "[]\n"


def test_no_modules_import_each_other() -> None:
    """Imports inside of functions count too."""
    plugins = [folder.name for folder in (CORE.parents[1] / "plugins").glob("*/rkx_*") if folder.suffix == ""]
    graph = grimp.build_graph("rkx", *plugins, exclude_type_checking_imports=True, cache_dir=None)
    found = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len([*graphlib.TopologicalSorter(found).static_order()]) > 250  # raises CycleError


def code_of(file: Path) -> str:
    """Return a file's code without docstrings and comments: those may say for what something is."""
    import ast

    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined] # every node with a list of statements
    return ast.unparse(tree)


@pytest.mark.parametrize("room", sorted({file.relative_to(CORE).parts[0] for file in CORE.rglob("*.py")} - {"config"}))
def test_core_names_no_component(room: str) -> None:
    files = [CORE / room] if (CORE / room).is_file() else list((CORE / room).rglob("*.py"))
    found = set()
    for file in files:
        for line in code_of(file).replace("'", '"').splitlines():
            found |= {(str(file.relative_to(CORE)), word.lower()) for word in WORD.findall(ROLE.sub("", line))}
    assert found - ALLOWED.keys() == set()
