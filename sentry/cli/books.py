"""`status`, `ledger` and `budget`: what the store knows, whether the agent runs or not."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape

from sentry.app.books import Books, open_books
from sentry.cli.shell import ExitCode, JsonOption, command, config_of, err, out, print_json, working
from sentry.cli.tables import show
from sentry.domain.budget import Budget, floored, floored_percent
from sentry.domain.counting import RULE_TEXT, CountedInterval
from sentry.domain.health import Health, HealthState
from sentry.domain.month import Month, local_time, parse_month
from sentry.domain.watched_site import WatchedSite
from sentry.ports import Sample
from sentry.services.reckoning import SiteMonth

MonthOption = Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month; the running one if absent.")]
SHOWN_STATES = {HealthState.SUSPECT: "up?", HealthState.RECOVERING: "down?"}
DOWN_STATES = frozenset({HealthState.DOWN, HealthState.RECOVERING})

STALE_AFTER_INTERVALS = 3
"""A check whose newest result is older, and older than three minutes, is watched by nobody now."""


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("status")(command(status))
    app.command("ledger")(command(ledger))
    app.command("budget")(command(budget))


async def status(context: typer.Context, *, as_json: JsonOption = False) -> ExitCode:
    """Show every check as it was last seen. Exit code 1 when one is down, or has not been seen lately."""
    async with open_books(config_of(context)) as books:
        now = books.clock.now()
        known = await books.store.watch.load_health()
        latest = await books.store.ledger.latest()
        rows = [
            _status(books, key, known.get(key, Health(key)), latest.get(key), now)
            for key in sorted(books.roster.checks)
        ]
    stale = sum(row["stale"] for row in rows)
    if as_json:
        print_json(rows)
    else:
        columns = ("check", "state", "last seen (UTC)", "took", "reason", "url")
        keys = ("check", "state", "last_seen_at", "took_ms", "reason", "url")
        shown = [[_short(row, key) for key in keys] for row in rows]
        show(columns, shown, "nothing is watched")
        if stale:
            err.print(f"[yellow]{stale} of {len(rows)} checks were not seen lately; does the agent run?[/yellow]")
    down = any(row["state"] in DOWN_STATES for row in rows)
    return ExitCode.NEGATIVE if down or stale else ExitCode.OK


def _status(books: Books, key: str, health: Health, latest: Sample | None, now: datetime) -> dict[str, Any]:
    lately = timedelta(seconds=STALE_AFTER_INTERVALS * max(books.roster.checks[key].interval_s, 60))
    return {
        "check": key,
        "site": books.roster.checks[key].site_key,
        "url": books.roster.checks[key].url,
        "state": health.state,
        "stale": latest is not None and now - latest.scheduled_at > lately,
        "since": health.since.isoformat() if health.since else None,
        "degraded": health.degraded,
        "last_seen_at": latest.scheduled_at.isoformat(timespec="seconds") if latest else None,
        "last_result": latest.status if latest else None,
        "reason": (health.outage.reason if health.outage else None) or (latest.reason if latest else None),
        "took_ms": round(latest.duration_s * 1000, 1) if latest else None,
    }


def _short(row: Mapping[str, Any], key: str) -> object:
    value = row[key]
    if value is None:
        return None
    if key == "state":
        return "unknown" if row["stale"] else SHOWN_STATES.get(value, str(value))
    if key == "took_ms":
        return f"{value} ms"
    return str(value).removesuffix("+00:00").replace("T", " ") if key == "last_seen_at" else value


async def ledger(
    context: typer.Context,
    site: Annotated[str, typer.Argument(metavar="SITE", help="The site's key.")],
    *,
    month: MonthOption = "",
    explain: Annotated[bool, typer.Option("--explain", help="Every interval with the rule that counted it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the minutes of a site's month, and what counted them: up, down, degraded, in maintenance or unknown."""
    wanted = month_of(month)
    async with open_books(config_of(context)) as books:
        watched = books.site(site)
        reckoned = await books.budgets.of_month(watched, wanted)
        counted = await books.budgets.explain(watched, reckoned.month) if explain or as_json else ()
    if as_json:
        intervals = [_interval(watched, one) for one in counted]
        print_json({**_month_document(reckoned), "intervals": intervals})
        return
    _print_month(reckoned)
    if explain:
        rows = [
            (
                local_time(one.start, watched.zone),
                local_time(one.end, watched.zone),
                one.minutes,
                one.state,
                ", ".join(one.decided_by) or None,
                RULE_TEXT[one.rule],
            )
            for one in counted
        ]
        out.print()
        show(("from", "until", "minutes", "state", "decided by", "rule"), rows, "no minutes")


async def budget(
    context: typer.Context,
    site: Annotated[str | None, typer.Argument(metavar="[SITE]", help="The site's key; all sites if absent.")] = None,
    *,
    month: MonthOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what each site may still be down this month, and the verdict."""
    wanted = month_of(month)
    async with open_books(config_of(context)) as books:
        sites = [books.site(site)] if site else list(books.roster.sites.values())
        with working(f"reckoning the month of {len(sites)} site(s)"):
            months = [await books.budgets.of_month(one, wanted) for one in sites]
    if as_json:
        print_json([_month_document(one) for one in months])
        return
    rows = [
        (
            one.site.key,
            one.month,
            f"{one.site.uptime_target:g} %" if one.budget.promised else None,
            _percent(one.budget.measured) if one.budget.promised else None,
            _percent(one.budget.observed.measured),
            f"[{_percent(one.budget.worst)}, {_percent(one.budget.best)}]",
            one.budget.spent,
            floored(one.budget.allowed, 2) if one.budget.promised else None,
            floored(one.budget.left, 2) if one.budget.promised else None,
            one.budget.left_out,
            _runs_out(one),
            one.budget.verdict,
        )
        for one in months
    ]
    columns = (
        "site", "month", "target", "contract", "observed", "[worst, best]", "spent", "allowed", "left", "left out",
        "runs out", "verdict",
    )  # fmt: skip
    show(columns, rows, "nothing is watched")


def month_of(text: str) -> Month | None:
    """Returns the month that was asked for, None for the running one.

    Raises:
        typer.BadParameter: the text names no month.
    """
    try:
        return parse_month(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--month") from None


def _percent(share: Any) -> str:  # noqa: ANN401  # a Fraction or None
    shown = floored_percent(share)
    return "-" if shown is None else f"{shown} %"


def _runs_out(reckoned: SiteMonth) -> str | None:
    """When nothing is left at the pace of a week, for a table."""
    minute = reckoned.runs_out["7d"]
    return None if minute is None else f"{local_time(minute, reckoned.site.zone):%Y-%m-%d %H:%M}"


def _month_document(reckoned: SiteMonth) -> dict[str, Any]:
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
        "decided_by": list(one.decided_by),
    }


def _print_month(reckoned: SiteMonth) -> None:
    document = _month_document(reckoned)
    figures = reckoned.budget
    out.print(f"[bold]{escape(reckoned.site.name)}[/bold] {document['month']} ({document['time_zone']})")
    for name, value in document["minutes"].items():
        out.print(f"  {name:<13}{value:>8}")
    out.print(f"  {'contract':<13}{_percent(figures.measured) if figures.promised else '-':>10}")
    out.print(f"  {'observed':<13}{_percent(figures.observed.measured):>10}")
    out.print(f"  {'worst, best':<13}[{_percent(figures.worst)}, {_percent(figures.best)}]".replace("[", "\\["))
    if figures.promised:
        out.print(f"  {'left out':<13}{figures.left_out:>8} min")
        out.print(f"  {'spent':<13}{figures.spent:>8} min")
        out.print(f"  {'allowed':<13}{floored(figures.allowed, 2):>8} min, {floored(figures.left, 2)} left")
    for window, minute in reckoned.runs_out.items():
        when = "not this month" if minute is None else f"{local_time(minute, reckoned.site.zone):%Y-%m-%d %H:%M}"
        out.print(f"  {'runs out':<13}{when} (at the pace of the last {window})")
    out.print(f"  {'verdict':<13}{figures.verdict} (target {document['target_percent']:g} %)")
