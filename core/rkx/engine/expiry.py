"""When the certificates of a cluster end, told in time: nothing works after that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from rkx.engine.state import State
from rkx.errors import Problem
from rkx.model.identity import Saved

NOTICE = timedelta(days=90)


def first_ends(state: State) -> list[Saved]:
    """Give the authority that ends first, then the certificate of the others that does; nothing for a newborn."""
    dated = [each.saved for each in state.credentials.values() if each.saved.not_after]
    kinds = ([s for s in dated if not s.authority_serial], [s for s in dated if s.authority_serial])
    return [min(those, key=_end) for those in kinds if those]


def _end(saved: Saved) -> datetime:
    if saved.not_after is None:
        raise TypeError(f"{saved.name} has no end")
    return saved.not_after


def expiring(state: State, now: datetime) -> Iterator[Problem]:
    """Warn of what ends within 90 days, or has ended."""
    for saved in first_ends(state):
        end = _end(saved)
        if end - now < NOTICE:
            what, hint = _OTHER if saved.authority_serial else _AUTHORITY
            message = f"{what} {saved.name} {'ended' if end < now else 'ends'} on {end:%Y-%m-%d}"
            yield Problem(where="certificates", message=message, hint=hint, warning=True)


_OTHER = "the certificate", "rkx up renews it"
_AUTHORITY = "the authority", "authorities cannot be exchanged yet: have a new cluster before that day"
