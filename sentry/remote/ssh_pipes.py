"""The streams of a command that runs on a host over SSH."""

from contextlib import suppress

import paramiko
from paramiko.common import cMSG_CHANNEL_REQUEST

from sentry.domain.errors import HostLost

NO_STATUS = -1
ENDS_WITHIN_S = 0.3
"""How long the thread that reads the connection may need to see that it has broken."""


class ChannelPipes:
    """Fills `Pipes` by one channel.

    Args:
        host: its name, for messages.
        silent_s: how long silence is borne.
    """

    def __init__(self, host: str, channel: paramiko.Channel, silent_s: float) -> None:
        self._host, self._channel, self._silent_s = host, channel, silent_s
        channel.settimeout(silent_s)

    def receive(self, size: int) -> bytes:
        """Returns output; see `Pipes`."""
        return self._channel.recv(size)

    def receive_complaint(self, size: int) -> bytes:
        """Returns standard error; see `Pipes`."""
        return self._channel.recv_stderr(size)

    def send(self, data: bytes) -> None:
        """Writes all of it."""
        self._channel.sendall(data)

    def end_input(self) -> None:
        """Says that no more input comes."""
        self._channel.shutdown_write()

    def status(self) -> int:
        """Waits for the status; one that a signal ended has none, nor has one whose link broke."""
        if not self._channel.status_event.wait(self._silent_s):
            raise TimeoutError
        if self._channel.exit_status != NO_STATUS:
            return self._channel.exit_status
        transport = self._channel.get_transport()
        transport.join(ENDS_WITHIN_S)
        if transport.is_active():
            return NO_STATUS
        raise HostLost(f"{self._host}: the link broke; what was running there may still run")

    def close(self) -> None:
        """Ends the command: sshd only hangs up on it, which one that writes nothing does not notice."""
        if not self._channel.status_event.is_set():
            with suppress(paramiko.SSHException, OSError, EOFError):
                self._kill()
        self._channel.close()

    def _kill(self) -> None:
        """Sends the request of RFC 4254, 6.9, which the library has no name for."""
        request = paramiko.Message()
        request.add_byte(cMSG_CHANNEL_REQUEST)
        request.add_int(self._channel.remote_chanid)
        request.add_string("signal")
        request.add_boolean(False)  # noqa: FBT003  # no answer is wanted
        request.add_string("KILL")
        self._channel.get_transport()._send_user_message(request)  # type: ignore[attr-defined]  # noqa: SLF001  # as above
