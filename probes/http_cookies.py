"""The cookies of one probe: some shops set one and redirect until it comes back; without a jar they loop for ever."""

import re
from collections.abc import Iterable

from probes.http_target import Target

MAX_COOKIES = 50
MAX_COOKIE_CHARS = 4096
USABLE = re.compile(r"[\x21-\x7e\x80-\xff]+")


class CookieJar:
    """Forgotten when the probe ends; a cookie goes back only to the host or domain that set it."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, bool, str], tuple[str, bool]] = {}

    def take(self, headers: Iterable[str], target: Target) -> None:
        """Takes the Set-Cookie headers of a response."""
        for header in headers:
            pair, *attributes = header[:MAX_COOKIE_CHARS].split(";")
            name, has_value, value = (part.strip() for part in pair.partition("="))
            if has_value and name and USABLE.fullmatch(name + value):
                self._keep(name, value, _attributes(attributes), target)

    def header(self, target: Target) -> str | None:
        """Returns the Cookie header for a request, None where no cookie belongs to it."""
        pairs = [
            f"{name}={value}"
            for (domain, subdomains, name), (value, secure) in self._cookies.items()
            if (target.tls or not secure) and _belongs(target.host, domain, subdomains=subdomains)
        ]
        return "; ".join(pairs) or None

    def _keep(self, name: str, value: str, attributes: dict[str, str], target: Target) -> None:
        domain = attributes.get("domain", "").lstrip(".").lower()
        named = "." in domain and _belongs(target.host, domain, subdomains=True)
        key = (domain if named else target.host, named, name)
        if attributes.get("max-age", "").startswith(("0", "-")):
            self._cookies.pop(key, None)
        elif key in self._cookies or len(self._cookies) < MAX_COOKIES:
            self._cookies[key] = (value, "secure" in attributes)


def _attributes(parts: Iterable[str]) -> dict[str, str]:
    pairs = (part.partition("=") for part in parts)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _belongs(host: str, domain: str, *, subdomains: bool) -> bool:
    return host == domain or (subdomains and host.endswith(f".{domain}"))
