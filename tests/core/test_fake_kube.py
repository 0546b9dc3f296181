"""The API server in memory: many threads ask it at once, and some of them change it."""

from __future__ import annotations

from typing import Any

from rkx.testing.kube import Body, FakeKube
from rkx.testing.wire import Request


def test_who_may_ask_is_judged_while_others_store_objects() -> None:
    kube = FakeKube(lambda _what, act: act(), dict)

    class Growing(Body):
        """An object beside which another one is stored whenever its kind is read."""

        def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - JSON
            kube.objects[f"/more/{len(kube.objects)}"] = {"kind": "ConfigMap"}
            return super().__getitem__(name)

    kube.objects |= {"/one": Growing(kind="ConfigMap"), "/two": Growing(kind="ConfigMap")}
    assert kube.answer(Request(to="one", method="GET", path="/api/v1/pods", user="nobody")).status == 403
