"""A connection to an SSH server: whose key is the expected one, and that lets us in."""

import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import paramiko

from sentry.domain.access import SshAccess, SshServer, fingerprint
from sentry.domain.errors import HostError, HostLost, HostRefused
from sentry.remote.failures import shown

CONNECT_WITHIN_S = 15.0
SIGN_IN_WITHIN_S = 30.0
DEAD_AFTER_MS = 7_000
"""What was sent and not acknowledged for that long breaks the connection; keep-alive alone would not notice."""

KEEP_ALIVE_S = 3
WINDOW_BYTES = 8 * 1024 * 1024
"""What a command may be ahead of us: full speed on a line of 80 ms at 100 MB/s, and the bound of our memory."""

OFFERED_KEYS = 5
"""Of an agent; OpenSSH ends the connection at the sixth wrong one."""

RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256")

# Its errors reach whoever asked as ours do; its tracebacks on standard error would tell the same twice.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False

PIN_ADVICE = "if that is the right one, write it into host_keys of {where}: {line}"


class Link:
    """One signed-in connection, with that to the jump host where there is one.

    Args:
        access: the server, and how it is reached.

    Raises:
        HostRefused: its key is not the expected one, or it does not let us in.
        HostLost: it cannot be reached.
    """

    def __init__(self, access: SshAccess) -> None:
        self._transports: list[paramiko.Transport] = []
        try:
            if access.jump is None:
                self._add(access, "access.ssh", _dialled(access))
            else:
                self._add(access.jump, "access.ssh.jump", _dialled(access.jump))
                self._add(access, "access.ssh", self._through(access))
        except BaseException:
            self.close()
            raise

    @property
    def transport(self) -> paramiko.Transport:
        """The connection to the server itself."""
        return self._transports[-1]

    @property
    def is_up(self) -> bool:
        """Whether nothing has broken yet."""
        return all(transport.is_active() for transport in self._transports)

    def close(self) -> None:
        """Ends it, the way to the jump host last."""
        for transport in reversed(self._transports):
            transport.close()

    def _add(self, server: SshServer, where: str, way: socket.socket | paramiko.Channel) -> None:
        with _wrapped(server):
            try:
                transport = paramiko.Transport(way, default_window_size=WINDOW_BYTES)
            except BaseException:
                way.close()
                raise
            self._transports.append(transport)
            _prefer_expected_keys(transport, server)
            transport.banner_timeout = transport.handshake_timeout = SIGN_IN_WITHIN_S
            transport.auth_timeout = transport.channel_timeout = SIGN_IN_WITHIN_S
            transport.start_client(timeout=SIGN_IN_WITHIN_S)
            _check_host_key(transport.get_remote_server_key(), server, where)
            _sign_in(transport, server)
            transport.set_keepalive(KEEP_ALIVE_S)

    def _through(self, server: SshServer) -> paramiko.Channel:
        with _wrapped(server):
            return self._transports[-1].open_channel(
                "direct-tcpip", (server.host, server.port), ("127.0.0.1", 0), timeout=CONNECT_WITHIN_S
            )


def _dialled(server: SshServer) -> socket.socket:
    try:
        way = socket.create_connection((server.host, server.port), CONNECT_WITHIN_S)
    except OSError as error:
        raise HostLost(f"{server.address} cannot be reached: {error.strerror or error}") from error
    way.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Not known outside of Linux.
    with suppress(AttributeError):
        way.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER_MS)
    return way


def _prefer_expected_keys(transport: paramiko.Transport, server: SshServer) -> None:
    """Asks first for a key of a type that is expected: a server has several, and would show its own favourite."""
    expected: list[str] = []
    for line in server.host_keys:
        name = line.partition(" ")[0]
        expected += RSA_SIGNATURES if name == "ssh-rsa" else (name,)
    options = transport.get_security_options()
    known = tuple(options.key_types)
    first = tuple(name for name in dict.fromkeys(expected) if name in known)
    options.key_types = (*first, *(name for name in known if name not in first))


def _check_host_key(key: paramiko.PKey, server: SshServer, where: str) -> None:
    line = f"{key.get_name()} {key.get_base64()}"
    if line in server.host_keys:
        return
    shows = f"{server.address} shows the key {fingerprint(key.asbytes())}"
    advice = PIN_ADVICE.format(where=where, line=line)
    if not server.host_keys:
        raise HostRefused(f"{shows}, and none is expected; compare it with the server's own, and {advice}")
    raise HostRefused(
        f"{shows}, but expected is {' or '.join(server.fingerprints)}: somebody may be in between, or the server was "
        f"set up anew; ask whoever runs it, and {advice}"
    )


def _sign_in(transport: paramiko.Transport, server: SshServer) -> None:
    if server.key_file is not None:
        _sign_in_with(transport, server, [_key_of_file(server, server.key_file)])
        return
    with closing(paramiko.Agent()) as agent:
        _sign_in_with(transport, server, agent.get_keys()[:OFFERED_KEYS])


def _sign_in_with(transport: paramiko.Transport, server: SshServer, keys: Sequence[paramiko.PKey]) -> None:
    tried = []
    for key in keys:
        try:
            if not transport.auth_publickey(server.user, key):
                return
        except paramiko.BadAuthenticationType as error:
            ways = ", ".join(shown(way) for way in error.allowed_types[:5])
            raise HostRefused(f"{server.address} takes no key, only {ways}; let it take one") from error
        except paramiko.AuthenticationException:
            tried.append(fingerprint(key.asbytes()))
            continue
        raise HostRefused(f"{server.address} wants more than a key; let the account in by its key alone")
    if not tried:
        raise HostRefused(f"{server.address}: there is no key to sign in with; write key_file, or start an SSH agent")
    raise HostRefused(
        f"{server.address} does not let us in with {', '.join(tried)}; add the public key to its authorized_keys"
    )


def _key_of_file(server: SshServer, file: Path) -> paramiko.PKey:
    passphrase = None if server.passphrase is None else server.passphrase.get_secret_value().encode()
    try:
        # Text, as it is declared, reaches a function that takes bytes alone.
        return paramiko.PKey.from_path(file, passphrase)  # type: ignore[arg-type]
    except OSError as error:
        _refuse_key(server, error.strerror or "it cannot be read", error)
    except (paramiko.SSHException, paramiko.pkey.UnknownKeyType, ValueError, TypeError) as error:
        other = "its passphrase is another one" if passphrase else "it has a passphrase: write passphrase: ${NAME}"
        _refuse_key(server, f"it is no private key, or {other}", error)


def _refuse_key(server: SshServer, why: str, error: Exception) -> NoReturn:
    raise HostRefused(f"{server.address}: the key file {server.key_file} cannot be used: {why}") from error


@contextmanager
def _wrapped(server: SshServer) -> Iterator[None]:
    try:
        yield
    except HostError:
        raise
    except paramiko.ChannelException as error:
        raise HostLost(f"{server.address} cannot be reached from the jump host: {shown(error.text)}") from error
    except paramiko.SSHException as error:
        raise HostLost(f"{server.address} does not speak SSH as it should: {shown(str(error))}") from error
    except (OSError, EOFError) as error:
        raise HostLost(f"{server.address}: the link broke while it was made: {error}") from error
