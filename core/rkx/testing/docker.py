"""A Docker Engine in memory: the few endpoints that rkx uses."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from rkx.model.image import listed
from rkx.testing.attached import Attached
from rkx.testing.container import Box, binds_of, frame, has_label
from rkx.testing.images import FakeImages
from rkx.testing.machine import Effect, Machine, archive, unpacked
from rkx.testing.wire import Request, Response, as_json, error

API_VERSION = "1.41"
LINE_BYTES = 1 << 14
"""As much as an Engine puts into one frame of a log."""
UNSET = {
    **dict.fromkeys(("Memory", "MemoryReservation", "MemorySwap", "NanoCpus", "CpuShares", "CpuPeriod", "CpuQuota"), 0),
    **dict.fromkeys(("CpuRealtimePeriod", "CpuRealtimeRuntime", "BlkioWeight"), 0),
    **{"CpusetCpus": "", "CpusetMems": "", "PidsLimit": None, "Binds": None, "Privileged": False},
    "RestartPolicy": {"Name": "no"},
}
"""What an Engine shows of the host's settings that were not set."""


class FakeEngine:
    """One node's Engine with its ``id``. ``boxes`` are its containers by name.

    ``images`` maps names to ids, names as an Engine lists them: ``agent:1``, or ``agent@sha256:...`` for what was
    pulled by digest. ``sent`` says what a registry sends in place of what is asked for.

    ``tasks`` maps a program to what it does where it runs once: it is given the box, and returns exit code and output;
    any other program runs until it is stopped.

    ``says`` takes the place of what it tells of its version and its machine, such as ``{"LoggingDriver": "local"}``.
    """

    def __init__(self, machine: Machine, effect: Effect) -> None:
        self.machine, self._effect = machine, effect
        self.id = f"engine-of-{machine.name}"
        self.boxes: dict[str, Box] = {}
        self.says: dict[str, Any] = {}
        self.tasks: dict[str, Callable[[Box], tuple[int, bytes]]] = {}
        self.attached = Attached(machine)
        self.store = FakeImages(machine, self._done)
        self.unpullable, self.sent = self.store.unpullable, self.store.sent

    @property
    def images(self) -> dict[str, str]:
        """Return the ids of its images by name."""
        return self.store.names

    @images.setter
    def images(self, names: dict[str, str]) -> None:
        self.store.names = names

    def running(self, name: str) -> bool:
        """Return whether a container of that name runs."""
        return name in self.boxes and self.boxes[name].state == "running"

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        path = re.sub(r"^/v[\d.]+", "", request.path)
        for method, pattern, handler in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                return handler(self, request, *found.groups())
        return error(404, f"page not found: {request.method} {path}")

    def _done(self, what: str, act: Callable[[], None], response: Response | None = None) -> Response:
        self._effect(f"{self.machine.name} {what}", act)
        self.attached.notify()
        return response or Response(status=204)

    def _ping(self, _request: Request) -> Response:
        return Response(body=b"OK", headers={"Api-Version": self.says.get("ApiVersion", API_VERSION)})

    def _info(self, _request: Request) -> Response:
        name = self.machine.name
        return as_json(
            {
                "ID": self.id,
                "Name": name,
                "ServerVersion": "20.10.24",
                "SystemTime": datetime.now(UTC).isoformat(),
                "DockerRootDir": "/var/lib/docker",
                "LoggingDriver": "json-file",
                "CgroupDriver": "cgroupfs",
                "CgroupVersion": "1",
                "KernelVersion": "6.1.0",
                "Architecture": "x86_64",
                "OperatingSystem": "Debian 12",
                "NCPU": 2,
                "MemTotal": 1 << 32,
                **self.says,
            }
        )

    def _list(self, request: Request) -> Response:
        wanted = json.loads(request.query.get("filters", "{}")).get("label", [])
        return as_json([self._row(box) for box in self.boxes.values() if all(has_label(box.labels, w) for w in wanted)])

    def _row(self, box: Box) -> dict[str, Any]:
        """Show a container in the list: with its image's id once the name means another image."""
        named = box.config["Image"]
        moved = box.image_id and self.images.get(listed(named)) != box.image_id
        return {
            "Id": box.id,
            "Names": [f"/{box.name}"],
            "Image": box.image_id if moved else named,
            "State": box.state,
            "Labels": box.labels,
        }

    def _create(self, request: Request) -> Response:
        name, config = request.query["name"], request.json
        if name in self.boxes:
            return error(409, f'Conflict. The container name "/{name}" is already in use')
        image = self.images.get(listed(config["Image"]), config["Image"])
        if image not in self.images.values():
            return error(404, f"No such image: {config['Image']}")
        for mount in config.get("HostConfig", {}).get("Mounts") or ():
            if mount["Source"] not in self.machine.files:
                return error(400, f"bind source path does not exist: {mount['Source']}")
        box = Box(name=name, config=config, image_id=image)

        def make() -> None:
            for bind in box.host.get("Binds") or ():
                self.machine.make_folder(bind.split(":")[0])
            self.boxes[name] = box

        return self._done(f"create {name}", make, as_json({"Id": box.id, "Warnings": []}, 201))

    def _on(self, reference: str) -> Box | None:
        return next((box for box in self.boxes.values() if reference in (box.name, box.id)), None)

    def _inspect(self, _request: Request, reference: str) -> Response:
        box = self._on(reference)
        if box is None:
            return error(404, f"No such container: {reference}")
        box.restarts += box.crashes
        state = {"Running": box.state == "running", "Status": box.state, "StartedAt": box.started}
        said = {name: box.config.get(name) for name in ("Image", "Entrypoint", "Cmd")}
        return as_json(
            {
                "Id": box.id,
                "Name": f"/{box.name}",
                "RestartCount": box.restarts,
                "Image": box.image_id,
                "Config": {**said, "Labels": box.labels, "Tty": False},
                "HostConfig": {**UNSET, **box.host, "Binds": box.host.get("Binds") or None},
                "State": state,
            }
        )

    def _act(self, request: Request, reference: str, verb: str) -> Response:
        box = self._on(reference)
        if box is None:
            return error(404, f"No such container: {reference}")
        if verb == "wait":
            return Response(pieces=self._waited(box))  # an Engine sends the head at once
        if verb == "attach":
            # the run that it is attached to, whenever this stream is looked at: the one that goes on, or the next
            run = box.runs + (box.state != "running")
            return Response(upgrade=lambda given, said: self.attached.read(box, run, given, said))
        if (verb, box.state) == ("start", "running"):
            return Response(status=304)
        if verb == "kill" and box.state != "running":
            return error(409, f"Container {box.name} is not running")
        if (box.state == "paused") != (verb == "unpause") and verb in ("start", "unpause"):
            return error(409, f"Container {box.name} is {box.state}")
        acts: dict[str, Callable[[], None]] = {
            "unpause": lambda: setattr(box, "state", "running"),
            "start": lambda: self._begin(box),
            "restart": box.start,
            "stop": lambda: setattr(box, "state", "exited"),
            "kill": lambda: setattr(box, "state", "exited"),
            "rename": lambda: self._rename(box, request.query["name"]),
            "update": lambda: box.host.update(request.json),
        }
        response = as_json({"Warnings": []}) if verb == "update" else None
        return self._done(f"{verb} {box.name}", acts[verb], response)

    def _waited(self, box: Box) -> Iterator[bytes]:
        self.attached.wait(box, lambda: box.name in self.boxes)
        yield json.dumps({"StatusCode": box.exit_code}).encode()

    def _begin(self, box: Box) -> None:
        box.start()
        if (task := self.tasks.get(box.config["Entrypoint"][0])) and box.host["RestartPolicy"]["Name"] == "no":
            box.exit_code, box.output = task(box)
            box.state = "exited"

    def _rename(self, box: Box, name: str) -> None:
        self.boxes[name] = self.boxes.pop(box.name)
        box.name = name

    def _remove(self, request: Request, reference: str) -> Response:
        box = self._on(reference)
        if box is None:
            return error(404, f"No such container: {reference}")
        return self._done(f"remove {box.name}", lambda: self._forget(box))

    def _forget(self, box: Box) -> None:
        self.boxes.pop(box.name, None)

    def _logs(self, _request: Request, reference: str) -> Response:
        box = self._on(reference)
        if box is None:
            return error(404, f"No such container: {reference}")
        pieces = [box.output[at : at + LINE_BYTES] for at in range(0, len(box.output), LINE_BYTES)]
        return Response(body=b"".join(frame(1, piece) for piece in pieces))

    def _archive(self, request: Request, reference: str) -> Response:
        """Show what a container's binds show."""
        box, path = self._on(reference), request.query["path"]
        files = self.machine.shown(binds_of(box) if box else [])
        if path not in files:
            return error(404, f"Could not find the file {path} in container {reference}")
        stat = base64.b64encode(json.dumps({"name": path}).encode()).decode()
        return Response(body=archive(files, path), headers={"X-Docker-Container-Path-Stat": stat})

    def _extract(self, request: Request, reference: str) -> Response:
        """Put an archive's files where a container's binds lead."""
        box, path = self._on(reference), request.query["path"]
        outside = next((outside for outside, inside in binds_of(box) if inside == path), "") if box else ""
        if not outside:
            return error(404, f"Could not find the file {path} in container {reference}")
        found = {f"{outside}/{name}": entry for name, entry in unpacked(request.body).items()}
        return self._done(f"extract {', '.join(found)}", lambda: self.machine.files.update(found), Response())


def _of_images(answer: Callable[..., Response]) -> Callable[..., Response]:
    return lambda engine, *given: answer(engine.store, *given)


_ROUTES: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("GET", "/_ping", FakeEngine._ping),
    ("GET", "/info", FakeEngine._info),
    ("GET", "/containers/json", FakeEngine._list),
    ("POST", "/containers/create", FakeEngine._create),
    ("GET", "/containers/([^/]+)/json", FakeEngine._inspect),
    ("GET", "/containers/([^/]+)/logs", FakeEngine._logs),
    ("GET", "/containers/([^/]+)/archive", FakeEngine._archive),
    ("PUT", "/containers/([^/]+)/archive", FakeEngine._extract),
    ("POST", "/containers/([^/]+)/(start|unpause|restart|stop|kill|rename|update|wait|attach)", FakeEngine._act),
    ("DELETE", "/containers/([^/]+)", FakeEngine._remove),
    ("GET", "/images/json", _of_images(FakeImages.list_all)),
    ("GET", "/images/(.+)/json", _of_images(FakeImages.inspect)),
    ("POST", "/images/create", _of_images(FakeImages.create)),
    ("DELETE", "/images/(.+)", _of_images(FakeImages.delete)),
)
