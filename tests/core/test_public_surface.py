"""The public surface: its list, its homes and what type checkers see are one."""

import importlib
import pkgutil

import pytest

import rkx


def test_each_public_name_has_one_home() -> None:
    homes = [name for names in rkx._HOMES.values() for name in names.split()]
    assert sorted(rkx.__all__) == sorted([*homes, *rkx._MODULES])
    assert len(set(homes)) == len(homes)


@pytest.mark.parametrize("name", sorted(rkx._MODULES))
def test_a_public_module_is_found_as_an_attribute_before_anything_is_imported_from_it(name: str) -> None:
    assert getattr(rkx, name) is importlib.import_module(f"rkx.{name}")


def test_no_public_name_is_another_modules_name() -> None:
    """Importing a module sets its name on the package, in front of whatever is public there."""
    modules = {module.name for module in pkgutil.iter_modules(rkx.__path__)}
    assert modules.intersection(rkx.__all__) == {*rkx._MODULES}
