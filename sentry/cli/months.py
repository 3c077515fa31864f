"""A site's month on the terminal: its figures, every interval with its rule, and what they come to; JSON too."""

from datetime import datetime
from typing import Any

from rich.markup import escape

from sentry.cli.shell import out
from sentry.cli.tables import show
from sentry.domain.budget import Budget, floored, floored_percent
from sentry.domain.counting import RULE_TEXT, CountedInterval, Effect, sums
from sentry.domain.month import local_time
from sentry.domain.watched_site import WatchedSite
from sentry.services.reckoning import SiteMonth, intervals_of


def percent(share: Any) -> str:  # noqa: ANN401  # a Fraction or None
    """Writes a share as percent, cut off and never rounded up."""
    shown = floored_percent(share)
    return "-" if shown is None else f"{shown} %"


def runs_out(reckoned: SiteMonth) -> str | None:
    """When nothing is left at the pace of a week, for a table."""
    minute = reckoned.runs_out["7d"]
    return None if minute is None else f"{local_time(minute, reckoned.site.zone):%Y-%m-%d %H:%M}"


def month_document(reckoned: SiteMonth) -> dict[str, Any]:
    """Returns the figures of a month as JSON values."""
    figures: Budget = reckoned.budget
    minutes = figures.minutes
    return {
        "site": reckoned.site.key,
        "month": str(reckoned.month),
        "time_zone": reckoned.site.zone.key,
        "target_percent": reckoned.site.uptime_target,
        "promised": figures.promised,
        "measured_percent": _number(floored_percent(figures.measured)),
        "observed_percent": _number(floored_percent(figures.observed.measured)),
        "worst_percent": _number(floored_percent(figures.worst)),
        "best_percent": _number(floored_percent(figures.best)),
        "verdict": figures.verdict,
        "minutes": {
            name: getattr(minutes, name) for name in ("total", "up", "down", "degraded", "maintenance", "unknown")
        },
        "left_out_minutes": figures.left_out,
        "allowed_minutes": float(figures.allowed),
        "spent_minutes": figures.spent,
        "left_minutes": float(figures.left),
        "used_ratio": float(figures.used),
        "runs_out_at": {window: _local(reckoned, minute) for window, minute in reckoned.runs_out.items()},
    }


def _local(reckoned: SiteMonth, minute: int | None) -> datetime | None:
    return None if minute is None else local_time(minute, reckoned.site.zone)


def _number(value: Any) -> float | None:  # noqa: ANN401  # a Decimal or None
    return None if value is None else float(value)


def _interval(site: WatchedSite, one: CountedInterval) -> dict[str, Any]:
    return {
        "from": local_time(one.start, site.zone),
        "until": local_time(one.end, site.zone),
        "minutes": one.minutes,
        "state": one.state,
        "rule": one.rule,
        "counts_as": one.effect,
        "decided_by": list(one.decided_by),
        "incident": one.incident.incident_id if one.incident else None,
        "side": one.incident.side if one.incident else None,
    }


def explained_document(reckoned: SiteMonth) -> dict[str, Any]:
    """Returns the figures of a month with every interval that they are made of."""
    intervals = intervals_of(reckoned)
    return {
        **month_document(reckoned),
        "intervals": [_interval(reckoned.site, one) for one in intervals],
        "sums": {effect.value: minutes for effect, minutes in sums(intervals).items()},
    }


def show_intervals(reckoned: SiteMonth) -> None:
    """Prints every interval of a month with its rule."""
    zone = reckoned.site.zone
    rows = [
        (
            local_time(one.start, zone),
            local_time(one.end, zone),
            one.minutes,
            one.state,
            ", ".join(one.decided_by) or None,
            f"#{one.incident.incident_id} {one.incident.side}" if one.incident else None,
            one.effect.replace("_", " "),
            RULE_TEXT[one.rule],
        )
        for one in intervals_of(reckoned)
    ]
    columns = ("from", "until", "minutes", "state", "decided by", "incident, side", "counts as", "rule")
    show(columns, rows, "no minutes")


def print_explanation(reckoned: SiteMonth) -> None:
    """Prints every minute of a month as runs, and how they add up to its budget, exactly."""
    budget, minutes = reckoned.budget, sums(intervals_of(reckoned))
    out.print(f"[bold]{escape(reckoned.site.name)}[/bold] {reckoned.month} ({reckoned.site.zone.key})\n")
    show_intervals(reckoned)
    out.print()
    if not budget.promised:
        out.print(f"observed only, nothing is promised: {minutes[Effect.SPENT]} minutes down")
        return
    taken, spent, unseen = minutes[Effect.TAKEN_OUT], minutes[Effect.SPENT], minutes[Effect.UNSEEN]
    counted = budget.span_minutes - taken
    share = floored((1 - budget.target) * 100, 6).normalize()
    lines = (
        ("minutes of the month", budget.span_minutes, ""),
        ("taken out", taken, f"{budget.minutes.maintenance} in maintenance, {budget.left_out} of others"),
        ("allowed", floored(budget.allowed, 3), f"{share:f} % of {counted}"),
        ("spent", spent, f"{spent + unseen} if it was down in every minute that was not seen"),
        ("left", floored(budget.left, 3), f"{floored(budget.left - unseen, 3)} then"),
        ("not seen", unseen, f"measured {percent(budget.measured)}, {_range(budget)}"),
        ("verdict", budget.verdict, f"target {reckoned.site.uptime_target:g} %"),
    )  # fmt: skip
    for name, figure, note in lines:
        out.print(f"  {name:<21}{figure!s:>10}  {note}".rstrip())


def _range(budget: Budget) -> str:
    return f"from {percent(budget.worst)} to {percent(budget.best)}"


def print_month(reckoned: SiteMonth) -> None:
    """Prints the figures of a month."""
    document = month_document(reckoned)
    figures = reckoned.budget
    out.print(f"[bold]{escape(reckoned.site.name)}[/bold] {document['month']} ({document['time_zone']})")
    for name, value in document["minutes"].items():
        out.print(f"  {name:<13}{value:>8}")
    out.print(f"  {'contract':<13}{percent(figures.measured) if figures.promised else '-':>10}")
    out.print(f"  {'observed':<13}{percent(figures.observed.measured):>10}")
    out.print(f"  {'worst, best':<13}[{percent(figures.worst)}, {percent(figures.best)}]".replace("[", "\\["))
    if figures.promised:
        out.print(f"  {'left out':<13}{figures.left_out:>8} min")
        out.print(f"  {'spent':<13}{figures.spent:>8} min")
        out.print(f"  {'allowed':<13}{floored(figures.allowed, 2):>8} min, {floored(figures.left, 2)} left")
    for window, minute in reckoned.runs_out.items():
        when = "not this month" if minute is None else f"{local_time(minute, reckoned.site.zone):%Y-%m-%d %H:%M}"
        out.print(f"  {'runs out':<13}{when} (at the pace of the last {window})")
    out.print(f"  {'verdict':<13}{figures.verdict} (target {document['target_percent']:g} %)")
