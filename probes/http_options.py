"""What a user may write for a check of kind http."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urljoin, urlsplit

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    Field,
    JsonValue,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from probes.http_json import JsonExpectations
from probes.http_patterns import Patterns, Texts
from probes.http_redaction import redacted_url
from probes.http_status import AcceptedStatus
from probes.known_pages import PageNames
from probes.proxy_address import ProxyAddress
from sentry.domain.site import CheckOptions
from sentry.domain.weight import CountsAs

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
OWN_HEADERS = {
    "host": "write it as host_header",
    "connection": "each probe closes its connection",
    "content-length": "it follows from the body",
    "transfer-encoding": "it follows from the body",
}
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
ANY_URL: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


def _header_name(name: str) -> str:
    if TOKEN.fullmatch(name) is None:
        raise ValueError(f"'{name}' is no header name; letters, digits and '-' only")
    if name.lower() in OWN_HEADERS:
        raise ValueError(f"'{name}' cannot be set here: {OWN_HEADERS[name.lower()]}")
    return name


def _header_value(value: SecretStr) -> SecretStr:
    if any(character in value.get_secret_value() for character in "\r\n\0"):
        raise ValueError("a header value is one line; take the line breaks out")
    return value


def _url_or_path(written: str) -> str:
    if re.search(r"[\x00-\x20]", written):
        raise ValueError("an address has no spaces; write them as %20")
    if written.startswith("//") or SCHEME.match(written):
        if urlsplit(written).scheme not in {"http", "https"}:
            raise ValueError(f"'{written}' is no web address; write http://…, https://… or a path like /status")
        try:
            ANY_URL.validate_python(written)
        except ValidationError as error:
            raise ValueError(f"the address cannot be used: {error.errors()[0]['msg']}") from None
    return written


def _proxy(value: SecretStr) -> SecretStr:
    ProxyAddress.parse(value.get_secret_value())
    return value


HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[SecretStr, AfterValidator(_header_value)]
ProxyUrl = Annotated[SecretStr, AfterValidator(_proxy)]
UrlOrPath = Annotated[str, Field(min_length=1, max_length=8192), AfterValidator(_url_or_path)]


class HttpOptions(CheckOptions):
    """A page or an interface asked over HTTP or HTTPS, on a new connection each time."""

    kind: Literal["http"] = "http"
    url: UrlOrPath | None = Field(
        None, description="Another address, or a path that is joined to the site's url; the site's url when absent."
    )
    method: str = Field("GET", pattern=r"^[A-Z]{1,20}$", description="Request method, in capitals.")
    headers: dict[HeaderName, HeaderValue] = Field({}, description="Request headers; never shown, never logged.")
    body: SecretStr | None = Field(None, description="Request body as text.")
    body_json: JsonValue = Field(None, description="Request body as JSON; sets Content-Type.", repr=False)
    body_form: dict[str, SecretStr] | None = Field(
        None, description="Request body as form fields; sets Content-Type."
    )
    username: SecretStr | None = Field(None, description="User of basic authentication.")
    password: SecretStr | None = Field(None, description="Password of basic authentication.")
    bearer_token: HeaderValue | None = Field(None, description="Token of bearer authentication.")

    accepted_status: AcceptedStatus = Field(
        ("200-299",),
        description="Status codes that are good: codes, ranges (200-299) and classes (2xx). A redirect whose status "
        "is named here is not followed.",
    )
    expect_text: Texts = Field((), description="Text, or texts that must all be in the body. Case matters.")
    forbid_text: Texts = Field((), description="Text, or texts none of which may be in the body. Case matters.")
    expect_regex: Patterns = Field(
        (), description="Regular expressions (Python) that must all be found in the first 131,072 characters."
    )
    forbid_regex: Patterns = Field(
        (), description="Regular expressions (Python) none of which may be found in the first 131,072 characters."
    )
    expect_json: JsonExpectations = Field(
        {}, description='Values in a JSON body by path, e.g. {"$.status.items[0].ok": true}. Body up to 1 MiB.'
    )
    expect_headers: dict[str, str] = Field(
        {}, description="Response headers that must be there and contain this text; '' asks for presence only."
    )
    forbid_headers: dict[str, str] = Field(
        {}, description="Response headers that must not be there with this text in them; '' forbids the header."
    )

    blocked_counts_as: CountsAs = Field(
        CountsAs.DEGRADED,
        description="What a challenge for bots counts as: Cloudflare and others refuse the agent, people may get in.",
    )
    error_pages: bool = Field(
        default=True,
        description="Whether known error pages, hosts' default pages and parked domains count as down also with a "
        "good status.",
    )
    allow_pages: PageNames = Field(
        (), description="Names of such pages (and of challenges) that are as they should be here, e.g. nginx_default."
    )

    follow_redirects: bool = Field(default=True, description="Whether redirects are followed.")
    max_redirects: int = Field(10, ge=0, le=50, description="Redirects that are followed before it is a failure.")
    allow_downgrade: bool = Field(default=True, description="Whether a redirect may lead from https to http.")
    allow_private_redirects: bool = Field(
        default=False,
        description="Whether a redirect may lead nearer to the agent than the site is: from the internet to a "
        "private address, from there to this machine, from anywhere to a cloud's metadata or the agent's own pages.",
    )
    max_response_s: float | None = Field(
        None, gt=0, le=300, description="Seconds over all phases above which the site counts as degraded."
    )
    max_body_bytes: int = Field(
        10_485_760, ge=1, le=104_857_600, description="Largest body, bytes, as transferred and once decompressed."
    )
    compression: bool = Field(default=True, description="Whether gzip, deflate and br are asked for.")

    ip_version: Literal[4, 6] | None = Field(None, description="4 or 6 to use that family only.")
    proxy: ProxyUrl | None = Field(
        None,
        description="HTTP proxy to go through, e.g. http://user:${PROXY_PASSWORD}@proxy.example:3128; it resolves "
        "the site's name, and its own failure makes the check unknown, never down. Only its host is ever shown.",
    )
    connect_to: str | None = Field(
        None,
        min_length=1,
        description="Name or address to connect to instead of the url's host, e.g. the server behind a CDN.",
    )
    host_header: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._:\[\]-]+$", description="Host header to send instead of the url's host."
    )
    server_name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._:-]+$",
        description="Name for TLS (SNI and verification); that of host_header or of the url when absent.",
    )
    verify_tls: bool = Field(default=True, description="Whether the certificate is verified.")
    min_days_left: int | None = Field(
        None, ge=1, le=398, description="Days of validity left below which the site counts as degraded."
    )
    client_cert_file: Path | None = Field(None, description="PEM file with the client certificate to show.")
    client_key_file: Path | None = Field(None, description="PEM file with its key; the same file when absent.")

    def watched_url(self, site_url: str) -> str:
        """Returns the page that is asked for, without its query, which may hold a secret of the check's own."""
        if self.url is None:
            return site_url
        page = self.url if "://" in self.url[:12] else urljoin(site_url, self.url)
        return redacted_url(page).partition("?")[0]

    @property
    def through(self) -> ProxyAddress | None:
        """The proxy to go through, taken apart."""
        return None if self.proxy is None else ProxyAddress.parse(self.proxy.get_secret_value())

    @model_validator(mode="after")
    def _proxy_has_its_own_credentials(self) -> Self:
        if self.proxy is not None and "proxy-authorization" in map(str.lower, self.headers):
            raise ValueError(
                "the site would see a Proxy-Authorization header; take it out and write user and password into proxy"
            )
        return self

    @model_validator(mode="after")
    def _bodies_exclude_each_other(self) -> Self:
        written = [name for name in ("body", "body_json", "body_form") if name in self.model_fields_set]
        if len(written) > 1:
            raise ValueError(f"{' and '.join(written)} exclude each other; keep one")
        if written and self.method in {"GET", "HEAD"}:
            raise ValueError(f"a {self.method} request has no body; set method to POST, or take {written[0]} out")
        return self

    @model_validator(mode="after")
    def _one_way_to_authenticate(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together; write both or none")
        ways = [
            self.username is not None,
            self.bearer_token is not None,
            "authorization" in map(str.lower, self.headers),
        ]
        if sum(ways) > 1:
            raise ValueError("username, bearer_token and an Authorization header exclude each other; keep one")
        return self

    @model_validator(mode="after")
    def _limits_can_be_met(self) -> Self:
        if self.max_response_s is not None and self.max_response_s >= self.timeout_s:
            raise ValueError(
                f"max_response_s ({self.max_response_s:g}) must be below timeout_s ({self.timeout_s:g}): "
                "a slower answer is already a failure"
            )
        if self.client_key_file is not None and self.client_cert_file is None:
            raise ValueError("client_key_file needs client_cert_file; write both")
        if self.method == "HEAD" and (
            self.expect_text or self.forbid_text or self.expect_regex or self.forbid_regex or self.expect_json
        ):
            raise ValueError("a HEAD answer has no body to look into; use GET, or take the body checks out")
        return self
