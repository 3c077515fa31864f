"""Revocation from a real TLS server and a real authority to the verdict: asked beside the probes."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import isnan
from pathlib import Path

import pytest
from aiohttp import web

from probes.chain_reader import HandshakeReader
from sentry.domain.health import Health
from sentry.domain.result import Phase, ProbeResult, Reason, Status
from sentry.domain.revocation import RevocationState, RevokedBook
from sentry.domain.site import Plan
from sentry.lookups.authorities import WebAuthorities
from sentry.lookups.download import Download
from sentry.lookups.public_names import PublicNames, is_public
from sentry.services.revocations import OBSERVATIONS, RevocationWatch
from sentry.services.watch import CheckView
from tests.fakes.checks import make_check
from tests.fakes.clock import ManualClock
from tests.fakes.observations import MemoryObservations
from tests.fakes.resolver import as_written
from tests.fakes.telemetry import RecordingTelemetry
from tests.integration.alerting.http_server import serving as serving_authority
from tests.integration.authority import Authority, Identity
from tests.integration.hostile_servers import answer, page, serving
from tests.integration.probing import gauges, make_environment, probe_once
from tests.integration.revoking import Revoking, addresses, now

ROOT = Authority.root("Revoking Root")


class BusyClock(ManualClock):
    """Stands still, and makes nobody wait."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(0)


@dataclass
class House:
    """A watch over revocation with everything real but the store."""

    ca_file: Path
    private: bool = True
    views: dict[str, CheckView] = field(default_factory=dict)
    book: RevokedBook = field(default_factory=RevokedBook)
    observations: MemoryObservations = field(default_factory=MemoryObservations)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    clock: BusyClock = field(default_factory=lambda: BusyClock(now()))

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[RevocationWatch]:
        download = Download(PublicNames(as_written, lambda: self.private), timeout_s=2)
        watch = RevocationWatch(
            lambda: list(self.views.values()),
            book=self.book,
            chains=HandshakeReader(make_environment(), self.ca_file, timeout_s=2),
            authorities=WebAuthorities(download, self.clock),
            observations=self.observations,
            telemetry=self.telemetry,
            clock=self.clock,
        )
        await watch.load()
        try:
            yield watch
        finally:
            await download.aclose()

    def revoked_metric(self) -> float:
        """What the metrics page says of the site's certificates."""
        return self.telemetry.gauges["certificate_revoked", frozenset({("site", "shop")})]

    async def probe(self, url: str, kind: str, plan: Plan | None = None) -> ProbeResult:
        """Probes once, as the agent takes the result."""
        check = make_check(f"shop/{kind}", plan=plan, url=url)
        result = replace(await probe_once(url, kind=kind, ca_file=self.ca_file), check_key=check.key)
        judged = self.book.judged(result, check.plan)
        self.views[check.key] = CheckView(check, Health(check.key), judged)
        return judged


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(ROOT.write(tmp_path / "ca.pem"))


@asynccontextmanager
async def site(
    revoking: Revoking, issue: Callable[[str], Identity] | None = None
) -> AsyncIterator[tuple[str, Identity]]:
    """A site and the authority of its certificate, both listening."""
    async with serving_authority(revoking.serve) as authority:
        identity = (issue or (lambda url: revoking.issue(url, "shop.test")))(authority.url)
        revoking.known.append(identity.certificate)
        async with serving(answer(page()), tls=identity.server_context()) as server:
            yield server.url("shop.test"), identity


@pytest.mark.promise("002-08")
@pytest.mark.parametrize("kind", ["http", "tls"])
@pytest.mark.parametrize("has_responder", [True, False], ids=["ocsp", "crl"])
async def test_revoked_certificate_puts_the_site_down_and_keeps_its_expiry_metric(
    house: House, kind: str, has_responder: bool
) -> None:
    """OCSP tells it, or the list where the responder is out of order; the next probe is down with its own reason."""
    revoking = Revoking(ROOT, has_responder=has_responder)
    async with site(revoking) as (url, identity), house.watch() as watch:
        revoking.revoked.append(identity.certificate)
        assert (await house.probe(url, kind)).status is Status.UP
        await watch.look()
        result = await house.probe(url, kind)
        await watch.look()

    source = "ocsp" if has_responder else "crl"
    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, Reason.TLS_REVOKED, Phase.TLS)
    assert "CN=shop.test" in result.detail
    assert result.detail.endswith(f"(keyCompromise), says its {source}")
    assert gauges(result)["ssl_earliest_cert_expiry"] == identity.certificate.not_valid_after_utc.timestamp()
    assert house.telemetry.counted("revocation_lookups_total", result="revoked") == 1
    assert house.revoked_metric() == 1


async def test_revoked_certificate_where_the_plan_says_so_is_degraded_or_ignored(house: House) -> None:
    """Who has a reason to go on with a revoked certificate is not woken for it."""
    revoking = Revoking(ROOT)
    async with site(revoking) as (url, identity), house.watch() as watch:
        revoking.revoked.append(identity.certificate)
        await house.probe(url, "tls")
        await watch.look()
        degraded = await house.probe(url, "tls", Plan(revoked_certificate="degraded"))
        ignored = await house.probe(url, "tls", Plan(revoked_certificate="ignore"))
    assert (degraded.status, degraded.reason, degraded.failed_phase) == (Status.DEGRADED, Reason.TLS_REVOKED, None)
    assert ignored.status is Status.UP


async def test_certificate_that_stands_is_asked_about_once_a_day(house: House) -> None:
    """Half-way to the next update: an answer for a day is asked for again after twelve hours, not before."""
    revoking = Revoking(ROOT)
    async with site(revoking) as (url, identity), house.watch() as watch:
        await house.probe(url, "http")
        await house.probe(url, "tls")
        for _ in range(3):
            await watch.look()
        assert revoking.asked == ["/ocsp"]
        assert house.revoked_metric() == 0
        house.clock.jump(timedelta(hours=12, minutes=1).total_seconds())
        await watch.look()
        assert revoking.asked == ["/ocsp", "/ocsp"]

    (finding,) = (await house.observations.all(OBSERVATIONS)).values()
    assert finding.facts["state"] == RevocationState.GOOD
    assert house.book.known == {}
    assert identity.fingerprint in await house.observations.all(OBSERVATIONS)


async def test_authority_that_is_silent_accuses_nobody(house: House) -> None:
    """Neither responder nor list is to be had: unknown, noted, and the site is what it was."""
    revoking = Revoking(ROOT, silent=True)
    async with site(revoking) as (url, _), house.watch() as watch:
        await house.probe(url, "tls")
        await watch.look()
        await watch.look()
        result = await house.probe(url, "tls")

    assert result.status is Status.UP
    assert isnan(house.revoked_metric())
    (finding,) = (await house.observations.all(OBSERVATIONS)).values()
    assert finding.facts["state"] == RevocationState.UNKNOWN
    assert finding.facts["why"] == "127.0.0.1 answered 503; 127.0.0.1 answered 503"
    assert revoking.asked == ["/ocsp", "/list.crl"]


async def test_certificate_known_to_be_revoked_stays_so_when_its_authority_falls_silent(house: House) -> None:
    """Whoever revokes may hang up afterwards; also over a restart."""
    revoking = Revoking(ROOT)
    async with site(revoking) as (url, identity):
        revoking.revoked.append(identity.certificate)
        async with house.watch() as watch:
            await house.probe(url, "tls")
            await watch.look()
            revoking.silent = True
            house.clock.jump(timedelta(hours=2).total_seconds())
            await watch.look()
        house.book.known.clear()
        async with house.watch():
            assert (await house.probe(url, "tls")).reason is Reason.TLS_REVOKED


async def test_certificate_that_is_replaced_frees_the_site_at_once(house: House) -> None:
    """The book names the certificate and not the site."""
    revoking = Revoking(ROOT)
    async with site(revoking) as (url, identity), house.watch() as watch:
        revoking.revoked.append(identity.certificate)
        await house.probe(url, "tls")
        await watch.look()
    async with site(revoking) as (url, _):
        assert (await house.probe(url, "tls")).status is Status.UP


async def test_intermediate_that_was_revoked_counts_as_well(house: House) -> None:
    """What the root has taken back is worth nothing to any leaf below it."""
    revoking = Revoking(ROOT)
    async with serving_authority(revoking.serve) as authority:
        between = ROOT.intermediate("Revoked Intermediate", says=addresses(authority.url, responder=False))
        revoking.revoked.append(between.certificate)
        identity = between.leaf("shop.test")
        async with serving(answer(page()), tls=identity.server_context()) as server, house.watch() as watch:
            await house.probe(server.url("shop.test"), "tls")
            await watch.look()
            result = await house.probe(server.url("shop.test"), "tls")
    assert result.reason is Reason.TLS_REVOKED
    assert "CN=Revoked Intermediate" in result.detail


@pytest.mark.parametrize(
    ("private", "expected"), [(False, "127.0.0.1 is not a public address"), (True, "more than 65,536 bytes")]
)
async def test_authority_is_bounded_in_place_and_size(house: House, private: bool, expected: str) -> None:
    """A certificate may name any address and any document; neither hurts."""
    house.private = private

    async def endless(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 70_000)

    revoking = Revoking(ROOT)
    async with serving_authority(endless) as authority:
        identity = revoking.issue(authority.url, "shop.test", listed=False)
        async with serving(answer(page()), tls=identity.server_context()) as server, house.watch() as watch:
            await house.probe(server.url("shop.test"), "tls")
            await watch.look()
        assert len(authority.received) == int(private)
    (finding,) = (await house.observations.all(OBSERVATIONS)).values()
    assert expected in finding.facts["why"]


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("authority.example", False),
    ],
)
def test_public_addresses_are_told_from_all_others(host: str, public: bool) -> None:
    """The agent's own network, the clouds' metadata and the like are nobody's authority."""
    assert is_public(host) is public
