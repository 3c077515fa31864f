"""Which sites fail together, and by what: a server, an address, a certificate, a zone or name resolution itself.

A trait is something that several sites have in common. It is believed to be what failed when enough of the sites that
have it fail and nearly none of them answers; what could still turn out either way is worth a short wait.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from sentry.domain.attribution import DNS_REASONS
from sentry.domain.result import Evidence, ProbeResult, Reason
from sentry.domain.site import Check

TOGETHER = timedelta(minutes=5)
"""Failures that began further apart than this are problems of their own, whatever they share."""

TOLERATED = 10
"""One site in so many may answer (by another address, from a cache) while the rest of a server is dead."""

ABOUT_NAMES = "dns"
"""The kind of checks that talk to name servers and not to the site's own."""

FEWEST_MEMBERS = 2
"""A group of one is no group: its others have recovered before they were confirmed."""


class TraitKind(StrEnum):
    """What sites may have in common, the likelier cause first where several explain as much."""

    HOST = "host"
    ADDRESS = "address"
    CERTIFICATE = "certificate"
    ZONE = "zone"
    RESOLUTION = "resolution"


_RANKS = {kind: rank for rank, kind in enumerate(TraitKind)}


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing that sites may have in common.

    Attributes:
        value: the key of a host, an address, a fingerprint, a zone; empty for name resolution.
    """

    kind: TraitKind
    value: str

    @property
    def key(self) -> str:
        """What makes the incident of a group the same one."""
        return f"group:{self.kind}:{self.value}"


def failing_traits(check: Check, failed: ProbeResult, good: ProbeResult | None) -> frozenset[Trait]:
    """Returns what a failure may be due to that other sites have as well.

    Args:
        check: the check that failed.
        failed: the first failed probe.
        good: the last good one before it; says where the site stood where the failed probe did not get so far.
    """
    if failed.reason in DNS_REASONS or check.kind == ABOUT_NAMES:
        return _traits_of_name(check.watched_url)
    traits = _traits_of_place(check, failed.evidence if failed.evidence.address or good is None else good.evidence)
    if failed.reason in _CERTIFICATE_REASONS:
        traits |= _traits_of_certificate(failed.evidence)
    return traits


def standing_traits(check: Check, good: ProbeResult) -> frozenset[Trait]:
    """Returns everything that a check which answers has in common with others."""
    if check.kind == ABOUT_NAMES:
        return _traits_of_name(check.watched_url)
    return (
        _traits_of_place(check, good.evidence)
        | _traits_of_certificate(good.evidence)
        | _traits_of_name(check.watched_url)
    )


class Wanted:
    """Tells in a fraction of a microsecond which checks cannot have any of some traits: of ten thousand, nearly all.

    Args:
        traits: that are looked for.
    """

    def __init__(self, traits: Collection[Trait]) -> None:
        values: dict[TraitKind, set[str]] = {kind: set() for kind in TraitKind}
        for trait in traits:
            values[trait.kind].add(trait.value)
        self._by_name = bool(values[TraitKind.ZONE] or values[TraitKind.RESOLUTION])
        self._hosts, self._certificates = values[TraitKind.HOST], values[TraitKind.CERTIFICATE]
        self._addresses = tuple(f"{start}{address}" for address in values[TraitKind.ADDRESS] for start in ("", "["))

    def may_be_of(self, check: Check, good: ProbeResult | None) -> bool:
        """Returns whether a check that answers may have one of them."""
        if self._by_name or (self._hosts and check.host in self._hosts):
            return True
        if good is None:
            return False
        if self._addresses and (good.evidence.address or "").startswith(self._addresses):
            return True
        tls = good.evidence.tls
        return bool(
            self._certificates and tls and tls.chain and tls.chain[0].fingerprint_sha256 in self._certificates
        )


_CERTIFICATE_REASONS = frozenset(reason for reason in Reason if reason.value.startswith("tls_")) - {
    Reason.TLS_TIMEOUT,
    Reason.TLS_HANDSHAKE,
}


def _traits_of_place(check: Check, evidence: Evidence) -> frozenset[Trait]:
    server = server_of(evidence.address or "")
    traits = ((TraitKind.HOST, check.host), (TraitKind.ADDRESS, server))
    return frozenset(Trait(kind, value) for kind, value in traits if value)


def _traits_of_certificate(evidence: Evidence) -> frozenset[Trait]:
    chain = evidence.tls.chain if evidence.tls else ()
    return frozenset({Trait(TraitKind.CERTIFICATE, chain[0].fingerprint_sha256)} if chain else ())


def _traits_of_name(url: str) -> frozenset[Trait]:
    """The zone is the last two labels: coarse where names are sold below `co.uk`, but sound neighbours refute it."""
    host = urlsplit(url).hostname or ""
    labels = host.rstrip(".").split(".")
    if ":" in host or labels[-1].isdigit() or len(labels) == 1:
        return frozenset()
    return frozenset({Trait(TraitKind.ZONE, ".".join(labels[-2:])), Trait(TraitKind.RESOLUTION, "")})


def site_of(key: str) -> str:
    """Returns the site that a key of a site or of one of its checks names."""
    return key.partition("/")[0]


def server_of(address: str) -> str:
    """Returns the address of a server without its port.

    On a loopback address every port may be a tunnel to another machine, so there the port belongs to it.
    """
    bare = address
    if address.startswith("["):
        bare = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        bare = address.partition(":")[0]
    return address if bare.startswith("127.") or bare == "::1" else bare


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is known of one check.

    Attributes:
        failed_at: slot of the first probe of its newest failure, confirmed or not, over or not; None: none lately.
        answered_at: slot of the newest probe that answered.
        bad_at: slot of the newest probe that failed, as far as it is known.
        fails: whether it fails now, confirmed or not.
    """

    site_key: str
    traits: frozenset[Trait]
    failed_at: datetime | None = None
    answered_at: datetime | None = None
    bad_at: datetime | None = None
    fails: bool = False

    def fails_together(self, since: datetime) -> bool:
        """Returns whether it failed in the same while, also where it has recovered since."""
        if self.failed_at is None or self.failed_at < since - TOGETHER:
            return False
        return self.failed_at >= since or self.answered_at is None or self.answered_at < since

    def answers(self, since: datetime, until: datetime) -> bool:
        """Returns whether it was seen to answer between two instants."""
        return self.answered_at is not None and since < self.answered_at <= until


@dataclass(slots=True)
class Tally:
    """How the sites that have one trait fared, each site in one of the sets."""

    failing: set[str] = field(default_factory=set)
    answering: set[str] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)

    def is_believed(self, fewest: int) -> bool:
        """Returns whether what they share is what failed.

        Args:
            fewest: fewer sites than this are never a group.
        """
        return len(self.failing) >= fewest and len(self.answering) * TOLERATED <= len(self.failing)

    def may_be_believed(self, fewest: int) -> bool:
        """Returns whether that is so, or may still turn out to be: another one fails, and the rest was not seen."""
        possible = len(self.failing) + len(self.unseen)
        enough = len(self.failing) >= FEWEST_MEMBERS and possible >= fewest
        return enough and len(self.answering) * TOLERATED <= possible


def count(sightings: Iterable[Sighting], since: datetime, *, lasting: bool = False) -> Tally:
    """Counts how the sites that have one trait fared since it may be at fault.

    An answer speaks against the trait only while others still fail: after that, it may be mended.

    Args:
        sightings: of the checks that have it; a site fails if any of its checks does.
        since: when the first of them failed.
        lasting: whether only what still fails is failing, whenever that began.
    """
    failing: list[Sighting] = []
    others: list[Sighting] = []
    for one in sightings:
        (failing if (one.fails if lasting else one.fails_together(since)) else others).append(one)
    until = max((at for one in failing for at in (one.failed_at, one.bad_at) if at is not None), default=since)
    tally = Tally({one.site_key for one in failing})
    for one in others:
        (tally.answering if one.answers(since, until) else tally.unseen).add(one.site_key)
    tally.answering -= tally.failing
    tally.unseen -= tally.failing | tally.answering
    return tally


@dataclass(frozen=True, slots=True)
class Group:
    """Sites that fail by one trait."""

    trait: Trait
    sites: frozenset[str]


def groups(counted: Mapping[Trait, Tally], fewest: int) -> list[Group]:
    """Returns the groups that explain the most, each site in one of them, the largest first.

    Args:
        counted: how the sites of each trait fared.
        fewest: fewer sites than this are never a group.
    """
    believed = {trait: set(tally.failing) for trait, tally in counted.items() if tally.is_believed(fewest)}
    found: list[Group] = []
    while believed:
        trait = min(believed, key=lambda one: (-len(believed[one]), _RANKS[one.kind], one.value))
        sites = believed.pop(trait)
        if len(sites) < fewest:
            break
        found.append(Group(trait, frozenset(sites)))
        for others in believed.values():
            others.difference_update(sites)
    return found


def undecided(counted: Mapping[Trait, Tally], traits: Collection[Trait], fewest: int) -> bool:
    """Returns whether one of a failure's traits may still turn out to be what failed."""
    return any(trait in counted and counted[trait].may_be_believed(fewest) for trait in traits)
