"""The ledger of many sites, read at once: the same as one by one, and a mark that tells of every change."""

from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from sentry.domain.ledger import MinuteState, Run
from sentry.store import Store
from sentry.store.ledger_bulk import lapses_query
from tests.fakes.checks import make_check
from tests.fakes.watch import NOON, minute, record, up

UP, DOWN, MAINTENANCE = MinuteState.UP, MinuteState.DOWN, MinuteState.MAINTENANCE
KEYS = ("shop/http", "shop/tls", "blog/http", "docs/http")


async def _add(store: Store, check_key: str, *runs: Run) -> None:
    await store.watch.commit([record(up(check_key), minutes=runs)])


async def test_histories_of_several_sites_are_what_each_read_alone_is(store: Store) -> None:
    """Runs, first sight and say; clipped to the span; also for a site that nobody knows."""
    await store.watch.register([make_check(key) for key in KEYS[:3]], NOON)
    await store.watch.register([make_check(key) for key in KEYS], minute(3))
    await _add(store, "shop/http", Run(0, 50, UP), Run(50, 60, DOWN), Run(70, 200, UP))
    await _add(store, "shop/tls", Run(0, 10, UP))
    await _add(store, "blog/http", Run(90, 120, MAINTENANCE))

    for start, end in ((0, 500), (55, 75), (60, 70), (199, 200), (200, 300)):
        found = await store.ledger.histories(["shop", "blog", "docs", "nobody"], start, end)

        assert set(found) == {"shop", "blog", "docs", "nobody"}
        for key, history in found.items():
            assert history.runs == await store.ledger.runs(key, start, end)
            assert history.first_seen == await store.ledger.first_seen(key)
            assert set(history.uncounted) == set(await store.ledger.uncounted(key))


async def test_lapses_mark_changes_with_each_minute_down_and_with_no_other(store: Store) -> None:
    """Good and slow minutes leave the mark alone; a new run, a longer one and another state do not."""
    await _add(store, "shop/http", Run(0, 50, UP))
    await _add(store, "blog/http", Run(0, 50, MinuteState.DEGRADED))
    assert await store.ledger.lapses(0) == {}

    marks = []
    for run in (Run(50, 51, MAINTENANCE), Run(51, 52, DOWN), Run(52, 53, DOWN), Run(50, 51, DOWN), Run(60, 61, DOWN)):
        await _add(store, "shop/http", run)
        found = await store.ledger.lapses(0)
        assert set(found) == {"shop"}
        marks.append(found["shop"])
    assert len(set(marks)) == len(marks)

    await _add(store, "shop/http", Run(61, 90, UP))
    await _add(store, "blog/http", Run(50, 90, UP))
    assert await store.ledger.lapses(0) == {"shop": marks[-1]}


async def test_lapses_that_ended_before_are_not_told(store: Store) -> None:
    """Only runs that end after the minute count."""
    await _add(store, "shop/http", Run(50, 60, DOWN))
    await _add(store, "blog/http", Run(50, 61, DOWN))

    assert set(await store.ledger.lapses(59)) == {"shop", "blog"}
    assert set(await store.ledger.lapses(60)) == {"blog"}
    assert await store.ledger.lapses(61) == {}


async def test_lapses_are_found_by_their_index_alone(store: Store) -> None:
    """It is asked each minute, and the ledger of thirteen months has millions of runs."""
    if not store.database.is_sqlite:
        return  # PostgreSQL plans by what stands in a table, and here nothing does
    dialect = sqlite.dialect()
    query = lapses_query().params(since=5).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    async with store.database.read() as connection:
        plan = [row.detail for row in await connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
    assert any("ledger_runs_lapses" in step for step in plan), plan
    assert not any(step == "SCAN ledger_runs" for step in plan), plan
