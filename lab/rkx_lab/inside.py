"""Run commands in machines."""

from docker.models.containers import Container

from rkx_lab.errors import LabError
from rkx_lab.state import Lab

END = "<end of output>"
WITH_END = f"\"$@\"; code=$?; printf %s '{END}'; exit $code"
"""A busy Engine may lose the output of an exec: without the mark, nothing would look as if nothing was there."""
READY = "until docker version >/dev/null 2>&1 && [ -s /run/sshd.pid ]; do sleep 0.05; done"


def run(lab: Lab, machine: str, *command: str, user: str = "root") -> str:
    """Run a command in a machine and return its output; LabError when it fails."""
    name = lab.machine(machine).name
    return run_in(lab.client().containers.get(name), *command, user=user)


def run_in(container: Container, *command: str, user: str = "root") -> str:
    """Run a command in a container and return its output; LabError when it fails, or its output got lost."""
    done = container.exec_run(["sh", "-c", WITH_END, "sh", *command], user=user)
    text = done.output.decode(errors="replace") if isinstance(done.output, bytes) else ""
    shown = f"{container.name}: {' '.join(command)[:200]}"
    if done.exit_code:
        raise LabError(f"{shown}: exit {done.exit_code}: {text.replace(END, '')[-500:].strip()}")
    if END not in text:
        raise LabError(f"{shown}: the Engine lost what it printed")
    return text.replace(END, "")


def wait_ready(lab: Lab, machine: str, limit_s: int = 60) -> None:
    """Wait until a machine's engine answers and sshd listens."""
    try:
        run(lab, machine, "timeout", str(limit_s), "sh", "-c", READY)
    except LabError as error:
        log = run(lab, machine, "tail", "-n", "5", "/var/log/dockerd.log")
        raise LabError(
            f"{lab.machine(machine).name} is not ready after {limit_s} s; its dockerd says: {log}"
        ) from error
