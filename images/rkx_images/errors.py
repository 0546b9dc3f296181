"""What can go wrong while images are built."""


class BuildError(Exception):
    """Say what could not be built, where, and what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
