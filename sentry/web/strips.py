"""Small pictures as inline SVG: minutes as a strip, days of a month as bars, response times as a line.

They carry classes only, no styles: the policy of the pages allows none, and the style sheet knows light and dark.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from markupsafe import Markup

from sentry.domain.ledger import MinuteState, Run, Totals, clip, totals
from sentry.domain.month import Month, day_start
from sentry.domain.result import Phase
from sentry.ports import Sample

BUCKET_MINUTES = 2
"""Minutes of one bar of a strip; the worst of them gives its colour, so a single minute down is always seen."""

_WORST_FIRST = (
    MinuteState.DOWN,
    MinuteState.DEGRADED,
    MinuteState.UNKNOWN,
    MinuteState.MAINTENANCE,
    MinuteState.UP,
)
_DAY_HEIGHT = 32.0
_LEAST_HEIGHT = 6.0
_LEAST_WIDTH = 2.0
_ANSWERED = frozenset({"up", "degraded"})
_LINE_WIDTH, _LINE_HEIGHT = 360.0, 64.0


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a month; `minutes` is None where it is still to come or before the contract."""

    on: date
    minutes: Totals | None


def minute_strip(runs: Sequence[Run], start: int, end: int, label: str) -> Markup:
    """Returns the minutes [start, end) as bars of two minutes.

    Args:
        runs: runs that tile the span.
        start: first minute.
        end: the minute after the last.
        label: what the picture says, for those who cannot see it.
    """
    buckets = [_worst(runs, at, at + BUCKET_MINUTES) for at in range(start, end, BUCKET_MINUTES)]
    rects = [_rect(state, place, width, height=10) for place, width, state in _joined(buckets)]
    title = Markup("<title>{}</title>").format(label)
    return _picture("strip", len(buckets), 10, label, [title, *rects])


def days_of(month: Month, zone: ZoneInfo, runs: Sequence[Run], until: int) -> list[Day]:
    """Cuts a month's runs into its local days.

    Args:
        month: the calendar month.
        zone: its zone.
        runs: the runs of the month so far.
        until: the minute after the last one accounted for.
    """
    days = month.days()
    edges = [day_start(day, zone) for day in (*days, month.next.first_day)]
    begin = runs[0].start if runs else until
    return [
        Day(day, totals(clip(runs, start, min(end, until))) if start < until and end > begin else None)
        for day, start, end in zip(days, edges, edges[1:], strict=False)
    ]


def day_bars(days: Sequence[Day], labels: Sequence[str], label: str) -> Markup:
    """Returns one bar a day; what was down or unknown fills it from the bottom, never too thin to be seen."""
    bars = [_bar(place, day, text) for place, (day, text) in enumerate(zip(days, labels, strict=True))]
    return _picture("days", len(days) * 10 - 2, _DAY_HEIGHT, label, bars)


def response_line(samples: Sequence[Sample], label: str) -> Markup:
    """Returns response times as a line with a mark where a probe failed."""
    if not samples:
        return Markup("")
    first, last = samples[0].scheduled_at.timestamp(), samples[-1].scheduled_at.timestamp()
    width_s = max(last - first, 60.0)
    highest = max((sample.duration_s for sample in samples if sample.status in _ANSWERED), default=0.0) or 1.0
    drawn: list[Markup] = []
    points: list[str] = []
    for sample in samples:
        x = (sample.scheduled_at.timestamp() - first) / width_s * _LINE_WIDTH
        if sample.status in _ANSWERED:
            y = _LINE_HEIGHT - 3 - sample.duration_s / highest * (_LINE_HEIGHT - 8)
            points.append(f"{x:.1f},{y:.1f}")
            continue
        drawn.append(_polyline(points))
        points = []
        drawn.append(_rect("down" if sample.status == "down" else "unknown", x, 2, height=_LINE_HEIGHT))
    drawn.append(_polyline(points))
    return _picture("line", _LINE_WIDTH, _LINE_HEIGHT, label, drawn)


def phase_bar(phases: Mapping[Phase, float], failed: Phase | None, longest_s: float, label: str) -> Markup:
    """Returns the phases of one probe one after the other, on a scale that several probes share."""
    scale = 100.0 / longest_s if longest_s > 0 else 0.0
    x, rects = 0.0, []
    for phase in Phase:
        width = phases.get(phase, 0.0) * scale
        if phase is failed:
            width = max(width, _LEAST_WIDTH)
        if width:
            rects.append(_rect("failed" if phase is failed else f"phase-{phase}", x, width, height=10))
        x += width
    return _picture("phases", max(100.0, x), 10, label, rects)


def meter(share: float, kind: str, label: str) -> Markup:
    """Returns a bar that is filled to a share of 0 to 1."""
    filled = min(max(share, 0.0), 1.0) * 100
    return _picture("meter", 100, 6, label, [_rect("track", 0, 100, height=6), _rect(kind, 0, filled, height=6)])


def _picture(name: str, width: float, height: float, label: str, drawn: Sequence[Markup]) -> Markup:
    frame = Markup(
        '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    )
    return frame.format(name, f"{width:g}", f"{height:g}", label, Markup("").join(drawn))


def _rect(name: str, x: float, width: float, *, y: float = 0.0, height: float) -> Markup:
    rect = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
    return rect.format(name, f"{x:.4g}", f"{y:.4g}", f"{width:.4g}", f"{height:.4g}")


def _worst(runs: Sequence[Run], start: int, end: int) -> MinuteState:
    inside = {run.state for run in clip(runs, start, end)}
    return next((state for state in _WORST_FIRST if state in inside), MinuteState.UNKNOWN)


def _joined(buckets: Sequence[MinuteState]) -> Iterator[tuple[int, int, MinuteState]]:
    begin = 0
    for place in range(1, len(buckets) + 1):
        if place == len(buckets) or buckets[place] is not buckets[begin]:
            yield begin, place - begin, buckets[begin]
            begin = place


def _bar(place: int, day: Day, text: str) -> Markup:
    return Markup("<g>{}<title>{}</title></g>").format(Markup("").join(_parts(place, day.minutes)), text)


def _parts(place: int, counted: Totals | None) -> Iterator[Markup]:
    if counted is None or not counted.total:
        yield _rect("empty", place * 10, 8, height=_DAY_HEIGHT)
        return
    base = MinuteState.UP if counted.answered else MinuteState.UNKNOWN
    yield _rect(base, place * 10, 8, height=_DAY_HEIGHT)
    for state, minutes in (("unknown", counted.unknown), ("degraded", counted.degraded), ("down", counted.down)):
        if minutes and state != base:
            height = max(_LEAST_HEIGHT, _DAY_HEIGHT * minutes / counted.total)
            yield _rect(state, place * 10, 8, y=_DAY_HEIGHT - height, height=height)


def _polyline(points: Sequence[str]) -> Markup:
    return Markup('<polyline points="{}"/>').format(" ".join(points)) if points else Markup("")
