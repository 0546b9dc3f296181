"""Read what an Engine tells of a pull, step by step: docker-py's own reader takes a square of what comes at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rkx.errors import BadAnswer
from rkx.reconcile.answers import Said, parsed
from rkx.reconcile.pieces import opened

if TYPE_CHECKING:
    from docker import APIClient

STEP_BYTES = 1 << 16
"""An Engine ends each step by a line break; the longest hold the words of a registry that refuses."""


def steps(client: APIClient, node: str, image: Mapping[str, str], login: Mapping[str, str]) -> Iterator[Said]:
    """Pull ``fromImage`` with ``tag`` and give the steps; how long they go on is looked at with each 8 KiB that come.

    Raises APIError for a refusal, requests.RequestException where the stream breaks, and BadAnswer.
    """
    from docker.auth import encode_header

    headers = {"X-Registry-Auth": encode_header(login)}
    address = f"{client.base_url}/v{client.api_version}/images/create"
    with client.post(address, params=image, headers=headers, stream=True) as answer:
        client._raise_for_status(answer)  # type: ignore[attr-defined] # as its own pull does
        stream = opened(answer)
        while line := stream.readline(STEP_BYTES + 1):
            if len(line) > STEP_BYTES:
                raise BadAnswer(f"{node}: a step of a pull is larger than {STEP_BYTES >> 10} KiB", node=node)
            if line.strip():
                yield parsed(line, node, "a step of a pull")
