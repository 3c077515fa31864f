"""Fills the `Telemetry` port: the figures of the checks as cells, the agent's own in a registry of its own."""

import asyncio
import platform
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from urllib.parse import urlsplit, urlunsplit

from prometheus_client import generate_latest

from sentry.domain.health import Health, HealthState
from sentry.domain.result import Phase, ProbeResult, Status
from sentry.domain.site import Check
from sentry.metrics.cells import cell, info_cell
from sentry.metrics.families import CHECK_FAMILIES, FURTHER_HELP, PROBE_FAMILIES
from sentry.metrics.labels import labels
from sentry.metrics.registry import OwnRegistry, UnknownMetric
from sentry.metrics.series import CheckSeries
from sentry.metrics.sheet import Block, Sheet
from sentry.ports import Clock, SampleKind

_AGE = "sentry_last_run_age_seconds"
_GZIP = 31
"""Window bits that make zlib write the header of gzip (zlib manual, deflateInit2)."""

_LINES_AT_ONCE = 10_000
"""Lines joined in one turn of a thread: a megabyte, and less than a millisecond in which nothing else runs."""

Write = Callable[[str, float, Mapping[str, str]], None]


@dataclass(slots=True)
class _Watched:
    """A check on the page.

    Attributes:
        row: its row among the figures of probes; own_row: among those of the agent.
        shown: what its verdict on the page says.
    """

    check: Check
    instance: str
    row: int
    own_row: int
    series: CheckSeries
    shown: tuple[object, ...] = ()


class Metrics:
    """All metrics of the agent. Every method but `stream` and `render` is quick and is called in the event loop.

    Args:
        clock: for the age of the last runs.
        strict: raise for a name or label that is not in the table; otherwise it is dropped and counted, because a
            figure must never stop the work that it tells of.
    """

    def __init__(self, clock: Clock, *, strict: bool = False) -> None:
        self._clock = clock
        self._strict = strict
        self._own = OwnRegistry()
        self._probes = Sheet(PROBE_FAMILIES, FURTHER_HELP)
        self._checks = Sheet(CHECK_FAMILIES)
        self._watched: dict[str, _Watched] = {}
        self._of_site: Counter[str] = Counter()
        self._named: dict[tuple[str, str], str] = {}
        self._ran_at: dict[int, float] = {}
        self._ended = {status: self._own.writer("checks_total", {"result": status}) for status in Status}
        self._phases = {phase: self._own.writer("check_phase_seconds", {"phase": phase}) for phase in Phase}
        self._delayed = self._own.writer("schedule_delay_seconds", {})
        self.gauge("build_info", 1, version=_own_version(), python=platform.python_version())

    # ── what is watched ──────────────────────────────────────────────────────────────────────────────────────

    def watch(self, checks: Iterable[Check]) -> None:
        """Makes these the checks on the page, before they first run; those not named vanish."""
        checks = list(checks)
        for gone in self._watched.keys() - {check.key for check in checks}:
            self.forget_check(gone)
        for check in checks:
            self._watch(check)

    def forget_check(self, check_key: str) -> None:
        """Drops every series of a check, and those of its site with the last check of it."""
        gone = self._watched.pop(check_key, None)
        if gone is None:
            return
        self._release(gone)
        self._of_site[gone.check.site_key] -= 1
        if not self._of_site[gone.check.site_key]:
            del self._of_site[gone.check.site_key]
            self._own.forget_site(gone.check.site_key)

    def _watch(self, check: Check) -> _Watched:
        known = self._watched.get(check.key)
        if known is not None and (known.check is check or known.check == check):
            return known
        instance = self._free_instance(check)
        if known is None:
            self._of_site[check.site_key] += 1
        if known is None or known.instance != instance:
            known = self._watched[check.key] = self._renamed(check, instance, known)
        known.check, known.series = check, CheckSeries(check.kind)
        self._checks.put(known.own_row, "sentry_check_info{", _info(check.client_key, check.plan_key, check.kind))
        return known

    def _renamed(self, check: Check, instance: str, known: _Watched | None) -> _Watched:
        ran_at = self._clock.monotonic()
        if known is not None:
            ran_at = self._ran_at[known.own_row]
            self._release(known)
        row = self._probes.add(labels(instance=instance, job=check.name))
        own_row = self._checks.add(labels(instance=instance, job=check.name, site=check.site_key, check=check.name))
        self._ran_at[own_row] = ran_at
        return _Watched(check, instance, row, own_row, CheckSeries(check.kind))

    def _release(self, watched: _Watched) -> None:
        self._probes.drop(watched.row)
        self._checks.drop(watched.own_row)
        del self._ran_at[watched.own_row]
        name = (watched.instance, watched.check.name)
        if self._named.get(name) == watched.check.key:
            del self._named[name]

    def _free_instance(self, check: Check) -> str:
        """The check's URL; where another site has the same URL and check name, with its key as the fragment."""
        instance = public_url(check.url)
        if instance == check.url:
            instance = check.url  # one text for both
        owner = self._named.setdefault((instance, check.name), check.key)
        return instance if owner == check.key else f"{instance}#{check.site_key}"

    # ── the port ─────────────────────────────────────────────────────────────────────────────────────────────

    def probe_finished(self, check: Check, result: ProbeResult, kind: SampleKind, delay_s: float) -> None:
        """Takes a result onto the page. Where it says nothing of the site, the last values vanish: none is stale."""
        if kind is SampleKind.MISSED:
            return
        watched = self._watch(check)
        self._ran_at[watched.own_row] = self._clock.monotonic()
        status = result.status
        self._ended[status](1)
        for phase, seconds in result.phases.items():
            self._phases[phase](seconds)
        if kind is SampleKind.SLOT:
            self._delayed(max(0.0, delay_s))
        if status is Status.UP:
            self._probes.write(watched.row, watched.series.cells(result))
            return
        if result.reason is not None:
            self.count("failures_total", reason=result.reason)
        if status is Status.UNKNOWN and kind is SampleKind.SLOT:
            self.count("unknown_seconds_total", check.interval_s)
        self._probes.write(watched.row, {} if status is Status.UNKNOWN else watched.series.cells(result))

    def slot_missed(self, check_key: str) -> None:
        """Counts a slot without a probe; the last values of the check vanish."""
        self.count("missed_slots_total")
        watched = self._watched.get(check_key)
        self.count("unknown_seconds_total", watched.check.interval_s if watched else 60)
        if watched:
            self._probes.write(watched.row, {})

    def verdict(self, check_key: str, health: Health) -> None:
        """Shows what is believed of a check."""
        watched = self._watched.get(check_key)
        shown = (health.state, health.degraded, health.since)
        if watched is None or watched.shown == shown:
            return
        watched.shown = shown
        down = health.state in {HealthState.DOWN, HealthState.RECOVERING}
        self._checks.put(watched.own_row, "sentry_check_down{", cell(down))
        self._checks.put(watched.own_row, "sentry_check_degraded{", cell(health.degraded is not None))
        if health.since is not None:
            since = cell(health.since.timestamp())
            self._checks.put(watched.own_row, "sentry_check_state_since_timestamp_seconds{", since)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Adds to a counter of `sentry.metrics.own`; on a histogram, adds one observation of this amount."""
        self._guarded(self._own.add, name, amount, labels)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Sets a gauge of `sentry.metrics.own`."""
        self._guarded(self._own.put, name, value, labels)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Adds one observation to a histogram of `sentry.metrics.own`."""
        self._guarded(self._own.add, name, value, labels)

    def _guarded(self, write: Write, name: str, value: float, given: Mapping[str, str]) -> None:
        try:
            write(name, value, given)
        except UnknownMetric:
            if self._strict:
                raise
            self._own.add("telemetry_errors_total", 1, {})

    # ── the page ─────────────────────────────────────────────────────────────────────────────────────────────

    async def stream(self, *, gzipped: bool = False) -> AsyncIterator[bytes]:
        """Yields the page piece by piece, each joined and compressed in a thread when the one before it was taken.

        So no probe waits for a scrape, and a reader that is slow, or one of many, holds a family and not a page.
        """
        packer = zlib.compressobj(zlib.Z_BEST_SPEED, zlib.DEFLATED, _GZIP) if gzipped else None
        pack = packer.compress if packer else bytes
        blocks = self._blocks()
        while some := list(islice(blocks, max(1, _LINES_AT_ONCE // max(1, len(self._watched))))):
            for piece in await asyncio.to_thread(_made, some, pack):
                yield piece
        if packer is not None:
            yield packer.flush()

    async def render(self, *, gzipped: bool = False) -> bytes:
        """Returns the whole page at once."""
        return b"".join([piece async for piece in self.stream(gzipped=gzipped)])

    def page(self) -> bytes:
        """Returns the whole page, for a caller without an event loop."""
        return b"".join([piece for block in self._blocks() for piece in block()])

    def instance_of(self, check_key: str) -> str | None:
        """Returns the `instance` label of a check, None where it is not watched."""
        watched = self._watched.get(check_key)
        return watched.instance if watched else None

    def probe_page(self, check_key: str) -> bytes | None:
        """Returns the last values of one check without labels of its own, as blackbox_exporter's /probe does.

        Returns:
            None where there is no such check. A check whose last minute is unknown gives a page without figures.
        """
        watched = self._watched.get(check_key)
        return self._probes.page_of(watched.row) if watched else None

    def _blocks(self) -> Iterator[Block]:
        yield from self._probes.blocks()
        yield from self._checks.blocks()
        yield self._ages()
        yield from self._own.site_blocks()
        yield lambda: iter([generate_latest(self._own.registry)])

    def _ages(self) -> Block:
        now, ran_at = self._clock.monotonic(), self._ran_at.copy()
        return self._checks.block_of(_AGE, lambda: {row: b"} %.3f\n" % (now - at) for row, at in ran_at.items()})


@lru_cache(maxsize=1024)
def _info(client: str, plan: str, kind: str) -> bytes:
    """One object for all checks of a client, a plan and a kind."""
    return info_cell({"client": client, "plan": plan, "kind": kind})


def _made(blocks: list[Block], pack: Callable[[bytes], bytes]) -> list[bytes]:
    return [packed for block in blocks for piece in block() if (packed := pack(piece))]


def public_url(url: str) -> str:
    """Returns a URL without the user name and password that may stand in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _own_version() -> str:
    try:
        return version("online-sentry")
    except PackageNotFoundError:
        return "unknown"
