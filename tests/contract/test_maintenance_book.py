"""Maintenance windows: revisions are added in order, and none is ever rewritten."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sentry.domain.announcement import Revision
from sentry.domain.errors import StoreConflict
from sentry.domain.maintenance_window import MaintenanceWindow
from sentry.ports import MaintenanceBook
from sentry.store import open_store
from tests.contract.conftest import HANDLERS
from tests.fakes.clock import ManualClock
from tests.fakes.maintenance import MemoryMaintenanceBook
from tests.fakes.postgres import PostgresServer
from tests.fakes.watch import NOON, minute

PLAN = MaintenanceWindow.model_validate(
    {
        "reason": "Servidor nuevo: «más rápido» \ud83d\ude80".encode("utf-16", "surrogatepass").decode("utf-16"),
        "starts_at": "2026-12-01T02:00",
        "duration_min": 90,
        "rrule": "FREQ=WEEKLY;BYDAY=TU",
        "except_dates": ["2026-12-29"],
        "zone": "Europe/Madrid",
        "hosts": ["web1"],
    }
)
FIRST = Revision("1", 0, NOON, "ana", PLAN, {"shop": 48.0, "blog": 0.5})


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def book(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[MaintenanceBook]:
    """The fake, and the stores that it stands in for."""
    if request.param == "memory":
        yield MemoryMaintenanceBook()
        return
    address = f"sqlite:///{tmp_path}/sentry.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        address = server.empty_database()
    async with open_store(address, handlers=HANDLERS, clock=clock) as store:
        yield store.maintenance


async def test_add_revisions_are_read_back_whole_and_in_order(book: MaintenanceBook) -> None:
    """What was said is what is read: plan, sites with their notice, who and when."""
    cancelled = Revision("1", 1, minute(9), "luis", None, {}, ("shop",))
    other = replace(FIRST, window="configuration/updates")
    await book.add([FIRST, other])
    await book.add([cancelled])
    await book.add([])

    assert list(await book.revisions()) == [FIRST, other, cancelled]
    assert await book.count() == 3


async def test_add_a_revision_of_a_number_that_is_there_is_refused_whole(book: MaintenanceBook) -> None:
    """Two people who change a window at once: the second has to look again."""
    await book.add([FIRST])

    with pytest.raises(StoreConflict):
        await book.add([replace(FIRST, window="2"), replace(FIRST, author="luis", plan=None)])

    assert list(await book.revisions()) == [FIRST]
