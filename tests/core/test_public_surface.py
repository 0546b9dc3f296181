"""The public surface: its list, its homes and what type checkers see are one."""

import rkx


def test_each_public_name_has_one_home() -> None:
    homes = [name for names in rkx._HOMES.values() for name in names.split()]
    assert sorted(rkx.__all__) == sorted(homes)
    assert len(set(homes)) == len(homes)
