"""Run the programs that do the building."""

import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rkx_images.errors import BuildError

_SHOWN_LINES = 20


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    line: Callable[[str], None] = lambda _: None,
) -> None:
    """Run a program, handing each line of its output to `line`.

    Raises BuildError with the last lines when it fails or is not there.
    """
    tail: deque[str] = deque(maxlen=_SHOWN_LINES)
    try:
        with subprocess.Popen(
            argv, cwd=cwd, env=env, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            for text in process.stdout or ():
                tail.append(text)
                line(text.rstrip())
    except FileNotFoundError as error:
        raise BuildError(f"{argv[0]}: no such program", f"install {argv[0]}") from error
    if process.returncode:
        raise BuildError(f"{' '.join(argv)} in {cwd}: exit status {process.returncode}\n{''.join(tail)}")
