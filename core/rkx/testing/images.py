"""The images of an Engine in memory, and what a registry sends."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import unquote

from rkx.model.image import listed
from rkx.testing.machine import Machine, unpacked
from rkx.testing.wire import Request, Response, as_json, error


class Done(Protocol):
    """Have an Engine do one thing that outlives the program that asked for it, and answer."""

    def __call__(self, what: str, act: Callable[[], None], response: Response | None = None) -> Response:
        """Call ``act``, with ``what`` for its label."""


class FakeImages:
    """One Engine's images: ``names`` maps names to ids, ``sent`` to the name of what a registry sends instead."""

    def __init__(self, machine: Machine, done: Done) -> None:
        self._machine, self._done = machine, done
        self.names: dict[str, str] = {}
        self.unpullable: dict[str, str] = {}
        self.sent: dict[str, str] = {}

    def list_all(self, _request: Request) -> Response:
        """Answer with a row for each id."""
        rows: dict[str, dict[str, Any]] = {}
        for name, each in self.names.items():
            row = rows.setdefault(each, {"Id": each, "RepoTags": None, "RepoDigests": None})
            kind = "RepoDigests" if "@" in name else "RepoTags"
            row[kind] = [*(row[kind] or ()), name]
        return as_json([*rows.values()])

    def inspect(self, _request: Request, quoted: str) -> Response:
        """Answer with what is known of one."""
        name = listed(unquote(quoted))
        return as_json({"Id": self.names[name]}) if name in self.names else error(404, f"No such image: {name}")

    def create(self, request: Request) -> Response:
        """Pull an image, or take one that is sent."""
        repository, tag = request.query.get("fromImage") or request.query["repo"], request.query["tag"]
        tag = listed(f"{repository}@{tag}" if tag.startswith("sha256:") else f"{repository}:{tag}")
        if tag in self.unpullable:
            return Response(pieces=[json.dumps({"error": self.unpullable[tag]}).encode()])
        act = lambda: self._keep(request, self.sent.get(tag, tag))  # noqa: E731
        return self._done(f"image {tag}", act, Response(pieces=[b'{"status": "done"}\r\n']))

    def _keep(self, request: Request, image: str) -> None:
        self.names[image] = f"sha256:{secrets.token_hex(32)}"
        if "repo" in request.query:  # an image that is sent is rkx-node's
            self._machine.program = unpacked(request.body)["rkx-node"].content or b""

    def delete(self, _request: Request, tag: str) -> Response:
        """Forget a name."""
        if tag not in self.names:
            return error(404, f"No such image: {tag}")
        return self._done(f"image gone {tag}", lambda: self._drop(tag), as_json([{"Deleted": tag}]))

    def _drop(self, tag: str) -> None:
        self.names.pop(tag, None)
