"""The address of an HTTP proxy as a user writes it, its credentials kept out of whatever is shown."""

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from pydantic import AnyHttpUrl, TypeAdapter, ValidationError

from probes.connection import at_port

_ANY_URL: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """An HTTP proxy.

    Attributes:
        host: name or literal address, without brackets, IDNA encoded.
        authorization: value of the header Proxy-Authorization, None where it wants none.
        secrets: what a page of the proxy may echo and nobody is to see.
    """

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, written: str) -> "ProxyAddress":
        """Takes an address apart.

        Raises:
            ValueError: it is no address of an http proxy; the message says why and repeats nothing of it, for it may
                hold a password.
        """
        scheme, marked, _ = written.partition("://")
        if not marked or scheme.lower() != "http":
            raise ValueError("a proxy is spoken to over plain http; write it like http://proxy.example:3128")
        try:
            url = _ANY_URL.validate_python(written)
            names_no_port = urlsplit(written).port is None
        except ValidationError as error:
            raise ValueError(f"the proxy's address cannot be used: {error.errors()[0]['msg']}") from None
        except ValueError:
            raise ValueError("the proxy's address cannot be used: it names no port that can be read") from None
        if url.path not in {None, "", "/"} or url.query or url.fragment:
            raise ValueError("a proxy's address ends after its port; take the path out")
        if names_no_port:
            raise ValueError("a proxy's address names its port; write it like http://proxy.example:3128")
        host, port = (url.host or "").strip("[]"), url.port or 0
        if url.username is None and url.password is None:
            return cls(host, port)
        user, password = unquote(url.username or ""), unquote(url.password or "")
        token = b64encode(f"{user}:{password}".encode()).decode()
        return cls(host, port, f"Basic {token}", (password, token) if password else (token,))

    def __str__(self) -> str:
        """Returns `host:port`, which is all that may be shown of it."""
        return at_port(self.host, self.port)
