"""Fills the `Telemetry` port: the figures of the checks as lines, the agent's own in a registry of its own."""

import asyncio
import gzip
import platform
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit, urlunsplit

from prometheus_client import generate_latest

from sentry.domain.health import Health, HealthState
from sentry.domain.result import ProbeResult, Status
from sentry.domain.site import Check
from sentry.metrics.families import CHECK_FAMILIES, FURTHER_HELP, PROBE_FAMILIES
from sentry.metrics.labels import labels, number
from sentry.metrics.lines import Block, LinePage, header, join
from sentry.metrics.registry import OwnRegistry, UnknownMetric
from sentry.metrics.series import series
from sentry.ports import Clock, SampleKind

_AGE = "sentry_last_run_age_seconds"

Write = Callable[[str, float, Mapping[str, str]], None]


@dataclass(slots=True)
class _Watched:
    """A check on the page. `labels` are those of the blackbox names, `own_labels` those of the agent's."""

    check: Check
    instance: str
    job: str
    labels: str
    own_labels: str
    ran_at: float
    has_run: bool = False


class Metrics:
    """All metrics of the agent. Every method but `render` is quick and is called in the event loop.

    Args:
        clock: for the age of the last runs.
        strict: raise for a name or label that is not in the table; otherwise it is dropped and counted, because a
            figure must never stop the work that it tells of.
    """

    def __init__(self, clock: Clock, *, strict: bool = False) -> None:
        self._clock = clock
        self._strict = strict
        self._own = OwnRegistry()
        self._probes = LinePage(PROBE_FAMILIES, FURTHER_HELP)
        self._checks = LinePage(CHECK_FAMILIES)
        self._watched: dict[str, _Watched] = {}
        self._of_site: dict[str, set[str]] = {}
        self._named: dict[tuple[str, str], str] = {}
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
        self._probes.forget(check_key)
        self._checks.forget(check_key)
        gone = self._watched.pop(check_key, None)
        if gone is None:
            return
        self._release(gone)
        left = self._of_site[gone.check.site_key]
        left.discard(check_key)
        if not left:
            del self._of_site[gone.check.site_key]
            self._own.forget_site(gone.check.site_key)

    def _watch(self, check: Check) -> _Watched:
        known = self._watched.get(check.key)
        if known is not None and known.check == check:
            return known
        instance = self._free_instance(check)
        own = {"instance": instance, "job": check.name, "site": check.site_key, "check": check.name}
        ran_at = known.ran_at if known else self._clock.monotonic()
        watched = _Watched(
            check=check,
            instance=instance,
            job=check.name,
            labels=labels(instance=instance, job=check.name),
            own_labels=labels(**own),
            ran_at=ran_at,
            has_run=known.has_run if known else False,
        )
        if known is not None and known.labels != watched.labels:
            self._probes.forget(check.key)
            self._release(known)
        info = labels(**own, client=check.client_key, plan=check.plan_key, kind=check.kind)
        self._checks.replace(check.key, {"sentry_check_info": f"sentry_check_info{{{info}}} 1\n"})
        self._watched[check.key] = watched
        self._of_site.setdefault(check.site_key, set()).add(check.key)
        return watched

    def _release(self, watched: _Watched) -> None:
        name = (watched.instance, watched.job)
        if self._named.get(name) == watched.check.key:
            del self._named[name]

    def _free_instance(self, check: Check) -> str:
        """The check's URL; where another site has the same URL and check name, with its key as the fragment."""
        instance = public_url(check.url)
        owner = self._named.setdefault((instance, check.name), check.key)
        return instance if owner == check.key else f"{instance}#{check.site_key}"

    # ── the port ─────────────────────────────────────────────────────────────────────────────────────────────

    def probe_finished(self, check: Check, result: ProbeResult, kind: SampleKind, delay_s: float) -> None:
        """Takes a result onto the page. Where it says nothing of the site, the last values vanish: none is stale."""
        if kind is SampleKind.MISSED:
            return
        watched = self._watch(check)
        watched.ran_at, watched.has_run = self._clock.monotonic(), True
        self.count("checks_total", result=result.status)
        if result.reason is not None and result.status is not Status.UP:
            self.count("failures_total", reason=result.reason)
        for phase, seconds in result.phases.items():
            self.observe("check_phase_seconds", seconds, phase=phase)
        if kind is SampleKind.SLOT:
            self.observe("schedule_delay_seconds", max(0.0, delay_s))
        if result.status is Status.UNKNOWN:
            if kind is SampleKind.SLOT:
                self.count("unknown_seconds_total", check.interval_s)
            self._probes.replace(check.key, {})
            return
        self._probes.replace(check.key, series(check.kind, watched.labels, result))

    def slot_missed(self, check_key: str) -> None:
        """Counts a slot without a probe; the last values of the check vanish."""
        self.count("missed_slots_total")
        watched = self._watched.get(check_key)
        self.count("unknown_seconds_total", watched.check.interval_s if watched else 60)
        self._probes.replace(check_key, {})

    def verdict(self, check_key: str, health: Health) -> None:
        """Shows what is believed of a check."""
        watched = self._watched.get(check_key)
        if watched is None:
            return
        own, info = watched.own_labels, watched.check
        facts = labels(client=info.client_key, plan=info.plan_key, kind=info.kind)
        down = health.state in {HealthState.DOWN, HealthState.RECOVERING}
        lines = {
            "sentry_check_info": f"sentry_check_info{{{own},{facts}}} 1\n",
            "sentry_check_down": f"sentry_check_down{{{own}}} {int(down)}\n",
            "sentry_check_degraded": f"sentry_check_degraded{{{own}}} {int(health.degraded is not None)}\n",
        }
        if health.since is not None:
            family = "sentry_check_state_since_timestamp_seconds"
            lines[family] = f"{family}{{{own}}} {number(health.since.timestamp())}\n"
        self._checks.replace(check_key, lines)

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

    async def render(self, *, gzipped: bool = False) -> bytes:
        """Returns the whole page; joined and compressed in a thread, so that no probe waits for a scrape."""
        blocks = self._blocks()
        return await asyncio.to_thread(self._assemble, blocks, gzipped=gzipped)

    def page(self) -> bytes:
        """Returns the whole page at once, for a caller without an event loop."""
        return self._assemble(self._blocks(), gzipped=False)

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
        if watched is None:
            return None
        return self._probes.page_of(check_key, watched.labels).encode(errors="replace")

    def _blocks(self) -> list[Block]:
        return [*self._probes.blocks(), *self._checks.blocks(), *self._own.line_blocks(), self._ages()]

    def _ages(self) -> Block:
        now = self._clock.monotonic()
        lines = [f"{_AGE}{{{w.own_labels}}} {now - w.ran_at:.3f}\n" for w in self._watched.values()]
        return (header(_AGE, CHECK_FAMILIES[_AGE], "gauge") if lines else "", lines)

    def _assemble(self, blocks: list[Block], *, gzipped: bool) -> bytes:
        page = join(blocks).encode(errors="replace") + generate_latest(self._own.registry)
        if gzipped:
            return gzip.compress(page, compresslevel=zlib.Z_BEST_SPEED, mtime=0)
        return page


def public_url(url: str) -> str:
    """Returns a URL without the user name and password that may stand in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _own_version() -> str:
    try:
        return version("online-sentry")
    except PackageNotFoundError:
        return "unknown"
