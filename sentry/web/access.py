"""Who may come in: a bearer token, a signed cookie for browsers, and known host names on loopback."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from sentry.domain.errors import ConfigurationError, Problem
from sentry.ports import Clock

COOKIE = "sentry_session"
SESSION_S = 7 * 86_400
"""A sign-in lasts a week: a wall display should not ask each morning."""

MIN_TOKEN_CHARS = 16
_LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine only. The empty host means every address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() in _LOOPBACK_NAMES


def require_token(host: str, token: str | None, *, file: str = "configuration") -> None:
    """Refuses to listen beyond this machine without a token.

    Args:
        host: the address to listen on, as `web.listen` gives it.
        token: the token, None where none is set.
        file: the file to name in the message.

    Raises:
        ConfigurationError: anyone who reaches this machine could read the pages, or the token is too short.
    """
    if token is not None and len(token) < MIN_TOKEN_CHARS:
        what = f"the token has fewer than {MIN_TOKEN_CHARS} characters; make one with: openssl rand -hex 24"
        raise ConfigurationError([Problem(file, 0, "web.token", what)])
    if token is None and not is_loopback(host):
        what = (
            f"listens on '{host or 'every address'}', where others can reach it, without a token: set web.token_file "
            "(make one with: openssl rand -hex 24 > web.token), or listen on 127.0.0.1"
        )
        raise ConfigurationError([Problem(file, 0, "web.listen", what)])


def same_secret(given: str, expected: str) -> bool:
    """Compares in a time that does not depend on where the two differ, nor on their lengths."""
    return hmac.compare_digest(_digest(given), _digest(expected))


def bearer(request: web.Request) -> str | None:
    """Returns the token of the Authorization header, None where there is none."""
    scheme, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" and value.strip() else None


def calendar_key(token: str | None, client: str) -> str:
    """Returns the key of a client's calendar: whoever has it reads that calendar, and nothing else.

    Calendar programs know an address only, so the key is a part of it. It ends with the agent's token.
    """
    return hmac.new(_digest(f"online-sentry calendar {token or ''}"), client.encode(), hashlib.sha256).hexdigest()


class Sessions:
    """Signed cookies: they end by themselves, and with the token; nothing is kept on the server.

    Args:
        token: the token they stand for.
        clock: tells when they end.
    """

    def __init__(self, token: str, clock: Clock) -> None:
        self._key = _digest("online-sentry session " + token)
        self._clock = clock

    def issue(self) -> str:
        """Returns the value of a new cookie."""
        ends_at = str(int(self._clock.now().timestamp()) + SESSION_S)
        return f"{ends_at}.{self._signature(ends_at)}"

    def accepts(self, cookie: str) -> bool:
        """Whether a cookie was issued here, for this token, and has not ended."""
        ends_at, _, signature = cookie[:200].partition(".")
        if not ends_at.isascii() or not ends_at.isdigit() or not same_secret(signature, self._signature(ends_at)):
            return False
        return int(ends_at) > self._clock.now().timestamp()

    def _signature(self, ends_at: str) -> str:
        return hmac.new(self._key, ends_at.encode(), hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Throttle:
    """A token bucket: so many at once, then so many a second.

    Attributes:
        burst: how many may come at once.
        per_s: how many a second may follow.
    """

    clock: Clock
    burst: float
    per_s: float
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait_s(self, key: str) -> float:
        """Takes one from the bucket of a key; returns the seconds to wait first, 0 where it may pass."""
        now = self.clock.monotonic()
        left, at = self._left.get(key, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.per_s)
        if left < 1:
            self._left[key] = (left, now)
            return (1 - left) / self.per_s
        if len(self._left) > _MAX_BUCKETS:
            self._left.clear()  # a flood of keys must not fill the memory; known ones start afresh
        self._left[key] = (left - 1, now)
        return 0.0


_MAX_BUCKETS = 20_000


def is_known_host(header: str | None, hosts: Sequence[str]) -> bool:
    """Whether a Host header names this machine or a configured name; keeps DNS rebinding out of an open server."""
    if not header:
        return False
    try:
        name = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return False
    return is_loopback(name) or name in {host.lower() for host in hosts}


def is_cross_site(request: web.Request) -> bool:
    """Whether a browser sent this from a page of somebody else's."""
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        return True
    origin = request.headers.get(hdrs.ORIGIN)
    return origin is not None and urlsplit(origin).netloc.lower() != request.headers.get(hdrs.HOST, "").lower()


def local_path(text: str) -> str:
    """Returns a path on this server to go on to, `/` for anything that could lead elsewhere."""
    is_local = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if is_local else "/"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()
