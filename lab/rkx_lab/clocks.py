"""A wrong clock: that of the program under test, since machines share this computer's."""

from pathlib import Path

from rkx_lab.errors import LabError

FOLDERS = "/usr/lib/*/faketime"


def shifted(seconds: int) -> dict[str, str]:
    """Return the environment in which a program's clock is off by so many seconds. Go programs ignore it."""
    library = next(iter(sorted(Path("/").glob(f"{FOLDERS[1:]}/libfaketime.so.1"))), None)
    if library is None:
        raise LabError(f"{FOLDERS}/libfaketime.so.1 is missing: install libfaketime (lab/setup.sh does)")
    # Time-outs run on the monotonic clock, which stays true.
    return {"LD_PRELOAD": str(library), "FAKETIME": f"{seconds:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
