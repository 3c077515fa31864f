"""What a check asks for, prepared once; and the bytes of each request, credentials only for whom they are meant."""

import json
from base64 import b64encode
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from probes.http_options import HttpOptions
from probes.http_target import Target
from probes.proxy_address import ProxyAddress

HARMLESS_ELSEWHERE = frozenset({"accept", "accept-language", "user-agent"})
"""Headers of the user that go to another origin too; any other one may hold a credential."""

KEEPS_METHOD = frozenset({307, 308})
CODINGS = "gzip, deflate, br"


class BodyForStrangerError(Exception):
    """A redirect would carry the request's body to another origin."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a probe.

    Attributes:
        home: the target that the check names; credentials, own headers and the body are meant for it alone.
        headers: of the user, as written.
    """

    home: Target
    target: Target
    method: str
    headers: tuple[tuple[str, str], ...]
    host_header: str | None = None
    authorization: str | None = None
    body: bytes = b""
    user_agent: str = ""
    compression: bool = True

    @property
    def is_home(self) -> bool:
        """Whether it goes to whom the credentials are meant for."""
        return self.home.trusts(self.target)

    def encode(self, cookies: str | None, proxy: ProxyAddress | None = None) -> bytes:
        """Returns the request as it goes over the wire.

        Args:
            cookies: its Cookie header.
            proxy: who gets it, in absolute form, where that is not the site.
        """
        asked = self.target.path if proxy is None else self.target.url
        written = [f"{self.method} {asked} HTTP/1.1", f"Host: {self._host()}"]
        written += [f"Proxy-Authorization: {proxy.authorization}"] if proxy and proxy.authorization else []
        named = {name.lower() for name, _ in self._own_headers()}
        defaults = {"User-Agent": self.user_agent, "Accept": "*/*"}
        defaults |= {"Accept-Encoding": CODINGS} if self.compression else {}
        defaults |= {"Authorization": self.authorization} if self.authorization and self.is_home else {}
        written += [f"{name}: {value}" for name, value in defaults.items() if name.lower() not in named]
        written += [f"{name}: {value}" for name, value in self._own_headers()]
        written += [f"Cookie: {cookies}"] if cookies and "cookie" not in named else []
        written += (
            [f"Content-Length: {len(self.body)}"] if self.body or self.method in {"POST", "PUT", "PATCH"} else []
        )
        return "\r\n".join([*written, "Connection: close", "", ""]).encode() + self.body

    def redirected(self, status: int, target: Target) -> "Request":
        """Returns the request that a redirect asks for (RFC 9110, 15.4).

        Raises:
            BodyForStrangerError: it would carry the body elsewhere.
        """
        if status in KEEPS_METHOD:
            if self.body and not self.home.trusts(target):
                raise BodyForStrangerError
            return replace(self, target=target)
        if self.method == "HEAD":
            return replace(self, target=target)
        kept = tuple(pair for pair in self.headers if not pair[0].lower().startswith("content-"))
        return replace(self, target=target, method="GET", body=b"", headers=kept)

    def _host(self) -> str:
        return self.host_header if self.host_header and self.is_home else self.target.authority

    def _own_headers(self) -> tuple[tuple[str, str], ...]:
        if self.is_home:
            return self.headers
        return tuple(pair for pair in self.headers if pair[0].lower() in HARMLESS_ELSEWHERE)


def first_request(options: HttpOptions, target: Target, user_agent: str) -> Request:
    """Returns the request that a check begins with."""
    body, content_type = _body(options)
    headers = [(name, value.get_secret_value()) for name, value in options.headers.items()]
    if content_type and "content-type" not in {name.lower() for name, _ in headers}:
        headers.append(("Content-Type", content_type))
    return Request(
        home=target,
        target=target,
        method=options.method,
        headers=tuple(headers),
        host_header=options.host_header,
        authorization=_authorization(options, target),
        body=body,
        user_agent=user_agent,
        compression=options.compression,
    )


def secrets_of(options: HttpOptions, target: Target) -> tuple[str, ...]:
    """Returns the secret values of a check, to take them out of what a server echoes; very short ones stay."""
    held = [options.password, options.bearer_token, *options.headers.values(), *(options.body_form or {}).values()]
    texts = {secret.get_secret_value() for secret in held if secret is not None}
    authorization = _authorization(options, target)
    texts |= {authorization.partition(" ")[2]} if authorization else set()
    texts |= {target.password} if target.password else set()
    texts |= set(options.through.secrets) if options.through else set()
    return tuple(sorted((text for text in texts if len(text) >= SECRET_CHARS), key=len, reverse=True))


SECRET_CHARS = 6
"""A shorter value is a flag or a language more often than a secret, and would tear holes into any page."""


def _authorization(options: HttpOptions, target: Target) -> str | None:
    if options.bearer_token is not None:
        return f"Bearer {options.bearer_token.get_secret_value()}"
    if options.username is not None and options.password is not None:
        return _basic(options.username.get_secret_value(), options.password.get_secret_value())
    if target.username is not None:
        return _basic(target.username, target.password or "")
    return None


def _basic(username: str, password: str) -> str:
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def _body(options: HttpOptions) -> tuple[bytes, str | None]:
    if options.body is not None:
        return options.body.get_secret_value().encode(), None
    if options.body_form is not None:
        fields = {name: value.get_secret_value() for name, value in options.body_form.items()}
        return urlencode(fields).encode(), "application/x-www-form-urlencoded"
    if "body_json" in options.model_fields_set:
        return json.dumps(options.body_json, ensure_ascii=False).encode(), "application/json"
    return b"", None
