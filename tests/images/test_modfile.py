"""Kubernetes' go.mod is derived from upstream's, whatever the minor."""

import re
from pathlib import Path

import pytest

from rkx_images.catalogue import at_version, load
from rkx_images.golang import tag_flags
from rkx_images.modfile import kubernetes_modfile

SAMPLES = Path(__file__).parent / "samples"
ROOT = Path(__file__).parents[2] / "images"


@pytest.mark.parametrize(
    ("version", "staging", "cobra"), [("v1.33.13", "v0.33.13", "v1.8.1"), ("v1.34.4", "v0.34.4", "v1.9.1")]
)
def test_staging_modules_are_replaced_by_published_ones(version: str, staging: str, cobra: str) -> None:
    upstream = (SAMPLES / f"kubernetes-{version.removeprefix('v')}.mod").read_text()
    made = kubernetes_modfile(version, upstream)
    assert len(re.findall(rf"^\t(k8s.io/[a-z-]+) => \1 {re.escape(staging)}$", made, re.MULTILINE)) == 31
    assert f"\tk8s.io/kubernetes {version}\n" in made
    assert f"\tgithub.com/spf13/cobra {cobra}\n" in made
    assert "\ngo 1.24.0\n\ngodebug default=go1.24\n" in made


def test_committed_go_mod_is_the_template_filled_and_completed() -> None:
    made = kubernetes_modfile("v1.34.4", (SAMPLES / "kubernetes-1.34.4.mod").read_text())
    committed = (ROOT / "kubernetes" / "go.mod").read_text()
    assert {line.strip() for line in made.splitlines()} <= {line.strip() for line in committed.splitlines()}


def test_godebug_block_is_kept_whole() -> None:
    upstream = "go 1.23.0\ngodebug (\n\tdefault=go1.23\n\ta=b\n)\nrequire github.com/spf13/cobra v1.8.1\n"
    assert "godebug (\n\tdefault=go1.23\n\ta=b\n)\n" in kubernetes_modfile("v1.32.1", upstream)


@pytest.mark.parametrize(("version", "flags"), [("v1.33.13", ["-tags", "before134"]), ("v1.34.4", []), ("v1.36.3", [])])
def test_kubelets_constructor_is_chosen_by_minor(version: str, flags: list[str]) -> None:
    image = at_version(load(ROOT).find("kubernetes"), version)
    assert tag_flags(image, image.programs[0]) == flags


def test_other_version_changes_tag_and_module_and_the_default_is_itself() -> None:
    known = load(ROOT)
    other = known.find("kubernetes@v1.33.13")
    assert (other.reference, other.sources[0].version) == ("rkx/kubernetes:v1.33.13", "v1.33.13")
    assert known.find("kubernetes@v1.34.4") == known.find("kubernetes")
