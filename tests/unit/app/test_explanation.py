"""What `budget --explain` prints of a month."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sentry.cli.months import explained_document, print_explanation
from sentry.domain.failure_report import Attribution
from sentry.domain.ledger import MinuteState
from sentry.domain.month import Month
from sentry.domain.responsibility import AttributedSpan
from sentry.domain.watched_site import WatchedCheck
from sentry.services.budgets import Budgets
from sentry.services.reckoning import SiteMonth
from tests.fakes.client_reports import FIRST_SEEN, minute, runs, shop
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger


async def october(**changes: object) -> SiteMonth:
    """October: 12 minutes down of ours, 20 of the client's, and 5 that nobody saw."""
    ledger = MemoryLedger()
    ledger.seen = {"acme-shop/http": FIRST_SEEN}
    ours, theirs, gap = (minute("2026-10", day, "10:00") for day in (3, 7, 9))
    ledger.check_runs["acme-shop/http"] = runs(
        int(FIRST_SEEN.timestamp()) // 60,
        minute("2026-11", 2, "00:00"),
        (ours, ours + 12, MinuteState.DOWN),
        (theirs, theirs + 20, MinuteState.DOWN),
        (gap, gap + 5, MinuteState.UNKNOWN),
    )
    ledger.attributed_spans["acme-shop"] = [
        AttributedSpan(3, ours, ours + 13, Attribution.INFRASTRUCTURE),
        AttributedSpan(4, theirs, theirs + 21, Attribution.CLIENT),
    ]
    site = replace(shop(checks=(WatchedCheck("acme-shop/http"),)), **changes)  # type: ignore[arg-type]  # any field
    clock = ManualClock(datetime(2026, 11, 3, tzinfo=UTC))
    return await Budgets(ledger, clock).of_month(site, Month(2026, 10))


@pytest.mark.promise("001-23", "001-24")
async def test_print_explanation_shows_every_interval_and_sums_that_are_the_budget(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each run with its rule, its incident and its side; the sums below are the budget's own figures."""
    print_explanation(await october())
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "Tienda Acme 2026-10 (Europe/Madrid)"
    down = [line for line in lines if " down " in line and line.startswith("2026")]
    ours, theirs = down
    assert ours == (
        "2026-10-03 10:00:00 2026-10-03 10:12:00 12 down acme-shop/http #3 infrastructure spent "
        "a counting check was in a confirmed outage: spends the budget"
    )
    assert theirs == (
        "2026-10-07 10:00:00 2026-10-07 10:20:00 20 down acme-shop/http #4 client taken out "
        "down by an incident that others answer for: left out of the contract's account"
    )
    assert lines[-7:] == [
        "minutes of the month 44700",
        "taken out 20 0 in maintenance, 20 of others",
        "allowed 134.040 0.3 % of 44680",
        "spent 12 17 if it was down in every minute that was not seen",
        "left 122.040 117.040 then",
        "not seen 5 measured 99.973 %, from 99.961 % to 99.973 %",
        "verdict met target 99.7 %",
    ]


async def test_explained_document_has_the_intervals_and_their_sums() -> None:
    """A program finds what a person reads."""
    document = explained_document(await october())
    assert document["sums"] == {
        "available": 44_700 - 37,
        "spent": 12,
        "unseen": 5,
        "taken_out": 20,
        "not_counted": 0,
    }
    of_others = [one for one in document["intervals"] if one["rule"] == "of_others"]
    assert [(one["minutes"], one["incident"], one["side"], one["counts_as"]) for one in of_others] == [
        (20, 4, "client", "taken_out")
    ]


@pytest.mark.promise("001-19")
async def test_print_explanation_of_a_site_that_is_not_ours_promises_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its minutes are shown, and no budget is made of them."""
    print_explanation(await october(hosted=False))
    text = capsys.readouterr().out
    assert "observed only, nothing is promised: 32 minutes down" in text
    assert "allowed" not in text
