"""The sections of the configuration that belong to the agent itself; those of the business stand in the domain."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, SecretStr, model_validator

from sentry.domain.anchor import parse_anchor
from sentry.domain.audit_visits import AuditVisits
from sentry.domain.model import StrictModel
from sentry.domain.rule_folder import RuleFolder
from sentry.domain.site import Key
from sentry.domain.vulnerability_feed import VulnerabilityFeed

DATABASES = ("sqlite", "postgresql", "postgres")
MAX_PORT = 65_535
MIN_TOKEN_CHARACTERS = 16
DNS_PORT = 53
MAX_WORKERS = 64
PUBLIC_KEY = re.compile(r"ed25519:[A-Za-z0-9+/]{43}=")


def split_address(text: str, default_port: int | None = None) -> tuple[str, int]:
    """Returns host and port of `127.0.0.1:9117`, `[::1]:9117`, `:9117` or, with a default port, a bare address.

    Raises:
        ValueError: there is no valid port.
    """
    advice = "write host:port, e.g. 127.0.0.1:9117 or [::1]:9117"
    if default_port is not None and (":" not in text or text.count(":") > 1) and not text.startswith("["):
        return text, default_port
    host, colon, port = text.rpartition(":")
    if text.endswith("]") and default_port is not None:
        host, colon, port = text, ":", str(default_port)
    if not colon or not port.isascii() or not port.isdigit() or int(port) > MAX_PORT:
        raise ValueError(f"no valid port; {advice}")
    if (":" in host) != (host.startswith("[") and host.endswith("]")):
        raise ValueError(f"an IPv6 address needs brackets; {advice}")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, told from its spelling; nothing is looked up."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _listen(text: str) -> str:
    split_address(text)
    return text


def _store(text: str) -> str:
    scheme = urlsplit(text).scheme.partition("+")[0]
    if scheme not in DATABASES:
        raise ValueError("write sqlite:///sentry.db, or postgresql://user@host/database with the password in ${NAME}")
    return text


def _resolver(text: str) -> str:
    host, _ = split_address(text, DNS_PORT)
    try:
        ip_address(host)
    except ValueError:
        raise ValueError("a name server is given by its address, e.g. 192.0.2.53 or [2001:db8::53]:53") from None
    return text


def _anchor(text: str) -> str:
    parse_anchor(text)
    return text


def _two_networks(anchors: tuple[str, ...]) -> tuple[str, ...]:
    networks = {parse_anchor(text).network for text in anchors}
    if len(networks) == 1:
        raise ValueError(
            f"every anchor stands in {networks.pop()}, and would fall silent with it; name one of another network"
        )
    return anchors


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Web(StrictModel):
    """The agent's own pages, metrics and interface."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        "127.0.0.1:9117", description="Address and port to listen on; an empty host means every address."
    )
    base_url: AnyHttpUrl | None = Field(
        None, description="How people reach the pages, for links in alerts; from `listen` when absent."
    )
    token: SecretStr | None = Field(
        None,
        min_length=8,
        description="Secret that callers send as `Authorization: Bearer …`; use ${NAME}. Open when absent.",
    )
    token_file: Path | None = Field(None, description="A file that holds the token; instead of `token`.")

    @model_validator(mode="after")
    def _token_where_needed(self) -> Self:
        if self.token is not None and self.token_file is not None:
            raise ValueError("token and token_file exclude each other; keep one")
        if self.token is None and self.token_file is None and not is_loopback(self.address[0]):
            raise ValueError(
                f"'{self.listen}' can be reached from other machines; set token or token_file, or listen on 127.0.0.1"
            )
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host (empty: every address) and port to listen on."""
        return split_address(self.listen)

    @property
    def link_root(self) -> str:
        """What links in alerts begin with, without a slash at the end."""
        if self.base_url is not None:
            return str(self.base_url).rstrip("/")
        host, port = self.address
        host = host if host not in {"", "0.0.0.0", "::"} else "127.0.0.1"
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Probing(StrictModel):
    """How the agent probes, for every site."""

    user_agent: str = Field(
        "online-sentry", min_length=1, max_length=200, description="What HTTP probes call themselves."
    )
    ca_file: Path | None = Field(
        None, description="PEM file with further trusted authorities, beside those of the system."
    )
    max_concurrent: int = Field(200, ge=1, le=10_000, description="Probes that may run at once, over all hosts.")
    workers: int = Field(
        1,
        ge=1,
        le=MAX_WORKERS,
        description="Processes that share the probes out; 1: the agent probes by itself. `run --workers` goes first.",
    )
    max_concurrent_per_host: int = Field(
        8, ge=1, le=1_000, description="Probes that may run at once against one host that is not in `hosts`."
    )
    resolvers: Annotated[
        tuple[Annotated[str, AfterValidator(_resolver)], ...],
        BeforeValidator(_one_or_more, json_schema_input_type=str | list[str]),
    ] = Field(
        (),
        max_length=8,
        description="Name servers, `address` or `address:port`; those of /etc/resolv.conf when empty.",
    )
    anchors: Annotated[
        tuple[Annotated[str, AfterValidator(_anchor)], ...],
        BeforeValidator(_one_or_more, json_schema_input_type=str | list[str]),
        AfterValidator(_two_networks),
    ] = Field(
        (),
        max_length=8,
        description="Addresses that always answer, on two networks at least: `192.0.2.1:443`, `icmp:192.0.2.1` or "
        "`https://192.0.2.1/`. Asked after a failure whether the agent's own network works; nobody is when empty.",
    )
    examine_every_s: float = Field(
        60,
        ge=0.5,
        le=3_600,
        description="Seconds from one look of the agent at its anchors, resolvers and gateway to the next while "
        "nothing fails; after a failure it looks at once.",
    )
    tls_library: Literal["ssl", "rtls"] = Field(
        "ssl",
        description="Does the TLS handshakes whose chain was verified before: Python's own `ssl`, or rustls as "
        "`rtls`, which costs less and is installed as `online-sentry[rtls]`. `ssl` verifies first and judges every "
        "failure.",
    )
    verified_chain_cache_s: float = Field(
        0,
        ge=0,
        le=86_400,
        description="Seconds for which a chain that was verified in full need only be shown again, with its key; "
        "then it is verified anew. 0: `ssl` verifies in full each time, `rtls` is given an hour.",
    )


class TicketWebhook(StrictModel):
    """A help desk elsewhere that gets a signed copy of each ticket entry."""

    url: AnyHttpUrl = Field(description="Gets a JSON document by POST for each entry.")
    secret: SecretStr = Field(min_length=8, description="Key of the HMAC-SHA256 signature; use ${NAME}.")
    timeout_s: float = Field(10, gt=0, le=60, description="Seconds to wait for the help desk's answer.")


class Tickets(StrictModel):
    """Where tickets go beside the agent's own store."""

    mirrors: tuple[TicketWebhook, ...] = Field((), max_length=10, description="Help desks that get a copy.")


class Lookups(StrictModel):
    """What the agent asks of authorities and registries about certificates and domains."""

    revocation: bool = Field(
        default=True, description="Whether the authorities of certificates are asked if they were revoked."
    )
    domains: bool = Field(
        default=True, description="Whether registries are asked when domains end, and name servers what has changed."
    )
    rdap_bootstrap: AnyHttpUrl = Field(
        AnyHttpUrl("https://data.iana.org/rdap/dns.json"),
        description="IANA's list of the registries that answer by RDAP, or a copy of it.",
    )
    whois_server: str = Field(
        "whois.iana.org",
        pattern=r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$",
        description="The WHOIS server that knows those of the registries; a port only with `private_addresses`.",
    )
    private_addresses: bool = Field(
        default=False,
        description="Whether an authority or a registry may stand at an address that is not public; for an authority "
        "of your own.",
    )


def _public_key(text: str) -> str:
    if not PUBLIC_KEY.fullmatch(text):
        raise ValueError("a public key is `ed25519:` and 44 characters, as `online-sentry pack key` prints it")
    return text


class Audits(StrictModel):
    """The security audits of all sites."""

    at_once: int = Field(
        2, ge=1, le=64, description="Audits that may run at once, over all hosts; one at a time on each host."
    )
    feeds: tuple[VulnerabilityFeed, ...] = Field(
        (),
        max_length=20,
        description="Where known holes in core, plugins, themes and packages are looked up. Without any, and where "
        "one is missing, damaged or too old, an audit says that they are unknown.",
    )
    visits: AuditVisits = Field(AuditVisits(), description="What an audit may ask of a site over the web.")
    rules_dirs: tuple[RuleFolder, ...] = Field(
        (),
        max_length=20,
        description="Folders with further rules of YARA; their author and licence are shown with each hit.",
    )
    cache_folder: str = Field(
        "audit-cache",
        min_length=1,
        description="Where audits keep indexes and copies of feeds; from the folder of the main file when relative.",
    )
    packs_dirs: tuple[Path, ...] = Field(
        (),
        max_length=50,
        description="Folders with packs of known files, made by `pack build`; the folder `packs` beside this file, "
        "where there is one, when empty.",
    )
    trusted_keys: tuple[Annotated[str, AfterValidator(_public_key)], ...] = Field(
        (), max_length=50, description="Public keys whose packs are believed, as `pack key` prints them."
    )
    unsigned_packs: bool = Field(
        default=False,
        description="Whether packs that nobody signed are believed too; whoever can write into their folders then "
        "decides what is known.",
    )


class Defaults(StrictModel):
    """What a site gets that does not say otherwise."""

    client: Key | None = Field(
        None, description="Client of sites that name none; the only one where there is only one, else the agency."
    )
    plan: Key | None = Field(
        None, description="Plan of sites that name none; the only one where there is only one, else one of 99.7 %."
    )


StoreAddress = Annotated[str, AfterValidator(_store)]
