"""Geometry of the report's pictures, from figures to places on the page; the template draws them as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sentry.domain.client_report import Day, ResponseDay, SiteReport, TrendMonth
from sentry.reports.wording import N_, Wording

DAYS_OF_WEEK = 7
CELL_WIDTH, CELL_HEIGHT, CELL_GAP = 84, 54, 6
HEAD = 24
CHART_WIDTH, CHART_HEIGHT = 624, 120

STATE_TEXT = {
    "up": N_("worked all day"),
    "down": N_("down"),
    "degraded": N_("slow at times"),
    "maintenance": N_("maintenance"),
    "unknown": N_("partly not watched"),
    "none": N_("not counted"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One date of the calendar: its corner, its worst state and what is written in it."""

    x: int
    y: int
    day: int
    state: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One month of the trend; `height` of the bar from the bottom of the chart."""

    x: float
    width: float
    height: float
    label: str
    value: str
    figure: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Response times: a band from the median up to the 95th percentile, the median's line, and the axis."""

    median: str
    band: str
    ticks: tuple[tuple[float, str], ...]
    days: tuple[tuple[float, str], ...]


def calendar(site: SiteReport, wording: Wording) -> tuple[list[Cell], int, int]:
    """Returns the cells of the month's calendar (weeks begin on Monday), its width and its height."""
    if not site.days:
        return [], 0, 0
    offset = date.fromisoformat(site.days[0].date).weekday()
    cells = [_cell(number + offset, day, wording) for number, day in enumerate(site.days)]
    weeks = -(-(offset + len(site.days)) // DAYS_OF_WEEK)
    return cells, DAYS_OF_WEEK * (CELL_WIDTH + CELL_GAP) - CELL_GAP, HEAD + weeks * (CELL_HEIGHT + CELL_GAP)


def day_state(day: Day) -> str:
    """Returns the state that colours a date: the worst that it held."""
    for state in ("down", "degraded", "unknown", "maintenance", "up"):
        if getattr(day.minutes, state):
            return state
    return "none"


def used_share(site: SiteReport) -> float:
    """Returns the used part of the downtime budget, between 0 and 1, for its bar."""
    return min(1.0, max(0.0, float(site.figures.used_percent) / 100))


def trend_bars(trend: Sequence[TrendMonth], target: str, wording: Wording) -> tuple[list[Bar], float]:
    """Returns the bars of the trend and the height of the promise's line.

    The axis begins well above 0 %, as every figure lies close to 100: at the target less four times what it allows,
    or at the worst month.
    """
    promised = float(target)
    lowest = min([float(month.measured) for month in trend if month.measured] + [promised - 4 * (100 - promised)])
    scale = CHART_HEIGHT / max(100 - lowest, 0.001)
    slot = CHART_WIDTH / max(len(trend), 1)
    bars = [
        Bar(
            x=round(number * slot + slot * 0.15, 1),
            width=round(min(slot * 0.7, 60), 1),
            height=round(max(2.0, (float(month.measured) - lowest) * scale), 1) if month.measured else 0.0,
            label=wording.short_month(date.fromisoformat(f"{month.month}-01")),
            value=wording.percent_text(month.measured),
            figure=wording.number(Decimal(month.measured), 3) if month.measured else "",
            verdict=month.verdict,
        )
        for number, month in enumerate(trend)
    ]
    return bars, round((promised - lowest) * scale, 1)


def response_lines(days: Sequence[ResponseDay], month_days: int, wording: Wording) -> Lines:
    """Returns the lines of the response times over the month."""
    top = max([day.p95_ms for day in days] + [1]) * 1.1
    step = CHART_WIDTH / max(month_days, 1)

    def place(day: ResponseDay, value_ms: int) -> str:
        x = (date.fromisoformat(day.date).day - 0.5) * step
        return f"{x:.1f},{CHART_HEIGHT - value_ms / top * CHART_HEIGHT:.1f}"

    medians = [place(day, day.median_ms) for day in days]
    p95s = [place(day, day.p95_ms) for day in days]
    ticks = tuple(
        (round(CHART_HEIGHT * (1 - share), 1), wording.milliseconds(top * share / 1000)) for share in (0.0, 0.5, 1.0)
    )
    labels = tuple((round((day - 0.5) * step, 1), str(day)) for day in range(1, month_days + 1, 5))
    return Lines(" ".join(medians), " ".join(p95s + medians[::-1]), ticks, labels)


def _cell(place: int, day: Day, wording: Wording) -> Cell:
    when = date.fromisoformat(day.date)
    state = day_state(day)
    label = wording.text("{minutes} min", minutes=day.minutes.down) if day.minutes.down else ""
    title = f"{wording.long_day(when)}: {wording.text(STATE_TEXT[state])} {label}".strip()
    return Cell(
        x=place % DAYS_OF_WEEK * (CELL_WIDTH + CELL_GAP),
        y=HEAD + place // DAYS_OF_WEEK * (CELL_HEIGHT + CELL_GAP),
        day=when.day,
        state=state,
        label=label,
        title=title,
    )
