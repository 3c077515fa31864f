"""The registration of a domain: whose sites stand on it, when it ends, and who says so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cached_property
from ipaddress import ip_address
from typing import Any

MIN_LABELS = 2
MAX_LABELS = 4
"""Registries sell names of two labels, some of three (`shop.co.uk`) and few of four."""


@dataclass(frozen=True)
class SiteDomain:
    """What the watch over domains needs to know of a site.

    Attributes:
        host: of its address.
        domain: as it was configured, None where the registries shall tell it from the host.
        expires_on: as it was configured, for registries that say nothing.
        thresholds: days before the end at which somebody is told.
        expected: record type → all records that must stand there, as they were configured.
    """

    site_key: str
    client_key: str
    host: str
    domain: str | None = None
    expires_on: date | None = None
    thresholds: Sequence[int] = ()
    expected: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def candidates(self) -> tuple[str, ...]:
        """The names that may be the registered one; empty where the host is an address or has one label."""
        return (self.domain,) if self.domain is not None else tuple(registrable(self.host))


@dataclass(frozen=True, slots=True)
class Registration:
    """What is known of a registration.

    Attributes:
        domain: the registered name.
        expires_at: None where nobody says.
        source: who says so: a host, or `configuration`.
        why: what stood in the way of an answer.
    """

    domain: str
    expires_at: datetime | None = None
    source: str = ""
    why: str = ""

    def or_by_hand(self, expires_on: date | None) -> "Registration":
        """Returns it with the date of the configuration where no registry gave one."""
        if self.expires_at is not None or expires_on is None:
            return self
        return Registration(self.domain, datetime.combine(expires_on, time(), UTC), "configuration", self.why)

    def facts(self) -> dict[str, Any]:
        """Returns it as JSON values."""
        ends = None if self.expires_at is None else self.expires_at.isoformat()
        return {"domain": self.domain, "expires_at": ends, "source": self.source, "why": self.why}

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> "Registration":
        """Returns what `facts` returned the facts of."""
        ends = facts["expires_at"]
        at = None if ends is None else datetime.fromisoformat(ends)
        return cls(facts["domain"], at, facts["source"], facts["why"])


def registrable(host: str) -> Iterator[str]:
    """Yields the names above a host that may be the registered one, the shortest first.

    Which of them is registered only the registries know: there is no rule for `co.uk`, and a list of such names is
    out of date as soon as it is written.
    """
    name = host.rstrip(".").lower()
    labels = name.split(".")
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        for count in range(MIN_LABELS, min(len(labels), MAX_LABELS) + 1):
            yield ".".join(labels[-count:])
