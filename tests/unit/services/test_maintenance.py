from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sentry.domain.announcement import Revision, Scope, Subject
from sentry.domain.errors import NotFound, StoreConflict, StoreUnavailable, TransitionRefused
from sentry.domain.maintenance import Judgement
from sentry.domain.maintenance_window import MaintenanceWindow
from sentry.services.maintenance import Maintenance
from tests.fakes.clock import ManualClock
from tests.fakes.maintenance import MemoryMaintenanceBook

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SHOP, BLOG, OTHER = (
    Subject("shop", "web1", "acme", 48),
    Subject("blog", "web1", "acme", 24),
    Subject("other", None, "bits", 48),
)
SCOPE = Scope((SHOP, BLOG, OTHER), "Europe/Madrid")


def plan(**changed: Any) -> MaintenanceWindow:
    """An hour in the night of the fifth, local time, at a server of two sites."""
    known = {"reason": "disks", "starts_at": "2026-11-05T02:00", "duration_min": 60, "hosts": ["web1"]}
    return MaintenanceWindow.model_validate(known | changed)


@pytest.fixture
def clock() -> ManualClock:
    """Two days and sixteen hours before the window."""
    return ManualClock(START)


@pytest.fixture
def book() -> MemoryMaintenanceBook:
    """An empty book."""
    return MemoryMaintenanceBook()


@pytest.fixture
def maintenance(book: MemoryMaintenanceBook, clock: ManualClock) -> Maintenance:
    """The service over the book."""
    return Maintenance(book, clock)


def judgements(maintenance: Maintenance, site: str) -> list[Judgement]:
    """How each piece of work at a site counts."""
    return [one.judgement for one in maintenance.calendar.of(site)]


async def test_announce_a_window_is_about_the_sites_of_its_host_with_the_notice_of_each(
    maintenance: Maintenance, clock: ManualClock
) -> None:
    """The zone of the agency and the sites of that moment are kept with it."""
    await clock.advance(24 * 3600)
    window = await maintenance.announce(plan(), "ana", SCOPE)

    assert (window.key, window.plan.zone, window.author) == ("1", "Europe/Madrid", "ana")
    assert window.sites == {"shop", "blog"}
    assert judgements(maintenance, "shop") == [Judgement.ANNOUNCED_LATE]
    assert judgements(maintenance, "blog") == [Judgement.EXCLUDED]
    assert judgements(maintenance, "other") == []
    begin, end = window.next_occurrence(clock.now()) or (START, START)
    assert (begin.hour, end - begin) == (1, timedelta(hours=1))


async def test_announce_what_is_about_nobody_or_over_is_refused(maintenance: Maintenance) -> None:
    """A wrong key or a wrong year is said at once."""
    with pytest.raises(NotFound, match="shpo"):
        await maintenance.announce(plan(hosts=[], sites=["shop", "shpo"]), "ana", SCOPE)
    with pytest.raises(NotFound):
        await maintenance.announce(plan(hosts=["web9"]), "ana", SCOPE)
    with pytest.raises(TransitionRefused, match="over"):
        await maintenance.announce(plan(starts_at="2026-11-01T02:00"), "ana", SCOPE)
    assert maintenance.windows == {}


async def test_cancel_and_change_add_to_the_history_and_rewrite_nothing(
    maintenance: Maintenance, book: MemoryMaintenanceBook, clock: ManualClock
) -> None:
    """Each word has its author and its instant; the first stays as it was."""
    await maintenance.announce(plan(), "ana", SCOPE)
    first = (await book.revisions())[0]
    await clock.advance(60)
    await maintenance.change("1", "luis", lambda one: one.model_copy(update={"duration_min": 90}))
    await clock.advance(60)
    window = await maintenance.cancel("1", "eva")

    said = await book.revisions()
    assert said[0] == first
    assert [(one.author, one.sequence, one.plan and one.plan.duration_min) for one in said] == [
        ("ana", 0, 60),
        ("luis", 1, 90),
        ("eva", 2, None),
    ]
    assert (window.cancelled, window.next_occurrence(clock.now())) == (True, None)
    assert judgements(maintenance, "shop") == []


async def test_cancel_what_is_cancelled_over_unknown_or_configured_is_refused(
    maintenance: Maintenance, clock: ManualClock
) -> None:
    """What is past stays, and the configuration speaks for itself."""
    await maintenance.follow({"updates": plan()}, SCOPE)
    await maintenance.announce(plan(), "ana", SCOPE)
    await maintenance.announce(plan(starts_at="2026-11-02T12:00"), "ana", SCOPE)
    await maintenance.cancel("1", "ana")
    await clock.advance(5 * 3600)
    for key, error, word in (
        ("1", TransitionRefused, "already"),
        ("2", TransitionRefused, "over"),
        ("9", NotFound, "maintenance list"),
        ("configuration/updates", TransitionRefused, "reload"),
    ):
        with pytest.raises(error, match=word):
            await maintenance.cancel(key, "ana")


async def test_follow_the_configuration_speaks_only_when_something_changed(
    maintenance: Maintenance, book: MemoryMaintenanceBook
) -> None:
    """A reload that says the same adds nothing; another hour, a removal and a return do."""
    for _ in range(2):
        await maintenance.follow({"updates": plan()}, SCOPE)
    assert await book.count() == 1
    await maintenance.follow({"updates": plan(duration_min=90)}, SCOPE)
    assert (maintenance.windows["configuration/updates"].sequence, judgements(maintenance, "shop")) == (
        1,
        [Judgement.EXCLUDED, Judgement.EXCLUDED],
    )
    await maintenance.follow({}, SCOPE)
    await maintenance.follow({}, SCOPE)
    assert (await book.count(), maintenance.windows["configuration/updates"].cancelled) == (3, True)
    await maintenance.follow({"updates": plan()}, SCOPE)
    assert maintenance.windows["configuration/updates"].sites == {"shop", "blog"}


async def test_follow_sites_that_move_join_and_leave_windows_that_are_to_come(
    maintenance: Maintenance, clock: ManualClock
) -> None:
    """A site that moves to the server on the eve has no notice; one that leaves works as ever."""
    await maintenance.announce(plan(), "ana", SCOPE)
    await clock.advance(36 * 3600)
    moved = Scope((Subject("shop", None, "acme", 48), BLOG, Subject("other", "web1", "bits", 48)), SCOPE.zone)
    await maintenance.follow({}, moved)

    assert maintenance.windows["1"].sites == {"blog", "other"}
    assert judgements(maintenance, "shop") == []
    assert judgements(maintenance, "blog") == [Judgement.EXCLUDED]
    assert judgements(maintenance, "other") == [Judgement.ANNOUNCED_LATE]


async def test_follow_windows_that_are_over_keep_their_sites(
    maintenance: Maintenance, book: MemoryMaintenanceBook, clock: ManualClock
) -> None:
    """What is past is nobody's to change: not by moving a site, and not by forgetting it."""
    await maintenance.announce(plan(), "ana", SCOPE)
    await clock.advance(7 * 24 * 3600)
    await maintenance.follow({}, Scope((OTHER,), SCOPE.zone))

    assert await book.count() == 1
    assert judgements(maintenance, "shop") == [Judgement.EXCLUDED]


async def test_refresh_is_told_what_others_said_and_looks_further_as_time_goes_by(
    maintenance: Maintenance, book: MemoryMaintenanceBook, clock: ManualClock
) -> None:
    """A command beside the agent, and a weekly window that never ends."""
    assert await maintenance.refresh()
    assert not await maintenance.refresh()
    beside = Maintenance(book, clock)
    await beside.announce(plan(rrule="FREQ=WEEKLY"), "ana", SCOPE)
    assert await maintenance.refresh()
    foreseen = len(maintenance.calendar.of("shop"))
    await clock.advance(60 * 24 * 3600)
    assert await maintenance.refresh()
    assert len(maintenance.calendar.of("shop")) > foreseen


async def test_announce_a_clock_that_was_set_back_reorders_nothing(
    maintenance: Maintenance, book: MemoryMaintenanceBook, clock: ManualClock
) -> None:
    """What is said later is later."""
    await maintenance.announce(plan(), "ana", SCOPE)
    clock.jump(-3600)
    await maintenance.cancel("1", "ana")
    first, second = await book.revisions()
    assert second.at == first.at


class BusyBook(MemoryMaintenanceBook):
    """A book into which somebody else always writes first, a number of times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times = times

    async def add(self, revisions: Any) -> None:
        if self._times > 0:
            self._times -= 1
            other = Revision(revisions[0].window, 0, START, "another", plan(zone="UTC"), {"shop": 48.0})
            await super().add([other])
            raise StoreConflict("taken")
        await super().add(revisions)


async def test_announce_a_number_that_another_took_becomes_the_next(clock: ManualClock) -> None:
    """Two people announce at once: both windows are there."""
    maintenance = Maintenance(BusyBook(2), clock)
    window = await maintenance.announce(plan(), "ana", SCOPE)
    assert (window.key, list(maintenance.windows)) == ("3", ["1", "2", "3"])


async def test_announce_against_others_without_end_gives_up(clock: ManualClock) -> None:
    """It is said that nothing was written."""
    with pytest.raises(StoreUnavailable):
        await Maintenance(BusyBook(99), clock).announce(plan(), "ana", SCOPE)
