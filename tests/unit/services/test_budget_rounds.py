"""The budget watch at rest: what it leaves out changes no figure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentry.domain.errors import StoreUnavailable
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.ledger_tail import extend
from sentry.domain.watched_site import WatchedCheck, WatchedSite
from sentry.ports import SiteHistory
from sentry.services.budget_rounds import EVERY_MINUTES
from sentry.services.budget_watch import AT_ONCE, BudgetWatch
from sentry.services.budgets import Budgets
from sentry.services.reckoning import first_minute, standing_of
from tests.fakes.budget_watch import BudgetDesk
from tests.fakes.client_reports import FiledTickets, shop
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger
from tests.fakes.telemetry import RecordingTelemetry

UP, DOWN, DEGRADED, MAINTENANCE = MinuteState.UP, MinuteState.DOWN, MinuteState.DEGRADED, MinuteState.MAINTENANCE
MONTH_END = int(datetime(2026, 11, 30, 23, 0, tzinfo=UTC).timestamp()) // 60  # midnight in Madrid
SPAN = 9 * 1440
FIRST = MONTH_END - 6 * 1440
"""The histories here run from six days before a month's end to three days after it."""

Gauges = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def instant(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def lapses(longest: int = 300) -> st.SearchStrategy[list[Run]]:
    """Stretches of trouble somewhere in the span, as one check has them; between them it is up or not watched."""
    one = st.builds(
        lambda start, minutes, state: Run(FIRST + start, FIRST + start + minutes, state),
        st.integers(0, SPAN),
        st.integers(1, longest),
        st.sampled_from([DOWN, DOWN, DEGRADED, MAINTENANCE, MinuteState.UNKNOWN]),
    )
    return st.lists(one, max_size=4)


def ledger_of(troubles: Sequence[Run], end: int) -> list[Run]:
    """The runs of a check that was up but for its troubles, as far as they are written by a minute."""
    gaps = [run for run in troubles if run.state is MinuteState.UNKNOWN]
    lit = [Run(FIRST, FIRST + SPAN + 1440, UP)]
    for gap in gaps:
        lit = [
            piece
            for run in lit
            for piece in (Run(run.start, min(run.end, gap.start), UP), Run(max(run.start, gap.end), run.end, UP))
            if piece.start < piece.end
        ]
    whole = extend([], [*lit, *troubles])
    return [Run(run.start, min(run.end, end), run.state) for run in whole if run.start < end]


@dataclass(frozen=True)
class Story:
    """Two checks and announced work over nine days, and how many minutes late each check's ledger is written."""

    http: list[Run]
    tls: list[Run]
    work: list[tuple[int, int]]
    late: tuple[int, int]

    @property
    def site(self) -> WatchedSite:
        checks = (WatchedCheck("acme-shop/http"), WatchedCheck("acme-shop/tls", interval_s=120))
        return shop(checks=checks, maintenance=tuple(self.work))

    def history(self, now: int) -> SiteHistory:
        """What is written by a minute."""
        runs = {
            "acme-shop/http": ledger_of(self.http, now - self.late[0]),
            "acme-shop/tls": ledger_of(self.tls, now - self.late[1]),
        }
        return SiteHistory(runs, dict.fromkeys(runs, instant(FIRST)), set())


works = st.lists(st.integers(0, SPAN).map(lambda at: (FIRST + at, FIRST + at + 45)), max_size=2)
stories = st.builds(Story, lapses(), lapses(), works, st.tuples(st.integers(0, 1), st.integers(0, 2)))


def figures(site: WatchedSite, history: SiteHistory, now: int) -> object:
    """All that gauges and tickets are made of."""
    standing = standing_of(site, history, now)
    budget = standing.month.budget
    return standing.month.month, budget.left, budget.used, budget.crossed, standing.burn.rates, standing.burn.alarm


@pytest.mark.promise("001-24")
@settings(max_examples=150, deadline=None)
@given(story=stories, began=st.integers(1, SPAN), later=st.lists(st.floats(0, 1), min_size=3, max_size=8))
def test_standing_of_holds_until_it_says_whatever_good_minutes_follow(
    story: Story, began: int, later: list[float]
) -> None:
    """Up to that minute a full reckoning gives the same figures, as long as no lapse is written."""
    now = FIRST + began
    told = {run for runs in story.history(now).runs.values() for run in runs if run.state in {DOWN, MAINTENANCE}}
    before = figures(story.site, story.history(now), now)
    until = min(standing_of(story.site, story.history(now), now).holds_until, now + 5000)
    for share in later:
        at = now + int((until - now) * share)
        history = story.history(at)
        seen = {run for runs in history.runs.values() for run in runs if run.state in {DOWN, MAINTENANCE}}
        if seen == told and at < until:
            assert figures(story.site, history, at) == before


def exact(gauges: Gauges) -> Gauges:
    """All but the forecast: that one may be six hours old."""
    return {
        series: value for series, value in gauges.items() if series[0] != "slo_budget_exhausted_timestamp_seconds"
    }


class House:
    """A budget watch over one site, and beside it the full reckoning that it must agree with."""

    def __init__(self, story: Story, now: int) -> None:
        self.story = story
        self.site = story.site
        self.clock = ManualClock(instant(now))
        self.ledger = MemoryLedger()
        self.budgets = Budgets(self.ledger, self.clock)
        self.telemetry = RecordingTelemetry()
        self.tickets = FiledTickets()
        self.watch = self.new_watch(self.telemetry, self.tickets)
        self.write(now)

    def new_watch(self, telemetry: RecordingTelemetry, tickets: FiledTickets) -> BudgetWatch:
        return BudgetDesk(self.clock, tickets, telemetry).watch(self.budgets)

    def write(self, now: int) -> None:
        history = self.story.history(now)
        self.ledger.check_runs = {key: list(runs) for key, runs in history.runs.items()}
        self.ledger.seen = dict(history.first_seen)

    async def minute(self) -> None:
        """One minute goes by: the ledger grows, and the duty looks at it."""
        self.clock.jump(60)
        self.write(int(self.clock.now().timestamp()) // 60)
        await self.watch.check_thresholds([self.site])

    async def in_full(self) -> tuple[Gauges, set[str]]:
        """What a watch that has never been here before sets and files."""
        telemetry, tickets = RecordingTelemetry(), FiledTickets()
        await self.new_watch(telemetry, tickets).check_thresholds([self.site])
        return exact(telemetry.gauges), {ticket.key for ticket in tickets.filed}


@pytest.mark.promise("001-24")
@settings(max_examples=8, deadline=None)
@given(story=stories, began=st.integers(1, SPAN - 200))
@example(Story([Run(MONTH_END - 90, MONTH_END - 10, DOWN)], [], [], (0, 2)), 6 * 1440 - 100)
@example(Story([Run(MONTH_END - 20, MONTH_END + 20, DOWN)], [], [(MONTH_END - 5, MONTH_END + 5)], (1, 0)), 8600)
async def test_check_thresholds_minute_by_minute_tells_what_a_full_reckoning_tells(story: Story, began: int) -> None:
    """Every gauge of every minute is that of a full reckoning, and every ticket is there in the same minute."""
    house = House(story, FIRST + began)
    due = set[str]()
    for _ in range(150):
        await house.minute()
        gauges, filed = await house.in_full()
        due |= filed
        assert exact(house.telemetry.gauges) == gauges
        assert {ticket.key for ticket in house.tickets.filed} == due


class CountingLedger(MemoryLedger):
    """Counts whose histories were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    async def histories(self, site_keys: Collection[str], start: int, end: int) -> Mapping[str, SiteHistory]:
        self.read += site_keys
        return await super().histories(site_keys, start, end)


def quiet_house(count: int) -> tuple[CountingLedger, ManualClock, BudgetWatch, list[WatchedSite]]:
    """Many sites that were up all the month, and still are."""
    ledger, clock = CountingLedger(), ManualClock(instant(FIRST))
    sites = [shop(key=f"s{place}", checks=(WatchedCheck(f"s{place}/http"),)) for place in range(count)]
    for site in sites:
        ledger.check_runs[f"{site.key}/http"] = [Run(FIRST - 20_000, FIRST + SPAN, UP)]
        ledger.seen[f"{site.key}/http"] = instant(FIRST - 20_000)
    watch = BudgetDesk(clock).watch(Budgets(ledger, clock))
    return ledger, clock, watch, sites


async def test_check_thresholds_quiet_sites_are_read_every_six_hours_and_evenly() -> None:
    """All at first; then a few of them each minute."""
    ledger, clock, watch, sites = quiet_house(300)
    await watch.check_thresholds(sites)
    assert sorted(ledger.read) == sorted(site.key for site in sites)

    of_minute = []
    for _ in range(2 * EVERY_MINUTES):
        clock.jump(60)
        ledger.read.clear()
        await watch.check_thresholds(sites)
        of_minute.append(len(ledger.read))

    assert sum(of_minute[EVERY_MINUTES:]) == len(sites)
    assert max(of_minute) <= 8


async def test_check_thresholds_a_lapse_has_its_site_and_no_other_reckoned() -> None:
    """Also one that is written days late, within the longest window."""
    ledger, _, watch, sites = quiet_house(3)
    await watch.check_thresholds(sites)
    ledger.read.clear()
    late = FIRST - 4000
    ledger.check_runs["s1/http"] = [Run(FIRST - 20_000, late, UP), Run(late, late + 5, DOWN)]
    await watch.check_thresholds(sites)
    assert ledger.read == ["s1"]


async def test_check_thresholds_configuration_of_a_site_changed_is_reckoned_at_once() -> None:
    """Another target is another budget."""
    ledger, _, watch, sites = quiet_house(3)
    await watch.check_thresholds(sites)
    ledger.read.clear()
    await watch.check_thresholds([sites[0], replace(sites[1], uptime_target=99.9), sites[2]])
    assert ledger.read == ["s1"]


async def test_check_thresholds_site_removed_and_added_again_is_reckoned_at_once() -> None:
    """Its gauges went with it."""
    ledger, _, watch, sites = quiet_house(3)
    await watch.check_thresholds(sites)
    await watch.check_thresholds(sites[:2])
    ledger.read.clear()
    await watch.check_thresholds(sites)
    assert ledger.read == ["s2"]


async def test_check_thresholds_clock_set_back_reckons_all_again() -> None:
    """What was to hold until tomorrow's midnight would hold a day too long."""
    ledger, clock, watch, sites = quiet_house(3)
    await watch.check_thresholds(sites)
    ledger.read.clear()
    clock.jump(-timedelta(days=1).total_seconds())
    await watch.check_thresholds(sites)
    assert sorted(ledger.read) == ["s0", "s1", "s2"]


async def test_check_thresholds_site_that_is_not_registered_yet_is_asked_for_each_minute() -> None:
    """Its budget begins with its first check."""
    ledger, clock, watch, sites = quiet_house(1)
    seen, ledger.seen = ledger.seen, {}
    await watch.check_thresholds(sites)
    ledger.seen = seen
    ledger.read.clear()
    clock.jump(60)
    await watch.check_thresholds(sites)
    assert ledger.read == ["s0"]


class BrokenLedger(CountingLedger):
    """A ledger of which no history can be read."""

    async def histories(self, site_keys: Collection[str], start: int, end: int) -> Mapping[str, SiteHistory]:
        await super().histories(site_keys, start, end)
        raise StoreUnavailable("the store is locked")


async def test_check_thresholds_nothing_can_be_read_gives_up_before_asking_for_all() -> None:
    """A store that fails for a whole piece of sites is not asked ten thousand times; all are due again."""
    ledger, clock, _, sites = quiet_house(300)
    broken = BrokenLedger()
    broken.check_runs, broken.seen = ledger.check_runs, ledger.seen
    watch = BudgetDesk(clock).watch(Budgets(broken, clock))
    for _ in range(2):
        broken.read.clear()
        with pytest.raises(ExceptionGroup) as raised:
            await watch.check_thresholds(sites)
        assert len(raised.value.exceptions) == AT_ONCE
        assert len(broken.read) == 2 * AT_ONCE


@pytest.mark.parametrize("zone", ["Europe/Madrid", "America/Bogota"])
def test_first_minute_reaches_back_to_the_month_that_is_looked_at_again(zone: str) -> None:
    """In the first hours of a month its predecessor's beginning, later its own."""
    site = replace(shop(), zone=ZoneInfo(zone))
    december = int(datetime(2026, 12, 1, tzinfo=ZoneInfo(zone)).timestamp()) // 60
    assert first_minute(site, december) == december - 30 * 1440
    assert first_minute(site, december + 359) == december - 30 * 1440
    assert first_minute(site, december + 10 * 1440) == december
    assert first_minute(site, december + 360) == december + 360 - 10_080 - 3  # a forecast, and what may be late
