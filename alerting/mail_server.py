"""The address of a mail server: how to reach it, whether it must be encrypted, and as whom to log in."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit


class Encryption(StrEnum):
    """How a connection to a mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


DEFAULT_PORTS = {Encryption.NONE: 25, Encryption.STARTTLS: 587, Encryption.TLS: 465}
"""RFC 8314 section 3.3 for submission; 25 for a relay on this machine."""

SCHEMES = {"smtps": Encryption.TLS, "smtp+starttls": Encryption.STARTTLS, "smtp": None}
"""`smtp` leaves it to where the server stands."""

ENCODED = "'@', '/', '?' and '#' in a password are written %40, %2F, %3F and %23"


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server. Its `name` may be shown; user and password never are."""

    host: str
    port: int
    encryption: Encryption
    username: str | None = None
    password: str | None = None

    @property
    def name(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"


def parse_mail_server(url: str, *, allow_plain: bool = False) -> MailServer:
    """Reads `smtp://`, `smtp+starttls://` or `smtps://` with optional `user:password@`, percent-encoded.

    `smtp://` insists on STARTTLS, too, unless the server is this machine or the user allows plain text: an alert
    holds what is wrong with a client's site and the password of the mailbox, and a line in between can strip
    STARTTLS from an answer.

    Args:
        url: the address as the user wrote it.
        allow_plain: accept an unprotected connection to another machine.

    Raises:
        ValueError: it is no such address; the message never repeats it, it may hold a password.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"the port of a mail server must be a number up to 65535; {ENCODED}") from error
    if parts.scheme not in SCHEMES:
        raise ValueError("write smtp://host:port, smtp+starttls://user:password@host:587 or smtps://…@host:465")
    if not host:
        raise ValueError("the mail server's address has no host")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"nothing may follow the port of a mail server; {ENCODED}")
    if "\r" in unquote(url) or "\n" in unquote(url):
        raise ValueError("the mail server's address holds a line break")
    encryption = SCHEMES[parts.scheme]
    if encryption is None:
        encryption = Encryption.NONE if allow_plain or _is_this_machine(host) else Encryption.STARTTLS
    return MailServer(
        host=host,
        port=port or DEFAULT_PORTS[encryption],
        encryption=encryption,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password is not None else None,
    )


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
