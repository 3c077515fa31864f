"""An address to ask, taken apart once: where to connect, what to request, and what may be shown of it."""

import sys
from dataclasses import dataclass
from urllib.parse import unquote, urljoin

from pydantic import AnyHttpUrl, TypeAdapter, ValidationError

from probes.connection import at_port

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_URL_CHARS = 8192

_ANY_URL: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


@dataclass(frozen=True, slots=True)
class Target:
    """A web address.

    Attributes:
        host: without brackets, IDNA encoded.
        path: what stands in the request line, with the query, without the fragment.
        username: from the address itself, as password; None where it has none.
    """

    scheme: str
    host: str
    port: int
    path: str
    username: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> "Target":
        """Takes an absolute address apart as browsers do (WHATWG), percent-encoding what needs it.

        Raises:
            ValueError: it is no http or https address; the message says why.
        """
        if len(url) > MAX_URL_CHARS:
            raise ValueError(f"the address is longer than {MAX_URL_CHARS:,} characters")
        try:
            parsed = _ANY_URL.validate_python(url)
        except ValidationError as error:
            raise ValueError(str(error.errors()[0]["msg"])) from None
        query = f"?{parsed.query}" if parsed.query else ""
        return cls(
            scheme=parsed.scheme,
            host=sys.intern((parsed.host or "").strip("[]")),  # as the check has it already
            port=parsed.port or DEFAULT_PORTS[parsed.scheme],
            path=f"{parsed.path or '/'}{query}",
            username=None if parsed.username is None else unquote(parsed.username),
            password=None if parsed.password is None else unquote(parsed.password),
        )

    def joined(self, reference: str) -> "Target":
        """Returns the target that a Location or a path leads to from here.

        Raises:
            ValueError: it leads nowhere.
        """
        # urljoin would take `http://` for the address it stands on.
        return Target.parse(reference if "://" in reference[:12] else urljoin(self.url, reference))

    @property
    def tls(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and, where it is not the scheme's own, port: the value of the Host header."""
        if self.port == DEFAULT_PORTS[self.scheme]:
            return f"[{self.host}]" if ":" in self.host else self.host
        return at_port(self.host, self.port)

    @property
    def url(self) -> str:
        """The address without credentials."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def trusts(self, other: "Target") -> bool:
        """Whether what was meant for this target may be sent to the other one.

        That is the same origin (scheme, host and port), or the same host's step up from http to https on the standard
        ports: it tells nobody new.
        """
        upgrade = (self.scheme, self.port, other.scheme, other.port) == ("http", 80, "https", 443)
        same = (self.scheme, self.port) == (other.scheme, other.port)
        return self.host == other.host and (same or upgrade)
