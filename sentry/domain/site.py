"""What is watched and for whom: agency, clients, plans, sites and their checks, as the configuration gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, AnyHttpUrl, Field, SerializeAsAny, model_validator

from sentry.domain.access import Access
from sentry.domain.audit_policy import AuditPolicy, SiteAudit
from sentry.domain.failure_report import Attribution
from sentry.domain.model import StrictModel
from sentry.domain.request_budget import RequestBudget
from sentry.domain.severity import Severity
from sentry.domain.shop import Shop
from sentry.domain.weight import CountsAs, Weight

Key = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$",
        description="A short name: lower-case letters, digits, '.', '_' and '-', at most 63 characters.",
    ),
]


def _known_zone(name: str) -> str:
    known = available_timezones()
    if name not in known:
        close = get_close_matches(name, known, n=1)
        advice = f"did you mean '{close[0]}'?" if close else "write one like Europe/Madrid or America/Bogota"
        raise ValueError(f"'{name}' is no IANA time zone; {advice}")
    return name


Dependency = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}(/[a-z0-9][a-z0-9_.-]{0,62})?$")]
"""A site's key, or a check's: `site/check`."""

ZoneName = Annotated[str, AfterValidator(_known_zone), Field(description="IANA time zone, e.g. Europe/Madrid.")]


class Language(StrEnum):
    """The languages that alerts, failure reports and client reports are written in."""

    EN = "en"
    ES = "es"


class Weekday(StrEnum):
    """Days of the week as the configuration names them."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Agency(StrictModel):
    """Who keeps the promises."""

    name: str = Field("Online Sentry", description="As pages, alerts and reports call it.")
    language: Language = Field(Language.EN, description="Language of all that says nothing else: en or es.")
    time_zone: ZoneName = Field(
        "UTC", description="IANA time zone of all that says nothing else, e.g. Europe/Madrid."
    )


def _excludable(side: Attribution) -> Attribution:
    if side in {Attribution.INFRASTRUCTURE, Attribution.UNKNOWN}:
        raise ValueError(
            f"minutes of '{side}' cannot be left out of a promise: name client, third_party or site, whose minutes "
            "somebody else answers for"
        )
    return side


def _zero_or_more_than_one(factor: float) -> float:
    if 0 < factor < LEAST_SLOW_FACTOR:
        raise ValueError(f"write 0 (never slow) or a factor from {LEAST_SLOW_FACTOR} on; 3 is usual")
    return factor


LEAST_SLOW_FACTOR = 1.2
SlowFactor = Annotated[float, Field(ge=0, le=100), AfterValidator(_zero_or_more_than_one)]


class Plan(StrictModel):
    """What was sold: figures of the contract and how an outage is confirmed."""

    uptime_target: float = Field(99.7, gt=0, lt=100, description="Promised availability of a month, percent.")
    interval_s: int = Field(60, ge=1, le=86_400, description="Seconds from one probe of a check to the next.")
    recheck_after_s: tuple[float, ...] = Field(
        (10, 20),
        description="Seconds after the first failure (or first success of a recovery) at which it is re-checked.",
        max_length=5,
    )
    degraded_after_s: int = Field(
        300,
        ge=0,
        le=86_400,
        description="Seconds that a site answers, but slowly or not as it should, before somebody is told; and that "
        "it must be well before that is over.",
    )
    expiry_warning_days: tuple[Annotated[int, Field(ge=1, le=398)], ...] = Field(
        (30, 14, 7, 1),
        description="Days before a certificate or a domain ends at which somebody is told; empty: never.",
        max_length=10,
    )
    revoked_certificate: Literal["down", "degraded", "ignore"] = Field(
        "down", description="What a check is whose certificate was revoked by the authority that issued it."
    )
    dead_address: Literal["degraded", "down", "ignore"] = Field(
        "degraded",
        description="What a check is while some addresses of its name take no connection and another one does.",
    )
    slow_factor: SlowFactor = Field(
        3,
        description="How many times the median of its hour of the week an answer may take before it is slow; learnt "
        "from four weeks, said after two. 0: never.",
    )
    slow_counts_as: CountsAs = Field(
        CountsAs.DEGRADED, description="What a slow answer counts as, also above a check's max_response_s."
    )
    request_budget: RequestBudget = Field(
        RequestBudget(), description="What the watch may ask of a site in a local day."
    )
    weak_certificate: Literal["warn", "down"] = Field(
        "warn",
        description="What follows from a weak key or signature in a chain that the machine's TLS library lets pass.",
    )
    audit: AuditPolicy = Field(AuditPolicy(), description="When sites are audited for security.")
    update_weekday: Weekday = Field(Weekday.TUESDAY, description="The day of the weekly update.")
    maintenance_notice_h: float = Field(
        48,
        ge=0,
        le=8_784,
        description="Hours before its begin at which planned maintenance must have been announced, to be left out of "
        "the account.",
    )
    excluded_attributions: tuple[Annotated[Attribution, AfterValidator(_excludable)], ...] = Field(
        (Attribution.CLIENT, Attribution.THIRD_PARTY),
        description="Whose down minutes the contract leaves out: client, third_party, site. Whatever nobody has "
        "classified counts.",
    )
    time_zone: ZoneName | None = Field(None, description="Zone of the contract's months; the client's when absent.")
    language: Language | None = Field(None, description="Language of reports; the client's when absent.")


class Client(StrictModel):
    """Who the site belongs to and who reads its report."""

    name: str = Field(description="As reports call it.")
    language: Language | None = Field(None, description="The agency's when absent.")
    time_zone: ZoneName | None = Field(None, description="The agency's when absent.")
    contacts: tuple[str, ...] = Field((), description="Mail addresses of those who read the report.")


class CheckOptions(StrictModel):
    """What every kind of check has. Each probe kind extends this with its own keys."""

    rechecked: ClassVar[bool] = True
    """Whether a failure is looked at again before it counts; false where a second look can see nothing new."""

    asks_site: ClassVar[bool] = True
    """Whether a probe sends anything to the site; false where the site calls us."""

    kind: str = Field(description="What is probed, and how.")
    name: Key | None = Field(None, description="Name of the check within its site; its kind when absent.")
    interval_s: int | None = Field(None, ge=1, le=86_400, description="The plan's when absent.")
    timeout_s: float = Field(10, gt=0, le=300, description="Deadline over all phases, seconds.")
    depends_on: tuple[Dependency, ...] = Field(
        (),
        max_length=50,
        description="What this check cannot do without, beside what its site depends on: keys of sites or checks "
        "(`site/check`).",
    )
    slow_factor: SlowFactor | None = Field(None, description="The plan's when absent; 0: no answer is slow.")
    weight: Weight = Field(
        Weight.DECIDES,
        description="What the site is while this check is down: down (decides), degraded (degrades), or as before "
        "(observed: alerted only).",
    )
    counts: bool = Field(default=True, description="Short for weight; false is `weight: observed`.")
    severity: Severity | None = Field(
        None,
        description="How bad it is when this check is down; when absent, SEV1 where it decides, SEV2 where it "
        "degrades, SEV3 where it is observed.",
    )

    @model_validator(mode="after")
    def _weight_and_counts_agree(self) -> Self:
        """Gives the one of the two that is absent what the other says."""
        if "weight" not in self.model_fields_set and not self.counts:
            self.__dict__["weight"] = Weight.OBSERVED
        elif "counts" not in self.model_fields_set:
            self.__dict__["counts"] = self.weight is not Weight.OBSERVED
        if self.counts is (self.weight is Weight.OBSERVED):
            counts = str(self.counts).lower()
            raise ValueError(f"weight: {self.weight.value} and counts: {counts} contradict each other; keep weight")
        return self

    def watched_url(self, site_url: str) -> str:
        """Returns the address that this check looks at, for its failure report; the site's where no kind differs."""
        return site_url


class Host(StrictModel):
    """A server of the agency that sites stand on."""

    address: str = Field(description="Name or address of the server.")
    max_concurrent_probes: int = Field(8, ge=1, description="Probes of this host that may run at once.")


def _without_user(url: AnyHttpUrl) -> AnyHttpUrl:
    if url.username is not None or url.password is not None:
        raise ValueError(
            "a site's address is shown on pages, metrics and reports, so it cannot hold a user or password; "
            "write them into the http check as 'username' and 'password'"
        )
    return url


class Site(StrictModel):
    """A web site under watch."""

    key: Key = Field(
        description="Short and lasting: history belongs to it. Lower-case letters, digits, '.', '_' and '-'."
    )
    client: Key = Field("default", description="One of `clients`; `defaults.client` when absent.")
    plan: Key = Field("default", description="One of `plans`; `defaults.plan` when absent.")
    url: Annotated[AnyHttpUrl, AfterValidator(_without_user)] = Field(
        description="The address watched, http or https, without user and password."
    )
    name: str | None = Field(None, description="As reports call it; the host name when absent.")
    host: Key | None = Field(None, description="The server it stands on, one of `hosts`.")
    depends_on: tuple[Dependency, ...] = Field(
        (),
        max_length=50,
        description="What the site cannot do without: keys of other sites, or of checks (`site/check`). While one is "
        "down, nobody is alerted of this site and no ticket is filed; it is probed and counted as ever.",
    )
    hosted: bool = Field(
        default=True,
        description="Whether it stands on our own infrastructure; false: it is watched, but no availability is "
        "promised.",
    )
    domain: str | None = Field(
        None,
        pattern=r"^[^\s/@:.]+(\.[^\s/@:.]+)+$",
        max_length=253,
        description="The registered domain, e.g. example.com; found out from the host of the url when absent.",
    )
    domain_expires_on: date | None = Field(
        None, description="Day on which the domain ends, for registries that do not tell, e.g. that of .es."
    )
    dns_expect: Mapping[Literal["NS", "MX", "CAA"], tuple[str, ...]] = Field(
        {},
        description="Records that the domain must have, all of a type: `NS: [ns1.example.com, ns2.example.com]`. "
        "Changes of other types are told too.",
    )
    contract_start: date | None = Field(None, description="First day that counts; the day first seen when absent.")
    request_budget: RequestBudget | None = Field(
        None, description="What the watch may ask of this site in a local day; each key the plan's when absent."
    )
    access: Access | None = Field(
        None, description="Where its files are and how they are reached, for security audits: docs/access.md."
    )
    audit: SiteAudit | None = Field(
        None, description="How this site is audited for security; each key the plan's when absent."
    )
    shop: Shop | None = Field(None, description="The pages by which a shop lives; each becomes a check.")
    checks: tuple[SerializeAsAny[CheckOptions], ...] = Field(min_length=1, description="What is probed.")


@dataclass(frozen=True, slots=True)
class Check:
    """One probe of a site, with what it inherits from site, client and plan already resolved.

    Attributes:
        key: `site/name`; it fixes the phase of the check within its interval and never changes.
        host: key of the server it stands on, empty where none is named.
        depends_on: keys of the sites and checks that it cannot do without.
        host_group: probes of one group share a cap on how many run at once.
    """

    key: str
    site_key: str
    client_key: str
    plan_key: str
    url: str
    interval_s: int
    options: CheckOptions
    plan: Plan
    time_zone: ZoneInfo
    language: Language
    host_group: str
    host_cap: int
    host: str = ""
    depends_on: tuple[str, ...] = ()

    @property
    def watched_url(self) -> str:
        """What is looked at: the site's address, or the port, page or name that the check has of its own."""
        return self.options.watched_url(self.url)

    @property
    def kind(self) -> str:
        """The probe kind, a key of `probes.KINDS`."""
        return self.options.kind

    @property
    def recheck_after_s(self) -> tuple[float, ...]:
        """Seconds after a first contrary result at which it is looked at again before it is believed."""
        return self.plan.recheck_after_s if self.options.rechecked else ()

    @property
    def slow_factor(self) -> float:
        """How many times the usual time is slow; 0: none is."""
        own = self.options.slow_factor
        return self.plan.slow_factor if own is None else own

    @property
    def name(self) -> str:
        """The part of the key after the site."""
        return self.key.partition("/")[2]
