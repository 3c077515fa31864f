"""`status`, `ledger` and `budget`: what the store knows, whether the agent runs or not."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from sentry.app.books import Books, open_books
from sentry.cli.months import (
    explained_document,
    month_document,
    percent,
    print_explanation,
    print_month,
    runs_out,
    show_intervals,
)
from sentry.cli.recomputed import print_recomputed, recomputed_document
from sentry.cli.shell import ExitCode, JsonOption, command, config_of, err, out, print_json, working
from sentry.cli.tables import show
from sentry.domain.budget import floored
from sentry.domain.health import Health, HealthState
from sentry.domain.month import Month, parse_month
from sentry.ports import Sample

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
    recompute: Annotated[
        bool, typer.Option("--recompute", help="From the raw evidence, held against the ledger.")
    ] = False,
    as_json: JsonOption = False,
) -> ExitCode:
    """Show the minutes of a site's month, and what counted them: up, down, degraded, in maintenance or unknown.

    With --recompute, exit code 1 where the ledger has a minute otherwise than its evidence.
    """
    wanted = month_of(month)
    async with open_books(config_of(context)) as books:
        watched = books.site(site)
        if recompute:
            with working("reading every sample again"):
                recomputed = await books.recompute(watched, wanted)
            if as_json:
                print_json(recomputed_document(recomputed))
            else:
                print_recomputed(recomputed)
            return ExitCode.NEGATIVE if recomputed.differences else ExitCode.OK
        reckoned = await books.budgets.of_month(watched, wanted)
    if as_json:
        print_json(explained_document(reckoned))
        return ExitCode.OK
    print_month(reckoned)
    if explain:
        out.print()
        show_intervals(reckoned)
    return ExitCode.OK


async def budget(
    context: typer.Context,
    site: Annotated[str | None, typer.Argument(metavar="[SITE]", help="The site's key; all sites if absent.")] = None,
    *,
    month: MonthOption = "",
    explain: Annotated[bool, typer.Option("--explain", help="Of one site: every minute, with its rule.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what each site may still be down this month, and the verdict."""
    wanted = month_of(month)
    if explain and not site:
        raise typer.BadParameter("--explain is about one site: name it", param_hint="SITE")
    async with open_books(config_of(context)) as books:
        sites = [books.site(site)] if site else list(books.roster.sites.values())
        with working(f"reckoning the month of {len(sites)} site(s)"):
            months = [await books.budgets.of_month(one, wanted) for one in sites]
    if as_json:
        print_json([explained_document(one) if explain else month_document(one) for one in months])
        return
    if explain:
        print_explanation(months[0])
        return
    rows = [
        (
            one.site.key,
            one.month,
            f"{one.site.uptime_target:g} %" if one.budget.promised else None,
            percent(one.budget.measured) if one.budget.promised else None,
            percent(one.budget.observed.measured),
            f"[{percent(one.budget.worst)}, {percent(one.budget.best)}]",
            one.budget.spent,
            floored(one.budget.allowed, 2) if one.budget.promised else None,
            floored(one.budget.left, 2) if one.budget.promised else None,
            one.budget.left_out,
            runs_out(one),
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
