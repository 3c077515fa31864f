import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from sentry.domain.budget import Verdict
from sentry.domain.counting import RULE_TEXT, Rule
from sentry.domain.errors import StoreUnavailable
from sentry.domain.failure_report import Attribution
from sentry.domain.ledger import MinuteState, Run, Totals
from sentry.domain.maintenance import Work, excluded
from sentry.domain.maintenance_window import WorkKind
from sentry.domain.month import Month
from sentry.domain.responsibility import AttributedSpan
from sentry.domain.watched_site import WatchedCheck, WatchedSite
from sentry.domain.weight import Weight
from sentry.services.budget_watch import BudgetWatch
from sentry.services.budgets import Budgets
from tests.fakes.budget_watch import BudgetDesk
from tests.fakes.client_reports import FIRST_SEEN, FiledTickets, minute, october, runs, shop
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger
from tests.fakes.telemetry import RecordingTelemetry

DOWN, UNKNOWN = MinuteState.DOWN, MinuteState.UNKNOWN
NOVEMBER = Month(2026, 11)
NOON = datetime(2026, 11, 10, 11, 0, tzinfo=UTC)  # 12:00 in Madrid
MINUTES_BY_NOON = 9 * 1440 + 720


def one_check(*others: tuple[int, int, MinuteState], until: datetime = NOON) -> tuple[WatchedSite, MemoryLedger]:
    """A site with one check, watched since last December, up but for the others."""
    site = shop(checks=(WatchedCheck("acme-shop/http"),))
    ledger = MemoryLedger()
    ledger.seen = {"acme-shop/http": FIRST_SEEN}
    first = int(FIRST_SEEN.timestamp()) // 60
    ledger.check_runs = {"acme-shop/http": runs(first, int(until.timestamp()) // 60, *others)}
    return site, ledger


@pytest.mark.promise("001-23")
async def test_of_month_october_in_madrid_is_reckoned_over_its_44700_minutes() -> None:
    """Two outages, a gap of our own and a slow morning in the month of the long night."""
    ledger, _, _ = october()
    budget = (await Budgets(ledger, ManualClock(NOON)).of_month(shop(), Month(2026, 10))).budget
    assert budget.span_minutes == 44_700
    assert budget.minutes == Totals(up=44_700 - 59 - 25 - 45, down=59, degraded=45, unknown=25)
    assert budget.verdict is Verdict.MET
    assert not budget.running


@pytest.mark.promise("001-24")
async def test_of_month_running_counts_only_what_is_past() -> None:
    """On the tenth at noon the rest of the month is neither up nor unknown."""
    start = minute("2026-11", 3, "10:00")
    site, ledger = one_check((start, start + 20, DOWN))
    reckoned = await Budgets(ledger, ManualClock(NOON)).of_month(site)
    assert reckoned.month == NOVEMBER
    assert reckoned.budget.minutes == Totals(up=MINUTES_BY_NOON - 20, down=20)
    assert reckoned.budget.left == Fraction("109.6")


async def test_of_month_newest_minutes_not_written_yet_are_not_unknown() -> None:
    """A failure under re-check holds its minute back: it is not yet accounted for."""
    site, ledger = one_check(until=datetime(2026, 11, 10, 10, 58, tzinfo=UTC))
    budget = (await Budgets(ledger, ManualClock(NOON)).of_month(site)).budget
    assert budget.minutes.unknown == 0
    assert budget.until == minute("2026-11", 10, "11:58")


@pytest.mark.promise("001-28")
async def test_of_month_agent_was_away_is_unknown_but_for_the_newest_minutes() -> None:
    """An hour without the agent is 57 unknown minutes and three that may still be written."""
    site, ledger = one_check(until=datetime(2026, 11, 10, 10, 0, tzinfo=UTC))
    budget = (await Budgets(ledger, ManualClock(NOON)).of_month(site)).budget
    assert budget.minutes.unknown == 57


async def test_of_month_just_over_with_minutes_not_written_is_still_running() -> None:
    """The verdict waits for the last minutes of the month, and comes three minutes later at the latest."""
    site, ledger = one_check(until=datetime(2026, 11, 30, 22, 58, tzinfo=UTC))
    just_over = ManualClock(datetime(2026, 11, 30, 23, 0, 30, tzinfo=UTC))
    assert (await Budgets(ledger, just_over).of_month(site, NOVEMBER)).budget.verdict is Verdict.RUNNING
    later = ManualClock(datetime(2026, 11, 30, 23, 3, 30, tzinfo=UTC))
    assert (await Budgets(ledger, later).of_month(site, NOVEMBER)).budget.verdict is Verdict.MET


async def test_of_month_contract_begins_within_it_counts_from_its_first_day() -> None:
    """From 21 November local midnight there are 14,400 minutes, 43.2 of them allowed."""
    site, ledger = one_check(until=datetime(2026, 12, 2, tzinfo=UTC))
    site = replace(site, contract_start=date(2026, 11, 21))
    budget = (await Budgets(ledger, ManualClock(datetime(2026, 12, 2, tzinfo=UTC))).of_month(site, NOVEMBER)).budget
    assert budget.span_minutes == 14_400
    assert budget.allowed == Fraction("43.2")


async def test_of_month_first_partial_minute_of_a_check_counts_under_a_contract() -> None:
    """A check first seen at 12:00:20 that saw an outage in that minute has a say in it."""
    site, ledger = one_check()
    begin = minute("2026-11", 10, "12:00")
    ledger.seen = {"acme-shop/http": datetime(2026, 11, 10, 11, 0, 20, tzinfo=UTC)}
    ledger.check_runs = {"acme-shop/http": [Run(begin, begin + 1, DOWN), Run(begin + 1, begin + 5, MinuteState.UP)]}
    site = replace(site, contract_start=date(2026, 11, 10))
    clock = ManualClock(datetime(2026, 11, 10, 11, 5, tzinfo=UTC))

    budget = (await Budgets(ledger, clock).of_month(site)).budget

    assert (budget.minutes.down, budget.minutes.up, budget.minutes.unknown) == (1, 4, 720)


async def test_of_month_without_contract_counts_from_when_it_was_first_seen() -> None:
    """Seen first on 10 November at 11:59:20 with a first slot at 12:00: the month begins there."""
    site, ledger = one_check()
    ledger.seen = {"acme-shop/http": datetime(2026, 11, 10, 10, 59, 20, tzinfo=UTC)}
    begin = minute("2026-11", 10, "12:00")
    ledger.check_runs = {"acme-shop/http": runs(begin, begin + 600)}
    clock = ManualClock(datetime(2026, 11, 10, 21, 0, tzinfo=UTC))
    budget = (await Budgets(ledger, clock).of_month(site)).budget
    assert budget.start == begin
    assert budget.minutes == Totals(up=600)


@pytest.mark.parametrize("month", [Month(2025, 3), Month(2027, 3)])
async def test_of_month_before_the_contract_or_still_to_come_holds_nothing(month: Month) -> None:
    """Such a month has no figure and claims nothing."""
    site, ledger = one_check()
    budget = (await Budgets(ledger, ManualClock(NOON)).of_month(site, month)).budget
    assert budget.minutes == Totals()
    assert budget.measured is None
    assert budget.verdict in {Verdict.INCONCLUSIVE, Verdict.RUNNING}


async def test_of_month_check_that_does_not_count_changes_nothing() -> None:
    """An observed-only check may be down all day."""
    site, ledger = one_check()
    site = replace(site, checks=(*site.checks, WatchedCheck("acme-shop/extra", weight=Weight.OBSERVED)))
    ledger.seen["acme-shop/extra"] = FIRST_SEEN
    ledger.check_runs["acme-shop/extra"] = [Run(minute("2026-11", 1, "00:00"), minute("2026-11", 9, "00:00"), DOWN)]
    assert (await Budgets(ledger, ManualClock(NOON)).of_month(site)).budget.spent == 0


@pytest.mark.promise("001-30")
async def test_of_month_check_that_degrades_spends_nothing_and_is_named() -> None:
    """A gateway that is down for an hour degrades the shop for an hour; what it did not see is not unknown."""
    site, ledger = one_check()
    gateway = "acme-shop/gateway"
    site = replace(site, checks=(*site.checks, WatchedCheck(gateway, weight=Weight.DEGRADES)))
    ledger.seen[gateway] = FIRST_SEEN
    start = minute("2026-11", 2, "08:00")
    ledger.check_runs[gateway] = [Run(start, start + 60, DOWN)]
    reckoned = await Budgets(ledger, ManualClock(NOON)).of_month(site)
    assert (reckoned.budget.spent, reckoned.budget.minutes.degraded, reckoned.budget.minutes.unknown) == (0, 60, 0)
    degraded = [piece for piece in reckoned.explained if piece.run.state is MinuteState.DEGRADED]
    assert [piece.decided_by for piece in degraded] == [(gateway,)]


async def test_of_month_removed_check_keeps_its_down_minutes() -> None:
    """Renaming or removing a check does not mend the month, and does not make what follows unknown."""
    site, ledger = one_check()
    start = minute("2026-11", 2, "08:00")
    ledger.seen["acme-shop/old"] = FIRST_SEEN
    ledger.check_runs["acme-shop/old"] = [Run(start, start + 30, DOWN)]
    budget = (await Budgets(ledger, ManualClock(NOON)).of_month(site)).budget
    assert (budget.spent, budget.minutes.unknown) == (30, 0)


async def test_of_month_announced_maintenance_is_taken_out_and_its_overrun_counts() -> None:
    """The window covers 60 of the 80 minutes down: 20 count."""
    start = minute("2026-11", 4, "03:00")
    site, ledger = one_check((start, start + 80, DOWN))
    site = replace(site, maintenance=((start, start + 60),))
    budget = (await Budgets(ledger, ManualClock(NOON)).of_month(site)).budget
    assert (budget.spent, budget.minutes.maintenance) == (20, 60)
    assert budget.allowed == Fraction(3, 1000) * (43_200 - 60)


@pytest.mark.promise("001-24")
async def test_explain_every_minute_of_the_month_is_in_one_interval_with_its_rule() -> None:
    """The intervals tile the month and name who decided them."""
    start = minute("2026-11", 4, "03:00")
    gap = minute("2026-11", 6, "10:00")
    site, ledger = one_check((start, start + 80, DOWN), (gap, gap + 5, UNKNOWN))
    site = replace(site, maintenance=((start, start + 60),), contract_start=date(2026, 11, 2))
    told = await Budgets(ledger, ManualClock(NOON)).explain(site)
    first, end = NOVEMBER.minutes(site.zone)
    assert [each.start for each in told] == [first, *(each.end for each in told[:-1])]
    assert told[-1].end == end
    assert [(each.rule, each.minutes) for each in told] == [
        (Rule.NOT_UNDER_CONTRACT, 1440),
        (Rule.ANSWERED, 2 * 1440 + 180),
        (Rule.ANNOUNCED_MAINTENANCE, 60),
        (Rule.OVERRUN, 20),
        (Rule.ANSWERED, gap - start - 80),
        (Rule.NOT_SEEN, 5),
        (Rule.ANSWERED, minute("2026-11", 10, "12:00") - gap - 5),
        (Rule.STILL_TO_COME, end - minute("2026-11", 10, "12:00")),
    ]
    assert told[3].decided_by == ("acme-shop/http",)


@pytest.mark.promise("001-23")
async def test_removed_check_that_never_counted_spends_nothing() -> None:
    """An outage of a check that was only observed does not begin to count when the check is removed."""
    start = minute("2026-11", 3, "10:00")
    site, ledger = one_check()
    ledger.check_runs["acme-shop/icmp"] = [Run(start, start + 30, DOWN)]
    ledger.without_say = {"acme-shop/icmp"}

    reckoned = await Budgets(ledger, ManualClock(NOON)).of_month(site)

    assert reckoned.budget.spent == 0


@pytest.mark.promise("001-19", "001-23")
async def test_of_month_minutes_of_the_client_are_left_out_of_the_contract_alone() -> None:
    """40 minutes down, 25 of them in an incident of the client's: 15 are spent, 40 were observed."""
    start = minute("2026-11", 4, "03:00")
    site, ledger = one_check((start, start + 15, DOWN), (start + 100, start + 125, DOWN))
    ledger.attributed_spans["acme-shop"] = [
        AttributedSpan(1, start, start + 15, Attribution.INFRASTRUCTURE),
        AttributedSpan(2, start + 100, start + 126, Attribution.CLIENT),
    ]
    reckoned = await Budgets(ledger, ManualClock(NOON)).of_month(site)
    budget = reckoned.budget
    assert (budget.spent, budget.left_out, budget.minutes.down) == (15, 25, 40)
    assert budget.allowed == Fraction(3, 1000) * (43_200 - 25)
    assert budget.observed.spent == 40
    assert reckoned.left_out == (Run(start + 100, start + 125, DOWN),)
    assert [(each.run.minutes, each.span and each.span.incident_id) for each in reckoned.attributed] == [
        (15, 1),
        (25, 2),
    ]
    strict = replace(site, excluded=frozenset())
    assert (await Budgets(ledger, ManualClock(NOON)).of_month(strict)).budget.spent == 40


@pytest.mark.promise("001-19")
async def test_check_thresholds_site_that_is_not_ours_has_no_budget() -> None:
    """No ticket, no alarm and no gauge for what nobody promised, however long it was down."""
    start = minute("2026-11", 10, "10:00")
    site, ledger = one_check((start, start + 90, DOWN))
    budget_watch, tickets, telemetry = watch(ledger, ManualClock(NOON))
    await budget_watch.check_thresholds([replace(site, hosted=False)])
    assert tickets.filed == []
    assert telemetry.gauges == {}
    reckoned = await Budgets(ledger, ManualClock(NOON)).of_month(replace(site, hosted=False))
    assert (reckoned.budget.verdict, reckoned.budget.minutes.down) == (Verdict.OBSERVED, 90)


async def test_burn_rates_minutes_that_are_left_out_burn_nothing() -> None:
    """Once a person says that the client did it, the alarm has nothing left to burn."""
    start = minute("2026-11", 10, "11:00")
    site, ledger = one_check((start, start + 50, DOWN))
    budgets = Budgets(ledger, ManualClock(NOON))
    assert (await budgets.burn_rates(site))["1h"] > 100
    ledger.attributed_spans["acme-shop"] = [AttributedSpan(1, start, start + 51, Attribution.CLIENT)]
    assert set((await budgets.burn_rates(site)).values()) == {0.0}


def test_rule_text_every_rule_has_its_sentence() -> None:
    """No rule is printed as a bare code."""
    assert set(RULE_TEXT) == set(Rule)


class LockedLedger(MemoryLedger):
    """A ledger that cannot read one site."""

    def __init__(self, locked_site: str) -> None:
        super().__init__()
        self.locked_site = locked_site

    async def runs(self, site_key: str, start: int, end: int) -> Mapping[str, Sequence[Run]]:
        if site_key == self.locked_site:
            raise StoreUnavailable("the store is locked")
        return await super().runs(site_key, start, end)


def watch(ledger: MemoryLedger, clock: ManualClock) -> tuple[BudgetWatch, FiledTickets, RecordingTelemetry]:
    """A budget watch with its tickets and gauges."""
    desk = BudgetDesk(clock)
    return desk.watch(Budgets(ledger, clock)), desk.tickets, desk.telemetry


@pytest.mark.promise("001-24")
async def test_check_thresholds_98_minutes_down_file_one_ticket_for_each_threshold() -> None:
    """75.6 % used: tickets at 50 and 75, and none more however often it is checked, also after a restart."""
    start = minute("2026-11", 3, "10:00")
    site, ledger = one_check((start, start + 98, DOWN))
    budget_watch, tickets, _ = watch(ledger, ManualClock(NOON))
    await budget_watch.check_thresholds([site])
    await budget_watch.check_thresholds([site])
    assert [ticket.key for ticket in tickets.filed] == ["budget:acme-shop:2026-11:50", "budget:acme-shop:2026-11:75"]
    assert tickets.calls == 2
    assert tickets.filed[1].title == "Tienda Acme: gastado el 75\u00a0% de la caída admitida en noviembre de 2026"
    assert (
        "puede estar caída 129,6 minutos (prometido: 99,7\u00a0%). Van 98 minutos; quedan 31,6."
        in tickets.notes[1].text
    )
    assert "online-sentry ledger acme-shop --month 2026-11 --explain" in tickets.notes[1].text
    again = BudgetDesk(ManualClock(NOON), tickets).watch(Budgets(ledger, ManualClock(NOON)))
    await again.check_thresholds([site])
    assert len(tickets.filed) == 2


@pytest.mark.promise("001-24")
async def test_check_thresholds_outage_under_way_sets_the_gauges() -> None:
    """30 minutes down until now: what is left, what is used, and how fast it burns over each window."""
    start = minute("2026-11", 10, "11:30")
    site, ledger = one_check((start, start + 30, DOWN))
    budget_watch, _, telemetry = watch(ledger, ManualClock(NOON))
    await budget_watch.check_thresholds([site])

    def gauge(name: str, **labels: str) -> float:
        return telemetry.gauges[(name, frozenset({"site": site.key, **labels}.items()))]

    assert gauge("slo_budget_remaining_seconds") == pytest.approx(99.6 * 60)
    assert gauge("slo_budget_used_ratio") == pytest.approx(30 / 129.6)
    assert gauge("slo_burn_rate", window="5m") == pytest.approx(1000 / 3)
    assert gauge("slo_burn_rate", window="1h") == pytest.approx(500 / 3)
    assert gauge("slo_burn_rate", window="6h") == pytest.approx(30 / 360 / 0.003)
    assert gauge("slo_burn_rate", window="24h") == pytest.approx(30 / 1440 / 0.003)
    assert gauge("slo_burn_rate", window="72h") == pytest.approx(30 / 4320 / 0.003)


async def test_check_thresholds_month_just_over_is_looked_at_once_more() -> None:
    """An outage in the last minutes of November still files November's tickets in December."""
    end = minute("2026-12", 1, "00:00")
    site, ledger = one_check((end - 70, end, DOWN), until=datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
    budget_watch, tickets, _ = watch(ledger, ManualClock(datetime(2026, 11, 30, 23, 30, tzinfo=UTC)))
    await budget_watch.check_thresholds([site])
    assert [ticket.key for ticket in tickets.filed] == ["budget:acme-shop:2026-11:50"]


async def test_check_thresholds_one_site_fails_the_others_are_done() -> None:
    """A site that cannot be read is reported at the end and stops nobody."""
    start = minute("2026-11", 3, "10:00")
    site, ledger = one_check((start, start + 70, DOWN))

    locked = LockedLedger("broken")
    locked.seen, locked.check_runs = ledger.seen, ledger.check_runs
    budget_watch, tickets, _ = watch(locked, ManualClock(NOON))
    with pytest.raises(ExceptionGroup) as raised:
        await budget_watch.check_thresholds([shop(key="broken"), site])
    assert raised.value.exceptions[0].__notes__ == ["budget of site broken"]
    assert len(tickets.filed) == 1


async def test_of_month_site_that_flaps_every_minute_leaves_the_loop_free() -> None:
    """30,000 runs are reckoned beside the event loop, which goes on meanwhile, and come to the same figures."""
    site, ledger = one_check(until=datetime(2026, 12, 2, tzinfo=UTC))
    start, end = NOVEMBER.minutes(site.zone)
    states = (MinuteState.UP, MinuteState.DEGRADED)
    ledger.check_runs["acme-shop/http"] = [Run(at, at + 1, states[at % 2]) for at in range(start, end)]
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    heart = asyncio.create_task(beat())
    budget = (await Budgets(ledger, ManualClock(datetime(2026, 12, 2, tzinfo=UTC))).of_month(site, NOVEMBER)).budget
    heart.cancel()
    assert budget.minutes == Totals(up=21_600, degraded=21_600)
    assert turns > 5


@pytest.mark.promise("001-23")
async def test_explain_names_work_that_excused_nothing_and_what_overran() -> None:
    """Down minutes of late and of emergency work, and after the end of a window, each under their own rule."""
    start = minute("2026-11", 4, "03:00")
    said = NOON - timedelta(days=30)
    work = (
        Work(start, start + 60, start, "1", said, 48, "disks"),
        Work(start + 120, start + 180, start + 120, "2", said, 9999, "late"),
        Work(start + 240, start + 300, start + 240, "3", said, 48, "leak", WorkKind.EMERGENCY),
    )
    down = [(start + begin, start + end, DOWN) for begin, end in ((10, 80), (110, 130), (250, 310))]
    site, ledger = one_check(*down)
    site = replace(site, work=work, maintenance=excluded(work))
    told = [one for one in await Budgets(ledger, ManualClock(NOON)).explain(site) if one.state is DOWN]
    assert [(one.start - start, one.minutes, one.rule) for one in told] == [
        (60, 20, Rule.OVERRUN),
        (110, 10, Rule.CONFIRMED_DOWN),
        (120, 10, Rule.ANNOUNCED_LATE),
        (250, 50, Rule.EMERGENCY),
        (300, 10, Rule.CONFIRMED_DOWN),
    ]
    budget = (await Budgets(ledger, ManualClock(NOON)).of_month(site)).budget
    assert (budget.spent, budget.minutes.maintenance) == (100, 60)


async def test_burn_rate_of_an_outage_in_announced_maintenance_is_none() -> None:
    """What is taken out of the account burns nothing of it."""
    until = minute("2026-11", 10, "11:58")
    site, ledger = one_check((until - 30, until, DOWN))
    budgets = Budgets(ledger, ManualClock(NOON))
    assert (await budgets.burn_rates(site))["1h"] > 0
    excused = replace(site, maintenance=((until - 30, until + 30),))
    assert (await budgets.burn_rates(excused))["1h"] == 0
