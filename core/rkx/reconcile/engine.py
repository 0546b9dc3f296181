"""What is changed on a node's Docker Engine: the one module that calls docker-py, whose import takes long."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self, TypeVar

from rkx.errors import BadAnswer, PartlyDone
from rkx.lines import cut
from rkx.reconcile.answers import Said, parsed
from rkx.reconcile.pieces import PIECE_BYTES, opened
from rkx.reconcile.stream_pool import StreamPool

if TYPE_CHECKING:
    from docker import APIClient

STEP_BYTES = 1 << 16
"""An Engine ends each step of a pull by a line break; the longest hold the words of a registry that refuses."""
ATTACHED = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
P = ParamSpec("P")
T = TypeVar("T")


class EngineRefused(PartlyDone):
    """An Engine refused a request, in ``words`` of its own; ``status`` is that of its answer, 0 without one."""

    status = 0
    words = ""

    @classmethod
    def of(cls, node: str, words: str, status: int = 0) -> Self:
        """Make one of what an Engine said."""
        error = cls(f"{node}: the Engine says: {words}", hint="repair it, then run rkx again")
        error.status, error.words = status, words
        return error


class Engine:
    """One node's Engine. Containers are named by name or id.

    Each method raises EngineRefused, BadAnswer, and OSError where the stream breaks.
    """

    def __init__(self, client: APIClient, node: str) -> None:
        self._client, self.node = client, node

    @classmethod
    def over(cls, pool: StreamPool, version: str, guard: Callable[[str], None]) -> Self:
        """Speak to the Engine over the pool's streams; ``guard`` is told each request's method before it is sent."""
        from docker import APIClient

        from rkx.reconcile.docker_adapter import StreamAdapter

        timeout_s = int(pool.timeout_s)
        client = _asked(pool.node, APIClient, base_url="tcp://node:2375", version=version, timeout=timeout_s)
        client._general_configs = {}  # type: ignore[attr-defined] # ~/.docker/config.json: its headers are others'
        StreamAdapter(pool).bind(client, guard)
        return cls(client, pool.node)

    def close(self) -> None:
        """Close its streams."""
        self._client.close()

    def _ask(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return _asked(self.node, call, *args, **kwargs)

    def create(self, body: Mapping[str, Any], name: str) -> str:
        """Create a container and return its id."""
        made = self._ask(self._client.create_container_from_config, body, name)
        return Said(made, self.node, name).text("Id")

    def inspect(self, name: str) -> Said:
        """Return what the Engine knows of a container."""
        return Said(self._ask(self._client.inspect_container, name), self.node, name)

    def find(self, name: str) -> Said | None:
        """Return what the Engine knows of a container; None if it is not there."""
        return self._unless_missing(lambda: self.inspect(name))

    def listed(self, **filters: str) -> list[Said]:
        """List containers, stopped ones too, by a filter of the Engine's."""
        rows = self._ask(self._client.containers, all=True, filters=filters)
        return Said(rows, self.node, "containers").rows()

    def start(self, name: str) -> None:
        """Start a container."""
        self._ask(self._client.start, name)

    def unpause(self, name: str) -> None:
        """Let a paused container run on."""
        self._ask(self._client.unpause, name)

    def stop(self, name: str, timeout_s: int) -> None:
        """Ask a container to end, and kill it after the time."""
        self._ask(self._client.stop, name, timeout=timeout_s)

    def restart(self, name: str, timeout_s: int) -> None:
        """Stop a container as ``stop`` does and start it."""
        self._ask(self._client.restart, name, timeout=timeout_s)

    def kill(self, name: str) -> None:
        """Kill a container that runs."""
        self._ask(self._client.kill, name)

    def wait(self, name: str, timeout_s: int, until: Literal["not-running", "removed"] = "not-running") -> Said:
        """Wait for a container's end; TimeoutError if it has none in time."""
        return Said(self._ask(self._client.wait, name, timeout=timeout_s, condition=until), self.node, name)

    def rename(self, name: str, new: str) -> None:
        """Give a container another name."""
        self._ask(self._client.rename, name, new)

    def set_restart(self, name: str, policy: Literal["always", "no"]) -> None:
        """Set a container's restart policy."""
        wanted: Any = {"Name": policy, "MaximumRetryCount": 0}  # docker-py's stub forgets "no"
        self._ask(self._client.update_container, name, restart_policy=wanted)

    def remove(self, name: str, *, volumes: bool = False, missing_ok: bool = False) -> None:
        """Kill and remove a container, with its anonymous ``volumes``."""
        try:
            self._ask(self._client.remove_container, name, force=True, v=volumes)
        except EngineRefused as error:
            if not missing_ok or error.status != HTTPStatus.NOT_FOUND:
                raise

    def attach(self, name: str) -> Any:  # noqa: ANN401 - docker-py's own wrapper
        """Return the stream of a container's input and output; ``_sock`` is its socket, which is to be closed too."""
        return self._ask(self._client.attach_socket, name, params=dict(ATTACHED))

    def logs(self, name: str, lines: int) -> bytes:
        """Return the last lines that a container wrote."""
        found: bytes = self._ask(self._client.logs, name, tail=lines)
        return found

    def put_archive(self, name: str, path: str, archive: Any) -> None:  # noqa: ANN401 - sized, and iterated over
        """Unpack a tar archive below a path in a container."""
        self._ask(self._client.put_archive, name, path, archive)

    def has_image(self, image: str) -> bool:
        """Return whether the node holds an image of that name."""
        return self._unless_missing(lambda: self._ask(self._client.inspect_image, image)) is not None

    def import_image(self, archive: bytes, image: str, entrypoint: str) -> None:
        """Make an image of one layer, a tar archive."""
        repository, _, tag = image.rpartition(":")
        changes = [f'ENTRYPOINT ["{entrypoint}"]']
        self._ask(self._client.import_image_from_data, archive, repository=repository, tag=tag, changes=changes)

    def remove_image(self, image: str) -> None:
        """Remove an image, whatever uses it."""
        self._ask(self._client.remove_image, image, force=True)

    def pull(self, image: Mapping[str, str], login: Mapping[str, str]) -> Iterator[Said]:
        """Pull ``fromImage`` with ``tag`` and give the steps: docker-py's reader needs quadratic time for it.

        How long they go on is looked at with each 8 KiB that come.
        """
        from docker.auth import encode_header

        headers = {"X-Registry-Auth": encode_header(login)}
        address = f"{self._client.base_url}/v{self._client.api_version}/images/create"
        with self._ask(self._client.post, address, params=image, headers=headers, stream=True) as answer:
            self._ask(self._client._raise_for_status, answer)  # type: ignore[attr-defined] # as its own pull does
            yield from self._steps(opened(answer.iter_content(PIECE_BYTES)))

    def _steps(self, stream: io.BufferedIOBase) -> Iterator[Said]:
        while line := stream.readline(STEP_BYTES + 1):
            if len(line) > STEP_BYTES:
                raise BadAnswer(f"{self.node}: a step of a pull is larger than {STEP_BYTES >> 10} KiB", node=self.node)
            if line.strip():
                yield parsed(line, self.node, "a step of a pull")

    @staticmethod
    def _unless_missing(ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except EngineRefused as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None


def _asked(node: str, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    from docker.errors import APIError, DockerException
    from requests import RequestException

    from rkx.reconcile.docker_adapter import as_of_a_socket

    try:
        return call(*args, **kwargs)
    except APIError as error:
        raise EngineRefused.of(node, cut(str(error.explanation or error)), error.status_code or 0) from error
    except DockerException as error:
        if isinstance(error, ValueError):
            raise  # it was given what an Engine had answered
        raise EngineRefused.of(node, cut(str(error))) from error
    except RequestException as error:
        if isinstance(error, ValueError):
            raise  # as above
        raise as_of_a_socket(error) from error
