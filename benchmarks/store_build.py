"""Sites to fill a store with: each has its own usual time, its own noise, and now and then an outage."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sentry.domain.day import MINUTES_PER_DAY
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.result import Phase, ProbeResult, Reason, Status
from sentry.ports import SampleKind, WatchRecord
from sentry.store import Store
from sentry.store.samples import SampleRow, sample_row
from sentry.store.schema import day_blobs, day_summaries, ledger_runs, samples
from sentry.store.writing import row_insert

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY = 20_700
OUTAGE_IN_DAYS = 50
"""Each site is down about once in so many days, for some minutes."""

NOISE = 100_003
"""Factors drawn once and read from anywhere; a draw for each of 14 million probes would take longer than all else."""

PHASES = ((Phase.DNS, 0.02), (Phase.CONNECT, 0.15), (Phase.TLS, 0.3), (Phase.PROCESSING, 0.5), (Phase.TRANSFER, 0.03))

_SAMPLES, _RUNS = row_insert(samples), row_insert(ledger_runs)
_BLOBS, _SUMMARIES = row_insert(day_blobs), row_insert(day_summaries)


@dataclass(frozen=True, slots=True)
class Site:
    """What a site is like.

    Attributes:
        phase_ms: when in its minute it is probed.
        usual_s: its usual response time.
        noise: the scatter around it, as a sigma of its logarithm.
        down: first and last minute of its outage on the built day, none where they are equal.
    """

    number: int
    phase_ms: int
    usual_s: float
    noise: float
    down: tuple[int, int]

    @property
    def key(self) -> str:
        """The key of its only check."""
        return f"site{self.number:05}/http"


def number_of(check_key: str) -> int:
    """Returns the number of a site by the key of its check."""
    return int(check_key[4:9])


class Sites:
    """All of them, drawn with one seed, so that every run builds the same store."""

    def __init__(self, count: int) -> None:
        self._chance = random.Random(4711)  # noqa: S311  # no secret
        self._noise = [self._chance.gauss(0, 1) for _ in range(NOISE)]
        self.all = [self._site(number) for number in range(1, count + 1)]

    def _site(self, number: int) -> Site:
        draw = self._chance
        start = draw.randrange(MINUTES_PER_DAY - 60) if draw.random() * OUTAGE_IN_DAYS < 1 else 0
        return Site(
            number=number,
            phase_ms=draw.randrange(60_000),
            usual_s=draw.lognormvariate(-1.4, 0.7),
            noise=draw.choice((0.08, 0.15, 0.25, 0.4)),
            down=(start, start + draw.randrange(2, 40)) if start else (0, 0),
        )

    def result(self, site: Site, minute: int) -> ProbeResult:
        """Returns what a probe finds; the minute is one since the epoch."""
        when = EPOCH + timedelta(minutes=minute, milliseconds=site.phase_ms)
        of_day = minute % MINUTES_PER_DAY
        if site.down[0] <= of_day < site.down[1]:
            return ProbeResult(site.key, when, when, 10.0, Status.DOWN, Reason.CONNECT_TIMEOUT, Phase.CONNECT)
        factor = 2.718281828 ** (site.noise * self._noise[(site.number * 7_919 + minute * 104_729) % NOISE])
        took = site.usual_s * factor
        return ProbeResult(
            site.key, when, when, took, Status.UP, phases={phase: took * share for phase, share in PHASES}
        )

    def minute(self, minute: int) -> Iterator[WatchRecord]:
        """Yields the records of one minute, in the order in which they come."""
        for site in sorted(self.all, key=lambda one: one.phase_ms):
            result = self.result(site, minute)
            state = MinuteState.DOWN if result.status is Status.DOWN else MinuteState.UP
            yield WatchRecord(result, SampleKind.SLOT, None, (Run(minute, minute + 1, state),))


async def register(store: Store, sites: Sites) -> None:
    """Makes the sites known; each check gets the number of its site."""
    await store.checks.register({site.key: site.key.partition("/")[0] for site in sites.all}, EPOCH)


async def build_raw_day(store: Store, sites: Sites, day: int) -> None:
    """Writes every probe of a day, and its ledger: the rows that the watch writes, without what is around them."""
    start = day * MINUTES_PER_DAY
    for minute in range(start, start + MINUTES_PER_DAY):
        rows: list[SampleRow] = [
            sample_row(site.number, sites.result(site, minute), SampleKind.SLOT) for site in sites.all
        ]
        async with store.database.write() as connection:
            await _SAMPLES.write(connection, rows)
    async with store.database.write() as connection:
        await _RUNS.write(connection, (row for site in sites.all for row in _ledger(site, start)))


async def build_like_days(store: Store, sites: Sites, day: int, count: int) -> None:
    """Writes further sealed days: those of the built one with the sites exchanged, and their ledgers."""
    async with store.database.read() as connection:
        blobs = (await connection.execute(day_blobs.select().where(day_blobs.c.day == day))).all()
        summaries = (await connection.execute(day_summaries.select().where(day_summaries.c.day == day))).all()
    numbers = [row.check_id for row in blobs]
    for further in range(1, count + 1):
        moved = numbers[further * 37 % len(numbers) :] + numbers[: further * 37 % len(numbers)]
        async with store.database.write() as connection:
            pairs = sorted(zip(moved, blobs, summaries, strict=True))
            await _BLOBS.write(connection, ((day + further, to, blob.blob) for to, blob, _ in pairs))
            await _SUMMARIES.write(connection, ((day + further, to, *summary[2:]) for to, _, summary in pairs))
            at = dict(zip(moved, numbers, strict=True))
            start = (day + further) * MINUTES_PER_DAY
            ledgers = (
                (site.number, *row[1:])
                for site in sites.all
                for row in _ledger(sites.all[at[site.number] - 1], start)
            )
            await _RUNS.write(connection, ledgers)
            await connection.exec_driver_sql(
                f"INSERT INTO sealed_days (day, through_check, done) VALUES ({day + further}, 0, true)"  # noqa: S608  # a number
            )


def _ledger(site: Site, start: int) -> Iterator[tuple[int, int, int, str]]:
    first, last = site.down
    end = start + MINUTES_PER_DAY
    if first == last:
        yield site.number, start, end, "up"
        return
    yield site.number, start, start + first, "up"
    yield site.number, start + first, start + last, "down"
    yield site.number, start + last, end, "up"
