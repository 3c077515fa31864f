"""One check's UTC day once it is over: what each minute's probe found, and the figures of all of them.

A day is its number since the Unix epoch, a minute of it a number from 0 to 1439. The day keeps one probe a minute:
the worst of that minute, and of these the slowest. What else was probed is in the histogram and in the counts.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from operator import lt

from sentry.domain.latency import STEPS, percentile_us, steps_of
from sentry.domain.ledger import MinuteState, Run, Totals, clip, fill, totals
from sentry.domain.result import Status

MINUTES_PER_DAY = 1440
MS_PER_MINUTE = 60_000

STATUSES = (Status.UP, Status.DOWN, Status.DEGRADED, Status.UNKNOWN)
"""A probe's status by its number. The numbers stand in stores: append, never reorder."""

KINDS = ("slot", "recheck", "missed")
"""Why a probe was made, by its number (`SampleKind` of the ports). As above."""

_WORSE = (1, 3, 2, 0)
"""How bad each of `STATUSES` is: any answer says more than none, and the worst one stands for its minute."""

_UP, _DOWN, _DEGRADED, _UNKNOWN = range(len(STATUSES))
_ANSWERED = frozenset({_UP, _DEGRADED})


@dataclass(frozen=True, slots=True)
class DayProbes:
    """All probes of one check and one day as columns of equal length, oldest first.

    Attributes:
        moments_ms: when each was scheduled, milliseconds since the day began.
        codes: `kind * 4 + status`, numbers of `KINDS` and `STATUSES`; 0 is a probe of a slot that was up.
        durations_us: how long each took.
        reasons: why it was not up, None where it was; empty where all were up.
    """

    moments_ms: Sequence[int] = ()
    codes: Sequence[int] = ()
    durations_us: Sequence[int] = ()
    reasons: Sequence[str | None] = ()

    def in_order(self) -> "DayProbes":
        """Returns them oldest first, those of one moment by kind and status."""
        if all(map(lt, self.moments_ms, self.moments_ms[1:])):
            return self
        order = sorted(range(len(self.codes)), key=lambda place: (self.moments_ms[place], self.codes[place]))
        return DayProbes(
            [self.moments_ms[place] for place in order],
            [self.codes[place] for place in order],
            [self.durations_us[place] for place in order],
            [self.reasons[place] for place in order] if self.reasons else (),
        )

    def only(self, wanted: Sequence[bool]) -> "DayProbes":
        """Returns those of the probes that are wanted, by place."""
        return DayProbes(
            list(compress(self.moments_ms, wanted)),
            list(compress(self.codes, wanted)),
            list(compress(self.durations_us, wanted)),
            list(compress(self.reasons, wanted)),
        )


@dataclass(frozen=True, slots=True)
class ProbeRun:
    """Consecutive minutes [start, end) of a day that were probed, with one status and one reason."""

    start: int
    end: int
    status: Status
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CheckDay:
    """What each minute's probe found.

    Attributes:
        offset_ms: where in its minute the check is usually probed.
        runs: the minutes that were probed, ordered and apart; the others were not.
        steps: the time each of these minutes' probes took, as a step of the scale of `latency`, one byte a minute.
        others: (step, count) of the further probes that answered, by step: more than one may fall on a minute.
    """

    offset_ms: int = 0
    runs: tuple[ProbeRun, ...] = ()
    steps: bytes = b""
    others: tuple[tuple[int, int], ...] = ()

    def minutes(self) -> Iterator[tuple[int, ProbeRun, int]]:
        """Yields each probed minute with its run and its step, in order."""
        steps = iter(self.steps)
        for run in self.runs:
            for minute in range(run.start, run.end):
                yield minute, run, next(steps)

    def histogram(self) -> list[int]:
        """Returns how many of the probes that answered took each step."""
        counts = [0] * STEPS
        place = 0
        for run in self.runs:
            length = run.end - run.start
            if run.status in {Status.UP, Status.DEGRADED}:
                for step, count in Counter(self.steps[place : place + length]).items():
                    counts[step] += count
            place += length
        for step, count in self.others:
            counts[step] += count
        return counts


@dataclass(frozen=True, slots=True)
class ProbeCounts:
    """How many probes a day had, by kind and by status, and how long those took that answered (up or degraded)."""

    slots: int = 0
    rechecks: int = 0
    missed: int = 0
    up: int = 0
    down: int = 0
    degraded: int = 0
    unknown: int = 0
    sum_us: int = 0
    min_us: int | None = None
    max_us: int | None = None

    @property
    def probes(self) -> int:
        """All probes."""
        return self.up + self.down + self.degraded + self.unknown

    @property
    def answered(self) -> int:
        """Probes that were answered; the times are theirs."""
        return self.up + self.degraded


@dataclass(frozen=True, slots=True)
class DaySummary:
    """The figures of one check and one day.

    Attributes:
        minutes: of each state in the ledger; all 1,440, those that nobody saw as `unknown`.
        longest_down: minutes of the longest run that was down, cut at the day's ends.
        p50_us: half of the answered probes took no longer, within 3 %; None where none answered. Likewise the others.
    """

    day: int
    minutes: Totals
    longest_down: int
    probes: ProbeCounts
    p50_us: int | None = None
    p95_us: int | None = None
    p99_us: int | None = None


def gather(probes: DayProbes) -> tuple[CheckDay, ProbeCounts]:
    """Makes a day of its probes."""
    moments = probes.moments_ms
    if not moments:
        return CheckDay(), ProbeCounts()
    minutes = [moment // MS_PER_MINUTE for moment in moments]
    if not any(probes.codes) and not any(probes.reasons) and len(set(minutes)) == len(minutes):
        # The usual day: a probe a minute, and all of them up.
        runs = tuple(ProbeRun(start, end, Status.UP) for start, end in _stretches(minutes))
        day = CheckDay(_usual_offset(moments), runs, steps_of(probes.durations_us))
    else:
        day = _of_any(probes, minutes)
    return day, _counts(probes)


def add_late(day: CheckDay, counts: ProbeCounts, late: DayProbes) -> tuple[CheckDay, ProbeCounts]:
    """Adds probes to a day whose own ones are gone: only minutes that had none gain one, so that none counts twice.

    Args:
        day: the day as it stands.
        counts: of the probes that it was made of.
        late: probes that may or may not be in it already.
    """
    known = bytearray(MINUTES_PER_DAY)
    for run in day.runs:
        known[run.start : run.end] = b"\1" * (run.end - run.start)
    news = late.only([not known[moment // MS_PER_MINUTE] for moment in late.moments_ms])
    if not news.moments_ms:
        return day, counts
    added, more = gather(news)
    pieces = sorted((*day.minutes(), *added.minutes()), key=lambda piece: piece[0])
    others = Counter(dict(day.others)) + Counter(dict(added.others))
    joined = CheckDay(
        day.offset_ms if day.runs else added.offset_ms,
        _runs([(minute, run.status, run.reason) for minute, run, _ in pieces]),
        bytes(step for _, _, step in pieces),
        tuple(sorted(others.items())),
    )
    return joined, _sum(counts, more)


def summarize(number: int, day: CheckDay, counts: ProbeCounts, runs: Sequence[Run]) -> DaySummary:
    """Reckons a day's figures.

    Args:
        number: the day.
        day: what its minutes' probes found.
        counts: of all its probes.
        runs: of the check's ledger, ordered, without overlap; they may reach beyond the day.
    """
    start = number * MINUTES_PER_DAY
    own = clip(runs, start, start + MINUTES_PER_DAY)
    histogram = day.histogram()
    return DaySummary(
        day=number,
        minutes=totals(fill(own, start, start + MINUTES_PER_DAY)),
        longest_down=max((run.minutes for run in own if run.state is MinuteState.DOWN), default=0),
        probes=counts,
        p50_us=percentile_us(histogram, 50),
        p95_us=percentile_us(histogram, 95),
        p99_us=percentile_us(histogram, 99),
    )


def _of_any(probes: DayProbes, minutes: Sequence[int]) -> CheckDay:
    reasons = probes.reasons or [None] * len(minutes)
    steps = steps_of(probes.durations_us)
    statuses = [code % len(STATUSES) for code in probes.codes]
    chosen: dict[int, int] = {}
    for place, minute in enumerate(minutes):
        standing = chosen.setdefault(minute, place)
        if _weight(statuses, steps, place) > _weight(statuses, steps, standing):
            chosen[minute] = place
    ordered = sorted(chosen.items())
    shown = {place for _, place in ordered}
    others = Counter(
        steps[place] for place, status in enumerate(statuses) if status in _ANSWERED and place not in shown
    )
    return CheckDay(
        _usual_offset(probes.moments_ms),
        _runs([(minute, STATUSES[statuses[place]], reasons[place]) for minute, place in ordered]),
        bytes(steps[place] for _, place in ordered),
        tuple(sorted(others.items())),
    )


def _weight(statuses: Sequence[int], steps: bytes, place: int) -> tuple[int, int]:
    return _WORSE[statuses[place]], steps[place]


def _stretches(minutes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yields [start, end) of each stretch of consecutive minutes."""
    if minutes[-1] - minutes[0] + 1 == len(minutes):
        yield minutes[0], minutes[-1] + 1
        return
    start = reached = minutes[0]
    for minute in minutes[1:]:
        if minute != reached + 1:
            yield start, reached + 1
            start = minute
        reached = minute
    yield start, reached + 1


def _runs(found: Sequence[tuple[int, Status, str | None]]) -> tuple[ProbeRun, ...]:
    runs: list[ProbeRun] = []
    for minute, status, reason in found:
        last = runs[-1] if runs else None
        if last and last.end == minute and (last.status, last.reason) == (status, reason):
            runs[-1] = replace(last, end=minute + 1)
        else:
            runs.append(ProbeRun(minute, minute + 1, status, reason))
    return tuple(runs)


def _usual_offset(moments_ms: Sequence[int]) -> int:
    offsets = [moment % MS_PER_MINUTE for moment in moments_ms]
    if len(set(offsets)) == 1:
        return offsets[0]
    counted = Counter(offsets)
    most = max(counted.values())
    return min(offset for offset, count in counted.items() if count == most)


def _counts(probes: DayProbes) -> ProbeCounts:
    kinds, statuses = [0] * len(KINDS), [0] * len(STATUSES)
    for code in set(probes.codes):
        count = probes.codes.count(code)
        kinds[code // len(STATUSES)] += count
        statuses[code % len(STATUSES)] += count
    times: Sequence[int] = probes.durations_us
    if statuses[_DOWN] or statuses[_UNKNOWN]:
        times = list(compress(times, [code % len(STATUSES) in _ANSWERED for code in probes.codes]))
    slots, rechecks, missed = kinds
    up, down, degraded, unknown = statuses
    return ProbeCounts(
        slots=slots,
        rechecks=rechecks,
        missed=missed,
        up=up,
        down=down,
        degraded=degraded,
        unknown=unknown,
        sum_us=sum(times),
        min_us=min(times, default=None),
        max_us=max(times, default=None),
    )


def _sum(one: ProbeCounts, other: ProbeCounts) -> ProbeCounts:
    return ProbeCounts(
        slots=one.slots + other.slots,
        rechecks=one.rechecks + other.rechecks,
        missed=one.missed + other.missed,
        up=one.up + other.up,
        down=one.down + other.down,
        degraded=one.degraded + other.degraded,
        unknown=one.unknown + other.unknown,
        sum_us=one.sum_us + other.sum_us,
        min_us=min((time for time in (one.min_us, other.min_us) if time is not None), default=None),
        max_us=max((time for time in (one.max_us, other.max_us) if time is not None), default=None),
    )
