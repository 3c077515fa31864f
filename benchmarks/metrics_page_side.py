"""One side of benchmarks/metrics_page, in a process of its own: fills a page, brings it up to date and is scraped."""

import argparse
import asyncio
import gc
import gzip
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Protocol
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from benchmarks.measure import RunRejected, rss_bytes
from sentry.clock import SystemClock
from sentry.domain.health import Health, HealthState
from sentry.domain.result import Certificate, Evidence, Phase, ProbeResult, Status, TlsEvidence
from sentry.domain.site import Check, CheckOptions, Language, Plan
from sentry.metrics.telemetry import Metrics
from sentry.ports import SampleKind

SERIES_PER_CHECK = 15
SCRAPES = 5
TICK_S = 0.001
GZIP_MAGIC = b"\x1f\x8b"
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

PROBE_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("probe_success", ()),
    ("probe_duration_seconds", ()),
    ("probe_dns_lookup_time_seconds", ()),
    ("probe_ip_protocol", ()),
    ("probe_ip_addr_hash", ()),
    ("probe_ssl_earliest_cert_expiry", ()),
    ("probe_ssl_last_chain_expiry_timestamp_seconds", ()),
    (
        "probe_ssl_last_chain_info",
        ("fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber"),
    ),
    ("probe_tls_version_info", ("version",)),
    ("probe_tls_cipher_info", ("cipher",)),
)
OWN_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sentry_check_info", ("site", "check", "client", "plan", "kind")),
    ("sentry_check_down", ("site", "check")),
    ("sentry_check_degraded", ("site", "check")),
    ("sentry_check_state_since_timestamp_seconds", ("site", "check")),
    ("sentry_last_run_age_seconds", ("site", "check")),
)
FAMILIES = (*PROBE_FAMILIES, *OWN_FAMILIES)
"""What the agent says of a TLS check, family by family, with the labels beside `instance` and `job`."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one side cost.

    Attributes:
        update_ms: CPU of bringing the series of one probe up to date.
        loop_ms: CPU of the event loop's thread for one scrape.
        cpu_ms: CPU of the whole process for one scrape.
        lag_ms: the longest that the loop woke late during a scrape, wall time.
        page_bytes: of the page as sent.
        rss_bytes_per_check: memory that the filled page holds, after a scrape that nobody kept.
    """

    update_ms: float
    loop_ms: float
    cpu_ms: float
    lag_ms: float
    page_bytes: int
    rss_bytes_per_check: float


Watched = tuple[Check, ProbeResult]
"""A check and what its last probe found."""


class Side(Protocol):
    """A page of metrics, however it is kept."""

    def update(self, number: int, duration_s: float) -> None:
        """A probe of a check ended."""
        ...

    def scrape(self) -> AsyncIterator[bytes]:
        """Yields the page."""
        ...


class Sentry:
    """The agent's own page."""

    def __init__(self, those: Sequence[Watched], *, gzipped: bool) -> None:
        self._gzipped = gzipped
        self._metrics = Metrics(SystemClock())
        self._watched = those
        self._metrics.watch([check for check, _ in those])
        for check, _ in those:
            self._metrics.verdict(check.key, Health(check.key, HealthState.UP, since=START))

    def update(self, number: int, duration_s: float) -> None:
        """Hands over a result as the watch does, with times that differ from minute to minute."""
        check, known = self._watched[number]
        result = ProbeResult(
            check_key=known.check_key,
            scheduled_at=START,
            started_at=START,
            duration_s=duration_s,
            status=Status.UP,
            phases=dict.fromkeys((Phase.DNS, Phase.CONNECT, Phase.TLS), duration_s / 3),
            evidence=known.evidence,
        )
        self._metrics.probe_finished(check, result, SampleKind.SLOT, 0.002)

    def scrape(self) -> AsyncIterator[bytes]:
        """The page as the web server sends it."""
        return self._metrics.stream(gzipped=self._gzipped)


class Gauges:
    """prometheus_client as its documentation has it: a gauge per family, its children kept at hand."""

    def __init__(self, those: Sequence[Watched]) -> None:
        self._registry = CollectorRegistry()
        made = [
            Gauge(name, "As the agent says it.", ("instance", "job", *extra), registry=self._registry)
            for name, extra in FAMILIES
        ]
        self._children = [
            [gauge.labels(*_labels(number, extra)) for gauge, (_, extra) in zip(made, FAMILIES, strict=True)]
            for number in range(len(those))
        ]

    def update(self, number: int, duration_s: float) -> None:
        """Sets what a probe measures."""
        for child in self._children[number][: len(PROBE_FAMILIES)]:
            child.set(duration_s)

    async def scrape(self) -> AsyncIterator[bytes]:
        """The page at once, in the loop."""
        yield generate_latest(self._registry)


class CustomCollector(Collector):
    """prometheus_client with a collector that only makes samples when it is scraped."""

    def __init__(self, those: Sequence[Watched]) -> None:
        self._registry = CollectorRegistry()
        self._figures = [[0.0] * len(FAMILIES) for _ in those]
        self._labels = [[_labels(number, extra) for _, extra in FAMILIES] for number in range(len(those))]
        self._registry.register(self)

    def update(self, number: int, duration_s: float) -> None:
        """Keeps what a probe measured."""
        self._figures[number][: len(PROBE_FAMILIES)] = [duration_s] * len(PROBE_FAMILIES)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Says nothing beforehand, so that registering collects nothing."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Makes every family."""
        for place, (name, extra) in enumerate(FAMILIES):
            family = GaugeMetricFamily(name, "As the agent says it.", labels=("instance", "job", *extra))
            for labels, figures in zip(self._labels, self._figures, strict=True):
                family.add_metric(labels[place], figures[place])
            yield family

    async def scrape(self) -> AsyncIterator[bytes]:
        """The page at once, in the loop."""
        yield generate_latest(self._registry)


SIDES: dict[str, Callable[[Sequence[Watched]], Side]] = {
    "online-sentry": partial(Sentry, gzipped=False),
    "online-sentry, gzip": partial(Sentry, gzipped=True),
    "prometheus_client gauges": Gauges,
    "prometheus_client collector": CustomCollector,
}


# ── what is said of a check ──────────────────────────────────────────────────────────────────────────────────────


def watched(checks: int) -> list[Watched]:
    """Returns so many checks with what their last probes found."""
    return [(check, _result(check, number)) for number, check in enumerate(map(_check, range(checks)))]


def _check(number: int) -> Check:
    return Check(
        key=f"site-{number}/tls",
        site_key=f"site-{number}",
        client_key=f"client-{number % 300}",
        plan_key="priority",
        url=f"https://www.site-{number}.example/",
        interval_s=60,
        options=CheckOptions(kind="tls"),
        plan=Plan(),
        time_zone=ZoneInfo("Europe/Madrid"),
        language=Language.EN,
        host_group=f"site-{number}",
        host_cap=8,
    )


def _certificate(number: int) -> Certificate:
    name = f"www.site-{number}.example"
    return Certificate(
        subject=f"CN={name}",
        issuer="CN=R11,O=Let's Encrypt,C=US",
        names=(name, f"site-{number}.example"),
        serial_number=f"{number:036x}",
        not_before=START - timedelta(days=30),
        not_after=START + timedelta(days=60),
        fingerprint_sha256=f"{number:064x}",
        key="EC P-256",
        signature="ecdsa-with-SHA384",
    )


def _result(check: Check, number: int) -> ProbeResult:
    tls = TlsEvidence("TLS 1.3", "TLS_AES_256_GCM_SHA384", (_certificate(number),), verified=True)
    address = f"192.0.2.{number % 200}"
    return ProbeResult(check.key, START, START, 0.1, Status.UP, evidence=Evidence(f"{address}:443", (address,), tls))


def _labels(number: int, extra: Sequence[str]) -> tuple[str, ...]:
    check, leaf = _check(number), _certificate(number)
    known = {
        "fingerprint_sha256": leaf.fingerprint_sha256,
        "subject": leaf.subject,
        "issuer": leaf.issuer,
        "subjectalternative": ",".join(leaf.names),
        "serialnumber": leaf.serial_number,
        "version": "TLS 1.3",
        "cipher": "TLS_AES_256_GCM_SHA384",
        "site": check.site_key,
        "check": check.name,
        "client": check.client_key,
        "plan": check.plan_key,
        "kind": check.kind,
    }
    return (check.url, check.name, *(known[name] for name in extra))


# ── measuring ────────────────────────────────────────────────────────────────────────────────────────────────────


class Lag:
    """How late the loop wakes, looked at every millisecond."""

    def __init__(self) -> None:
        self.worst_s = 0.0

    async def watch(self) -> None:
        """Watches until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK_S
            await asyncio.sleep(TICK_S)
            self.worst_s = max(self.worst_s, loop.time() - due)


async def measured(name: str, checks: int) -> Measured:
    """Fills a page, brings every check up to date and scrapes it some times."""
    those = watched(checks)
    gc.collect()
    before = rss_bytes(os.getpid())
    side = SIDES[name](those)
    for number in range(checks):
        side.update(number, 0.1 + number / 1e6)
    began = time.thread_time()
    for number in range(checks):
        side.update(number, 0.2 + number / 1e6)
    update_s = (time.thread_time() - began) / checks
    lags = [await _worst_lag_s(side) for _ in range(SCRAPES)]
    gc.collect()
    held = rss_bytes(os.getpid()) - before
    scrapes = [await _scrape(side, checks) for _ in range(SCRAPES)]
    return Measured(
        update_ms=update_s * 1000,
        loop_ms=median(loop_s for loop_s, _, _ in scrapes) * 1000,
        cpu_ms=median(cpu_s for _, cpu_s, _ in scrapes) * 1000,
        lag_ms=median(lags) * 1000,
        page_bytes=scrapes[-1][2],
        rss_bytes_per_check=held / checks,
    )


async def _scrape(side: Side, checks: int) -> tuple[float, float, int]:
    """Returns the CPU seconds of the loop's thread and of the process, and the size of the page."""
    loop_s, cpu_s = time.thread_time(), time.process_time()
    pieces = [piece async for piece in side.scrape()]
    loop_s, cpu_s = time.thread_time() - loop_s, time.process_time() - cpu_s
    page = b"".join(pieces)
    lines = (gzip.decompress(page) if page.startswith(GZIP_MAGIC) else page).splitlines()
    found = sum(b'instance="' in line for line in lines)
    if found != checks * SERIES_PER_CHECK:
        raise RunRejected(f"the page has {found} series of checks and not {checks * SERIES_PER_CHECK}")
    return loop_s, cpu_s, len(page)


async def _worst_lag_s(side: Side) -> float:
    lag = Lag()
    watching = asyncio.create_task(lag.watch())
    await asyncio.sleep(2 * TICK_S)
    async for _ in side.scrape():
        pass
    await asyncio.sleep(2 * TICK_S)
    watching.cancel()
    return lag.worst_s


def main() -> None:
    """Measures the side that the command line names and prints what it found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=SIDES)
    parser.add_argument("--checks", type=int, required=True)
    options = parser.parse_args()
    print(json.dumps(asdict(asyncio.run(measured(options.name, options.checks)))))


if __name__ == "__main__":
    main()
