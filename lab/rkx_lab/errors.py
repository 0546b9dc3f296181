"""What the lab raises."""


class LabError(Exception):
    """Say what the lab could not do, with the place, the value and what to do about it."""
