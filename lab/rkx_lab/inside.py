"""Run commands in machines."""

from docker.models.containers import Container

from rkx_lab.errors import LabError
from rkx_lab.state import Lab

READY = "until docker version >/dev/null 2>&1 && [ -s /run/sshd.pid ]; do sleep 0.05; done"


def run(lab: Lab, machine: str, *command: str, user: str = "root") -> str:
    """Run a command in a machine and return its output; LabError when it fails."""
    name = lab.machine(machine).name
    return run_in(lab.client().containers.get(name), *command, user=user)


def run_in(container: Container, *command: str, user: str = "root") -> str:
    """Run a command in a container and return its output; LabError when it fails."""
    done = container.exec_run(list(command), user=user)
    text = done.output.decode(errors="replace") if isinstance(done.output, bytes) else ""
    if done.exit_code:
        shown = " ".join(command)[:200]
        raise LabError(f"{container.name}: {shown}: exit {done.exit_code}: {text[-500:].strip()}")
    return text


def wait_ready(lab: Lab, machine: str, limit_s: int = 60) -> None:
    """Wait until a machine's engine answers and sshd listens."""
    try:
        run(lab, machine, "timeout", str(limit_s), "sh", "-c", READY)
    except LabError as error:
        log = run(lab, machine, "tail", "-n", "5", "/var/log/dockerd.log")
        raise LabError(
            f"{lab.machine(machine).name} is not ready after {limit_s} s; its dockerd says: {log}"
        ) from error
