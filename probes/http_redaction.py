"""Takes secrets out of what is kept as evidence: headers, addresses, and our own credentials echoed in a body."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

from probes.plain_text import harmless, one_line

REDACTED = "[redacted]"
MAX_HEADERS_KEPT = 100
HEADER_CHARS = 1024
URL_CHARS = 8192
"""Of an address that is looked at; a longer one is never asked for, and of any no more than HEADER_CHARS is kept."""

SECRET_HEADER = re.compile(
    r"authorization|authentication|^proxy-|^cookie|token|secret|passw|api[-_]?key|session|credential|signature|^auth",
    re.IGNORECASE,
)
SECRET_NAME = re.compile(r"token|secret|passw|pwd|key|sig|auth|session|sid|code|credential|hash", re.IGNORECASE)
PARAMETER = re.compile(r"[^&;]+")
ADDRESS_HEADERS = frozenset({"location", "content-location", "refresh", "link", "referer"})
EMBEDDED_URL = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[^\s<>\"',]+", re.IGNORECASE)
"""All of these read strangers' text of any length, so none may look back: no repetition before what it looks for."""


def redacted_url(url: str) -> str:
    """Returns an address or a reference without user, password and the values of parameters that look secret."""
    try:
        parts = urlsplit(url[:URL_CHARS])
    except ValueError:
        return REDACTED
    netloc = parts.netloc.rpartition("@")[2]
    query, fragment = (PARAMETER.sub(_redacted_parameter, text) for text in (parts.query, parts.fragment))
    return urlunsplit((parts.scheme, netloc, parts.path, query, fragment))


def redacted_headers(headers: Iterable[tuple[str, str]], secrets: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """Returns at most `MAX_HEADERS_KEPT` headers, harmless, cut at `HEADER_CHARS`, without secrets.

    Args:
        headers: as received.
        secrets: values of our own that a server may echo.
    """
    hidden = tuple(secrets)
    return tuple(
        (one_line(name, 128), one_line(without(_redacted_value(name.lower(), value), hidden), HEADER_CHARS))
        for name, value in tuple(headers)[:MAX_HEADERS_KEPT]
    )


def without(text: str, secrets: Iterable[str]) -> str:
    """Returns the text with each of the secrets replaced."""
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return text


def shown_url(url: str, secrets: Iterable[str] = ()) -> str:
    """Returns an address fit for evidence: redacted, harmless, bounded."""
    return one_line(harmless(without(redacted_url(url), secrets)), HEADER_CHARS)


def _redacted_parameter(found: re.Match[str]) -> str:
    """Returns `name=value` without the value where the name looks secret."""
    parameter = found.group()
    secret = SECRET_NAME.search(parameter.rpartition("=")[0])
    return parameter if secret is None else f"{parameter[: parameter.index('=', secret.end())]}={REDACTED}"


def _redacted_value(name: str, value: str) -> str:
    if name in {"set-cookie", "set-cookie2"}:
        pair, attributes_follow, attributes = value.partition(";")
        return f"{pair.partition('=')[0].strip()}={REDACTED}{attributes_follow}{attributes}"
    if name == "www-authenticate":
        return value  # the challenge: what the server asks for, nothing secret
    if SECRET_HEADER.search(name):
        return REDACTED
    if name == "location":
        return redacted_url(value)
    if name in ADDRESS_HEADERS:
        return EMBEDDED_URL.sub(lambda found: redacted_url(found.group()), value)
    return value
