"""Looks around a failure: two resolvers, every address of the site tried by itself, every chain it shows."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from probes.address_trial import Trial
from probes.environment import ProbeEnvironment, ProbeFailure, Resolver
from probes.evidence_dns import Inquiry, addresses_in
from probes.nameserver import NameServer, ascii_name, is_literal_address, parse_nameserver, system_nameservers
from probes.resolver import AiodnsResolver
from probes.tls_handshake import Trust
from probes.tls_trust import TrustSetting
from sentry.domain.failure_report import AddressTrial, CollectedEvidence, DnsAnswer
from sentry.ports import Clock, Heartbeat

MAX_ADDRESSES = 16
"""Addresses that are tried; a zone may name thousands, and the report is for people."""

RESOLVERS = 2
"""What one resolver says may be its own fault; two tell."""

SHARE = 0.3
"""Share of the deadline for the lookups, for each connection and for each handshake: together less than all of it."""

MAX_STEP_S = 5.0
DEFAULT_PORTS = {"https": 443, "http": 80}
TLS_SCHEMES = frozenset({"https", "tls"})


class _NoHeartbeats:
    """Nothing calls in to a collector."""

    def last(self, check_key: str) -> Heartbeat | None:
        del check_key
        return None

    async def record(self, check_key: str, heartbeat: Heartbeat) -> None:
        """Keeps nothing."""


class Collector:
    """Fills `EvidenceCollector` with real lookups, connections and handshakes."""

    def __init__(
        self,
        clock: Clock,
        resolvers: Sequence[str] = (),
        ca_file: Path | None = None,
        *,
        resolver: Resolver | None = None,
    ) -> None:
        """Prepares the trust; reads files.

        Args:
            clock: times every step.
            resolvers: DNS servers to ask, each `address` or `address:port`; the system's fill up to two.
            ca_file: further trusted roots beside the system's, PEM.
            resolver: the probes' own; its addresses are tried too, for names of the hosts file and for a view that
                differs from what the servers say.

        Raises:
            ValueError: a DNS server is not written as an address.
            ConfigurationError: the file of roots cannot be used.
        """
        self._servers = nameservers(resolvers)
        self._trust = Trust.prepare(TrustSetting(ca_file=ca_file), owner="evidence")
        self._environment = ProbeEnvironment(
            clock=clock, resolver=resolver or AiodnsResolver(clock), heartbeats=_NoHeartbeats(), ca_file=ca_file
        )

    async def collect(self, url: str, deadline_s: float) -> CollectedEvidence:
        """Gathers within the deadline; what was not reached is named in `missing`. Never raises for a dead site.

        Args:
            url: of the site or of a port (`tcp://`, `tls://`); its host, port and scheme decide what is tried. Where
                it names no port (`icmp://`, `dns://`) only the name is looked up.
            deadline_s: over all of it, seconds.
        """
        round_ = _Round(self._environment, self._servers, self._trust, min(MAX_STEP_S, SHARE * deadline_s))
        try:
            async with asyncio.timeout(deadline_s):
                await round_.gather(url)
        except TimeoutError:
            pass  # what was under way is named in `missing`
        return round_.evidence()


def nameservers(named: Sequence[str]) -> tuple[NameServer, ...]:
    """Returns whom to ask: those named, and where these are fewer than two, the system's first before them."""
    servers = [parse_nameserver(text) for text in named]
    if len(servers) < RESOLVERS:
        system = system_nameservers()
        servers = [*system[:1], *servers, *system[1:]][: max(RESOLVERS, len(servers))]
    return tuple(dict.fromkeys(servers))


@dataclass(slots=True)
class _Round:
    """One collection: what it has, and what is still under way.

    Attributes:
        step_s: how long each lookup, connection and handshake may take, seconds.
        open: what was begun and has not ended, by its name in `missing`.
    """

    environment: ProbeEnvironment
    servers: Sequence[NameServer]
    trust: Trust
    step_s: float
    answers: list[DnsAnswer] = field(default_factory=list)
    trials: dict[str, AddressTrial] = field(default_factory=dict)
    open: dict[str, None] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    over_the_limit: set[str] = field(default_factory=set)

    def evidence(self) -> CollectedEvidence:
        """Returns what there is."""
        missing = [*self.left_out, *self.open]
        if self.over_the_limit:
            missing.append(f"{len(self.over_the_limit)} further addresses")
        return CollectedEvidence(
            collected_at=self.environment.clock.now(),
            dns=tuple(sorted(self.answers, key=lambda answer: (answer.resolver, answer.record_type))),
            addresses=tuple(sorted(self.trials.values(), key=lambda trial: (":" in trial.address, trial.address))),
            complete=not missing,
            missing=tuple(missing),
        )

    async def gather(self, url: str) -> None:
        """Begins everything at once; addresses are tried as soon as any resolver names them."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            host, port, parts = "", 0, SplitResult("", "", "", "", "")
        if not host:
            self.left_out.append("everything: the url names no host")
            return
        async with asyncio.TaskGroup() as group:
            site = _Site(host, port, parts.scheme in TLS_SCHEMES, group)
            if is_literal_address(host):
                self._try(site, host)
            else:
                self._look_up(site)

    def _look_up(self, site: "_Site") -> None:
        try:
            name = ascii_name(site.host)
        except ProbeFailure as failure:
            self.left_out.append(f"DNS: {failure.detail}")
            return
        for server in self.servers:
            inquiry = Inquiry(server, self.environment.clock, self.step_s)
            for record_type in ("A", "AAAA"):
                work = partial(self._ask, site, inquiry, name, record_type)
                self._begin(site, f"DNS {record_type} from {server}", work)
        if self.servers:
            inquiry = Inquiry(self.servers[0], self.environment.clock, self.step_s / 2)
            self._begin(site, f"DNS NS from {self.servers[0]}", partial(self._ask_zone, inquiry, name))
        self._begin(site, "DNS from the agent's own resolver", partial(self._ask_own, site, name))

    async def _ask(self, site: "_Site", inquiry: Inquiry, name: str, record_type: str) -> None:
        answers = await inquiry.addresses(name, record_type)
        known = {(answer.resolver, answer.record_type) for answer in self.answers}
        self.answers += [answer for answer in answers if (answer.resolver, answer.record_type) not in known]
        for address in addresses_in(answers):
            self._try(site, address)

    async def _ask_zone(self, inquiry: Inquiry, name: str) -> None:
        answer = await inquiry.zone_servers(name)
        if answer is not None:
            self.answers.append(answer)

    async def _ask_own(self, site: "_Site", name: str) -> None:
        """Tries what the probes see; that no address comes is said by the probe that failed."""
        try:
            async with asyncio.timeout(self.step_s):
                addresses = await self.environment.resolver.addresses(name)
        except (ProbeFailure, TimeoutError):
            return
        for address in addresses:
            self._try(site, address)

    def _try(self, site: "_Site", address: str) -> None:
        if address in site.tried or not site.port:
            return
        if len(site.tried) >= MAX_ADDRESSES:
            self.over_the_limit.add(address)
            return
        site.tried.add(address)
        trial = Trial(self.environment, address, site.port, self.step_s)
        trust = self.trust if site.speaks_tls else None
        self._begin(site, f"address {trial.address}", partial(self._finish, trial, site.host, trust))

    async def _finish(self, trial: Trial, server_name: str, trust: Trust | None) -> None:
        try:
            await trial.run(server_name, trust)
        finally:  # also when the deadline cuts it: that it connected is worth knowing
            if trial.has_news:
                self.trials[trial.address] = trial.outcome()

    def _begin(self, site: "_Site", name: str, work: Callable[[], Awaitable[None]]) -> None:
        self.open[name] = None
        site.group.create_task(self._end(name, work))

    async def _end(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  # a fault of ours in one part must not cost the others
            self.left_out.append(f"{name}: {type(error).__name__}")
        del self.open[name]


@dataclass(slots=True)
class _Site:
    """What is looked at, and the tasks that look."""

    host: str
    port: int
    speaks_tls: bool
    group: asyncio.TaskGroup
    tried: set[str] = field(default_factory=set)
