"""What is known better: spans of own fault, and the minutes, outages and states that they take back."""

from datetime import timedelta

from sentry.domain.events import Event, EventKind
from sentry.domain.health import Health, HealthState, Outage
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.own_fault import FaultCause, OwnFault
from sentry.domain.result import Phase, Reason
from sentry.ports import CorrectedCheck, Correction
from sentry.store import Store
from tests.fakes.watch import NOON, down, minute, record, up

UP, DOWN, UNKNOWN = MinuteState.UP, MinuteState.DOWN, MinuteState.UNKNOWN
OUTAGE = Outage("shop/http", NOON, minute(1), Reason.CONNECT_TIMEOUT, Phase.CONNECT, "no answer")
FAULT = OwnFault(FaultCause.NETWORK, NOON, None, ("anchor a does not answer (timed out)",))


async def _with_outage(store: Store) -> None:
    known = Health("shop/http", state=HealthState.DOWN, outage=OUTAGE)
    await store.watch.commit([record(up(at=minute(-5)), minutes=(Run(5, 10, UP),))])
    await store.watch.commit([record(down(), health=known, minutes=(Run(10, 14, DOWN),), outage=OUTAGE)])


async def test_correct_takes_minutes_out_and_withdraws_the_outage(store: Store) -> None:
    """A confirmed outage that was our own fault is gone, its minutes are unknown, and those beside them stand."""
    await _with_outage(store)
    better = Health("shop/http", state=HealthState.UP)
    happened = Event(EventKind.FAILURE_WITHDRAWN, minute(4), "shop/http", {"cause": "network"})
    checks = (CorrectedCheck(better, (Run(10, 11, UNKNOWN), Run(11, 13, UNKNOWN), Run(13, 14, UP)), OUTAGE),)

    await store.watch.correct(Correction(FAULT, checks, (happened,)))

    assert await store.ledger.runs("shop", 0, 100) == {"shop/http": [Run(5, 10, UP), Run(13, 14, UP)]}
    assert await store.ledger.outages("shop", NOON, minute(9)) == []
    assert await store.watch.load_health() == {"shop/http": better}
    event = await store.events.next_for("incidents", minute(5))
    assert event is not None
    assert (event.kind, event.data) == (happened.kind, happened.data)


async def test_correct_in_the_middle_of_a_run_splits_it_and_later_minutes_go_on(store: Store) -> None:
    """The writer remembers the end of each ledger; a correction must not make it write over what is new."""
    await _with_outage(store)

    await store.watch.correct(Correction(FAULT, (CorrectedCheck(Health("shop/http"), (Run(11, 12, UNKNOWN),)),)))
    await store.watch.commit([record(down("shop/http", minute(5)), minutes=(Run(14, 15, DOWN),))])

    runs = await store.ledger.runs("shop", 0, 100)
    assert runs == {"shop/http": [Run(5, 10, UP), Run(10, 11, DOWN), Run(12, 15, DOWN)]}


async def test_correct_whole_ledger_away_and_write_anew(store: Store) -> None:
    """A check whose every minute was ours begins again from nothing."""
    await store.watch.commit([record(down(), minutes=(Run(10, 12, DOWN),))])
    await store.watch.correct(Correction(FAULT, (CorrectedCheck(Health("shop/http"), (Run(10, 12, UNKNOWN),)),)))
    assert await store.ledger.runs("shop", 0, 100) == {"shop/http": []}

    await store.watch.commit([record(up("shop/http", minute(5)), minutes=(Run(12, 13, UP),))])

    assert await store.ledger.runs("shop", 0, 100) == {"shop/http": [Run(12, 13, UP)]}


async def test_correct_again_leaves_one_span_with_its_end(store: Store) -> None:
    """A span is written when it begins and again when it ends; raw samples stay as they were seen."""
    await _with_outage(store)
    ended = OwnFault(FAULT.cause, FAULT.began_at, NOON + timedelta(minutes=3), FAULT.evidence)

    await store.watch.correct(Correction(FAULT))
    await store.watch.correct(Correction(ended))
    await store.watch.correct(Correction(ended))

    assert await store.ledger.own_faults(NOON, minute(60)) == [ended]
    assert await store.ledger.own_faults(minute(4), minute(60)) == []
    assert [one.status for one in await store.ledger.samples("shop/http", NOON, minute(1), 10)] == ["down"]
    assert await store.ledger.failures("shop/http", 5) == [down()]
