"""What a person types to have something probed, taken apart: a kind, an address, and what follows from them."""

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from sentry.domain.errors import ConfigurationError, Problem

KIND_OF_SCHEME = {"http": "http", "https": "http", "tcp": "tcp", "tls": "tls", "icmp": "icmp", "dns": "dns"}
TLS_PORTS = frozenset({443, 8443})
PORT_OF_SCHEME = {"http": 80, "https": 443}
HOST_KEYS = {"icmp": "host", "dns": "query_name"}
"""Kinds that look at a name and not at a port, and their key for it."""

EXAMPLES = "write a URL, a host name, or host:port"


@dataclass(frozen=True, slots=True)
class Target:
    """Something to probe.

    Attributes:
        kind: of the probe.
        url: as the site's address of a check.
        options: keys of the check that the address says, e.g. the port of a tcp check.
    """

    kind: str
    url: str
    options: dict[str, object] = field(default_factory=dict)


def parse_target(text: str, kind: str = "") -> Target:
    """Takes an address apart.

    Args:
        text: a URL with scheme http, https, tcp, tls, icmp or dns; or `host`, `host:port`, `host/path`.
        kind: of the probe; follows from the scheme or the port when empty: http where there is neither, tls for the
            ports 443 and 8443, tcp for any other.

    Raises:
        ConfigurationError: it cannot be probed; the message says how to write it.
    """
    scheme, parts, port = _split(text.strip())
    host = parts.hostname or ""
    kind = kind or KIND_OF_SCHEME.get(scheme) or _kind_of_port(port)
    if scheme in PORT_OF_SCHEME:
        port = port or (PORT_OF_SCHEME[scheme] if kind == "tcp" else None)
        return Target(kind, text.strip(), _options(text, kind, host, port))
    if kind == "tls":  # no https address, whose own port would be meant
        return Target(kind, f"http://{f'[{host}]' if ':' in host else host}/", _options(text, kind, host, port))
    secure = port in TLS_PORTS or port is None
    authority = parts.netloc.rpartition("@")[2]
    url = (
        f"{'https' if secure else 'http'}://{authority}{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    )
    return Target(kind, url, _options(text, kind, host, port))


def _split(text: str) -> tuple[str, SplitResult, int | None]:
    scheme, colon, _ = text.partition("://")
    scheme = scheme.lower() if colon else ""
    if scheme and scheme not in KIND_OF_SCHEME:
        raise target_problem(
            f"'{scheme}://' is not known; use one of {', '.join(f'{one}://' for one in KIND_OF_SCHEME)}"
        )
    try:
        parts = urlsplit(text if scheme else f"//{_bracketed(text)}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise target_problem(f"'{text[:100]}' is no address, or its port is none; {EXAMPLES}") from None
    if not host or any(character.isspace() for character in text):
        raise target_problem(f"'{text[:100]}' names no host; {EXAMPLES}")
    return scheme, parts, port


def _bracketed(text: str) -> str:
    """Returns a bare IPv6 address as it stands in a URL, anything else as it is."""
    try:
        return f"[{text}]" if ipaddress.ip_address(text).version == 6 else text  # noqa: PLR2004  # IPv6
    except ValueError:
        return text


def _kind_of_port(port: int | None) -> str:
    if port is None:
        return "http"
    return "tls" if port in TLS_PORTS else "tcp"


def _options(text: str, kind: str, host: str, port: int | None) -> dict[str, object]:
    if kind in HOST_KEYS:
        return {HOST_KEYS[kind]: host}
    if kind == "tcp" and port is None:
        raise target_problem(f"a tcp probe needs a port; write {text.strip()[:100]}:PORT")
    return {"port": port} if kind in {"tcp", "tls"} and port is not None else {}


def target_problem(message: str) -> ConfigurationError:
    """Returns the error about a target."""
    return ConfigurationError([Problem("command line", 0, "TARGET", message)])
