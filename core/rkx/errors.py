"""Every deliberate error of rkx, as one tree; the only place that knows exit codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class RkxError(Exception):
    """Say what went wrong, where and with which value; ``hint`` says what to do about it."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake or warning, as a plugin or the decoder found it.

    ``where`` is the path in cluster.yml, such as ``nodes[1].role[0]``; line and column count from 1, 0 is unknown.
    ``risk`` names what the operator may accept under ``accept_risk``; one that is not accepted is a mistake.
    """

    where: str
    message: str
    hint: str = ""
    warning: bool = False
    file: str = ""
    line: int = 0
    column: int = 0
    source: str = ""
    risk: str = ""


class ConfigError(RkxError):
    """cluster.yml, or a file that it names, is wrong; all mistakes at once in ``problems``."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class PluginNotFound(ConfigError):
    """No installed distribution provides the plugin that cluster.yml names."""


class PluginConflict(ConfigError):
    """Two distributions provide a plugin of one name, or two plugins claim one thing."""


class PluginApiMismatch(ConfigError):
    """A plugin was written for another version of the hooks."""


class TransportError(RkxError):
    """A node was not reached. ``node`` is its name in cluster.yml."""

    exit_code = 4

    def __init__(self, message: str, *, node: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.node = node


class ConnectFailed(TransportError):
    """Nothing answers at the node's address, or its name does not resolve."""


class TimedOut(TransportError):
    """The node took the connection and then stayed silent."""


class BadAnswer(TransportError):
    """A server on the node sent an answer that is too large, too slow, malformed or a redirect."""


class AuthRejected(TransportError):
    """The node refused the user or the key."""


class HostKeyMismatch(TransportError):
    """The node shows a host key that is unknown, or another one than is known."""


class StreamRefused(TransportError):
    """The connection is open, but the requested stream was refused; says which socket or port, and why."""

    exit_code = 6


class Locked(RkxError):
    """Another run holds the lock."""

    exit_code = 5


class PreflightFailed(RkxError):
    """A node cannot carry what is wanted of it; all problems at once."""

    exit_code = 6

    def __init__(self, message: str, *, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class PartlyDone(RkxError):
    """The run ended early; what is done stays, and running again finishes the rest."""

    exit_code = 7


class ApplyFailed(PartlyDone):
    """Actions failed: ``failures`` maps each one's label to its error; ``left`` names what was not tried."""

    def __init__(
        self, message: str, *, hint: str = "", failures: Mapping[str, RkxError] | None = None, left: Sequence[str] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.failures = dict(failures or {})
        self.left = tuple(left)


class PlanStale(PartlyDone):
    """A resource moved between the plan and its action."""


class Interrupted(PartlyDone):
    """The user cancelled the run."""


class Refused(RkxError):
    """Going on would lose data, or harm another cluster."""

    exit_code = 8


class NotReady(RkxError):
    """All was changed as wanted, but something does not become healthy."""

    exit_code = 9


class PluginFault(RkxError):
    """A plugin broke the contract of its hooks: a bug in that plugin."""

    def __init__(self, message: str, *, plugin: str = "", owner: str = "", hint: str = "", trace: str = "") -> None:
        super().__init__(message, hint=hint)
        self.plugin = plugin
        self.owner = owner
        self.trace = trace


class ApiSilent(RkxError):
    """No control plane node's API server answers; what it holds is unknown."""

    exit_code = 9


class ApiRefused(PartlyDone):
    """The API server refused a request; ``status`` is its HTTP status."""

    def __init__(self, message: str, *, status: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
