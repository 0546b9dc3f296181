"""The order in which a channel's messages leave: nothing for it after its close."""

from __future__ import annotations

import threading
from typing import Any

import paramiko
from paramiko.common import cMSG_CHANNEL_CLOSE
from paramiko.message import Message


class Outlet:
    """Stands between a channel and its connection; all but sending is the connection's.

    Threads send, end and close a channel at once. paramiko makes each message under the channel's lock and sends it
    after that, so data or an end may follow the close. OpenSSH's server ends the whole connection over them, or takes
    them for another channel that has got the number meanwhile.
    """

    def __init__(self, connection: paramiko.Transport) -> None:
        self._connection = connection
        self._order = threading.Lock()
        self._closed = False

    def _send_user_message(self, message: Message) -> None:
        with self._order:
            if self._closed:
                return
            self._closed = message.asbytes().startswith(cMSG_CHANNEL_CLOSE)
            self._connection._send_user_message(message)  # type: ignore[attr-defined]  # not in paramiko's stubs

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a connection has
        return getattr(self._connection, name)
