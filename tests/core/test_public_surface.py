"""The public surface: its list, its homes and what type checkers see are one."""

import pkgutil

import rkx


def test_each_public_name_has_one_home() -> None:
    homes = [name for names in rkx._HOMES.values() for name in names.split()]
    assert sorted(rkx.__all__) == sorted(homes)
    assert len(set(homes)) == len(homes)


def test_no_public_name_is_a_modules_name() -> None:
    """Importing a module sets its name on the package, in front of whatever is public there."""
    assert {module.name for module in pkgutil.iter_modules(rkx.__path__)}.isdisjoint(rkx.__all__)
