"""A recomputed month on the terminal: both figures side by side, and every minute that differs; JSON too."""

from typing import Any

from rich.markup import escape

from sentry.cli.months import month_document
from sentry.cli.shell import out
from sentry.cli.tables import show
from sentry.domain.month import local_time
from sentry.services.recomputation import Difference, Recomputed

MAX_SHOWN = 1_000
"""Minutes listed on a terminal; JSON has them all."""

FIGURES = ("up", "down", "degraded", "unknown", "maintenance")


def recomputed_document(recomputed: Recomputed) -> dict[str, Any]:
    """Returns both months and every difference as JSON values."""
    return {
        "stored": month_document(recomputed.stored),
        "recomputed": month_document(recomputed.told),
        "same": not recomputed.differences,
        "compared_minutes": recomputed.compared,
        "minutes_without_evidence": recomputed.without_evidence,
        "checks_no_longer_configured": list(recomputed.unconfigured),
        "differences": [_document(recomputed, one) for one in recomputed.differences],
    }


def print_recomputed(recomputed: Recomputed) -> None:
    """Prints both figures, and each minute that the ledger has otherwise than its evidence."""
    stored, told = recomputed.stored, recomputed.told
    site = stored.site
    out.print(f"[bold]{escape(site.name)}[/bold] {stored.month} ({site.zone.key})")
    rows = [(name, getattr(stored.budget.minutes, name), getattr(told.budget.minutes, name)) for name in FIGURES]
    rows.append(("spent", stored.budget.spent, told.budget.spent))
    show(("minutes", "ledger", "evidence"), rows, "")
    out.print(f"{recomputed.compared} minutes of checks were recomputed")
    if recomputed.without_evidence:
        out.print(f"of {recomputed.without_evidence} minutes of checks no evidence is kept any more: not compared")
    if recomputed.unconfigured:
        out.print(f"no longer configured, not compared: {escape(', '.join(recomputed.unconfigured))}")
    if not recomputed.differences:
        out.print("the evidence gives the same figures, to the minute")
        return
    out.print(f"[red]{len(recomputed.differences)} minutes differ from their evidence[/red]")
    lines = [
        (one.check_key, local_time(one.minute, site.zone), one.stored, " or ".join(one.possible))
        for one in recomputed.differences[:MAX_SHOWN]
    ]
    show(("check", "minute", "ledger", "evidence"), lines, "")
    if len(recomputed.differences) > MAX_SHOWN:
        out.print(f"and {len(recomputed.differences) - MAX_SHOWN} more; --json has them all")


def _document(recomputed: Recomputed, one: Difference) -> dict[str, Any]:
    return {
        "check": one.check_key,
        "minute": local_time(one.minute, recomputed.stored.site.zone),
        "stored": one.stored,
        "evidence": list(one.possible),
    }
