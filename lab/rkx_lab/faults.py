"""Break machines, and make them whole again. Every fault names a machine as `lab-1`, or `1`."""

from concurrent.futures import ThreadPoolExecutor

from docker.errors import APIError
from docker.models.containers import Container

from rkx_lab import inside
from rkx_lab.errors import LabError
from rkx_lab.state import Lab


def stop(lab: Lab, machine: str, timeout_s: int = 10) -> None:
    """Shut a machine down in order: its engine gets so much time to stop its containers."""
    _container(lab, machine).stop(timeout=timeout_s)


def start(lab: Lab, machine: str) -> None:
    """Start a machine that was stopped or killed, and wait for its engine and sshd."""
    _container(lab, machine).start()
    inside.wait_ready(lab, machine)


def kill(lab: Lab, machine: str) -> None:
    """Turn a machine off as a power cut does (what it had written stays readable: the page cache is the computer's)."""
    _container(lab, machine).kill()


def restart(lab: Lab, *names: str, timeout_s: int = 10) -> None:
    """Reboot machines, all at once: /run and /tmp are empty after it, the boot id is another one."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: stop(lab, name, timeout_s), names))
        list(pool.map(lambda name: start(lab, name), names))


def pause(lab: Lab, machine: str) -> None:
    """Freeze a machine: TCP still connects to its ports, and nobody answers, not even with sshd's banner."""
    _container(lab, machine).pause()


def unpause(lab: Lab, machine: str) -> None:
    """Let a frozen machine go on."""
    _container(lab, machine).unpause()


def restart_dockerd(lab: Lab, machine: str, signal: str = "TERM") -> None:
    """End a machine's dockerd by a signal; it is started again at once, as systemd would. Wait until it answers."""
    _end_dockerd(lab, machine, signal)
    inside.wait_ready(lab, machine)


def stop_dockerd(lab: Lab, machine: str) -> None:
    """Stop a machine's dockerd until start_dockerd or its next boot; sshd goes on."""
    inside.run(lab, machine, "touch", "/run/dockerd.off")
    _end_dockerd(lab, machine, "TERM")


def _end_dockerd(lab: Lab, machine: str, signal: str) -> None:
    """Signal and wait in one command: what an exec prints may get lost on a busy computer, its exit code does not."""
    script = f"pid=$(pidof dockerd) && kill -{signal} $pid && while [ -d /proc/$pid ]; do sleep 0.05; done"
    inside.run(lab, machine, "timeout", "60", "sh", "-c", script)


def start_dockerd(lab: Lab, machine: str) -> None:
    """Start a dockerd that stop_dockerd has stopped, and wait until it answers."""
    inside.run(lab, machine, "rm", "-f", "/run/dockerd.off")
    inside.wait_ready(lab, machine)


def _container(lab: Lab, machine: str) -> Container:
    name = lab.machine(machine).name
    try:
        return lab.client().containers.get(name)
    except APIError as error:
        raise LabError(f"machine {name} is not there ({error.explanation}); make it with: rkx-lab up") from error
