"""What was said of whose side an incident was on, and what the budget is told of it."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from sentry.domain.errors import NotFound, StoreConflict
from sentry.domain.failure_report import Attribution
from sentry.domain.incident import Incident, IncidentState, TimelineEntry
from sentry.domain.month import minute_of
from sentry.domain.responsibility import AGENT, AttributedSpan, AttributionEntry, said_by_person
from sentry.store import Store
from tests.fakes.incidents import report_of
from tests.fakes.watch import NOON, incident, minute

TOLD = TimelineEntry(minute(5), "attributed", "the client: they moved the name", {})
CLIENT, THIRD_PARTY, INFRASTRUCTURE = Attribution.CLIENT, Attribution.THIRD_PARTY, Attribution.INFRASTRUCTURE
START, END = minute_of(minute(-60)), minute_of(minute(60))


def blamed(found: Incident, side: Attribution, basis: str) -> Incident:
    return replace(found, report=replace(report_of(found), attribution=side, attribution_basis=basis))


async def opened(store: Store, side: Attribution = INFRASTRUCTURE) -> Incident:
    return await store.incidents.open(blamed(incident("shop", site_key="shop"), side, "connect_refused"), [])


async def spans(store: Store) -> list[AttributedSpan]:
    return list(await store.ledger.attributed("shop", START, END))


@pytest.mark.promise("002-06")
async def test_open_an_incident_keeps_the_agents_guess_with_its_basis(store: Store) -> None:
    """The guess is the first word; evidence that says another adds one, the same evidence adds none."""
    found = await opened(store)
    await store.incidents.save(replace(found, ticket_number=7), [], [])
    await store.incidents.save(blamed(found, THIRD_PARTY, "dns_resolvers_agree"), [], [])

    assert await store.attributions.history(found.id) == [
        AttributionEntry(found.detected_at, INFRASTRUCTURE, 1, AGENT, "connect_refused"),
        AttributionEntry(found.detected_at, THIRD_PARTY, 1, AGENT, "dns_resolvers_agree"),
    ]
    assert [span.side for span in await spans(store)] == [THIRD_PARTY]


async def test_append_a_persons_word_counts_from_then_on_and_stands_in_the_timeline(store: Store) -> None:
    """Hostile text is kept as it is, and later evidence does not undo what a person said."""
    found = await opened(store)
    said = said_by_person(CLIENT, 1, "Ana <script>", "they moved the name\0 '; DROP TABLE incidents", minute(5))
    await store.attributions.append(found.id, said, TOLD)
    await store.incidents.save(blamed(found, THIRD_PARTY, "dns_resolvers_agree"), [], [])

    history = await store.attributions.history(found.id)

    assert history[1] == said
    assert [span.side for span in await spans(store)] == [CLIENT]
    kept = await store.incidents.get(found.id)
    assert kept is not None
    assert kept.timeline == (TOLD,)


async def test_append_to_an_incident_that_is_not_there_writes_nothing(store: Store) -> None:
    """There is nothing to speak of."""
    with pytest.raises(NotFound, match="no incident 5"):
        await store.attributions.append(5, said_by_person(CLIENT, 1, "Ana", "moved", NOON), TOLD)
    assert await store.attributions.history(5) == []


@pytest.mark.parametrize("change", ["UPDATE attributions SET side = 'client'", "DELETE FROM attributions"])
async def test_attributions_that_somebody_tries_to_change_stay_as_they_are(store: Store, change: str) -> None:
    """The database itself refuses to take back what was said."""
    await opened(store)
    with pytest.raises(StoreConflict, match="append-only"):
        async with store.database.write() as connection:
            await connection.execute(text(change))
    assert [span.side for span in await spans(store)] == [INFRASTRUCTURE]


async def test_attributed_spans_reach_from_the_first_failure_to_the_minute_of_the_recovery(store: Store) -> None:
    """An incident that lasts has no end yet; one of another site, or no outage, is not told."""
    found = await opened(store)
    await store.incidents.open(incident("blog", site_key="blog"), [])
    await store.incidents.open(incident("burn_rate:shop", site_key="shop"), [])
    (lasting,) = await spans(store)
    assert (lasting.incident_id, lasting.start) == (found.id, minute_of(NOON))
    assert lasting.end > END

    over = replace(found, state=IncidentState.RESOLVED, resolved_at=minute(9), recovered_at=minute(8))
    await store.incidents.save(over, [], [])

    assert await spans(store) == [replace(lasting, end=minute_of(minute(8)) + 1)]
    assert await store.ledger.attributed("shop", minute_of(minute(9)), END) == []
    history = (await store.ledger.histories(["shop", "blog"], START, END))["shop"]
    assert list(history.attributed) == await spans(store)


async def test_lapses_of_a_site_differ_after_a_word_on_its_incident(store: Store) -> None:
    """Whoever keeps the mark reckons the budget anew."""
    found = await opened(store)
    before = await store.ledger.lapses(START)
    await store.attributions.append(found.id, said_by_person(CLIENT, 1, "Ana", "moved", minute(5)), TOLD)
    after = await store.ledger.lapses(START)
    assert before["shop"] != after["shop"]
