"""Concerns travel through the outbox as events."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.concern import (
    MOST_CHARACTERS,
    MOST_ITEMS,
    MOST_LEVELS,
    Concern,
    ConcernKind,
    cleared,
)
from sentry.domain.events import EventKind
from sentry.domain.severity import Severity
from tests.fakes.concerns import concern

BEGAN_AT = datetime(2026, 11, 22, 3, 15, tzinfo=UTC)
KNOWN_AT = BEGAN_AT + timedelta(seconds=40)


def test_concern_of_the_event_that_raised_it_is_the_same_concern() -> None:
    """Nothing of a concern is lost on its way through the outbox, whose data are JSON values only."""
    raised = Concern(
        key="certificate:acme-shop/tls",
        kind=ConcernKind.CERTIFICATE,
        severity=Severity.SEV3,
        began_at=BEGAN_AT,
        site_key="acme-shop",
        client_key="acme",
        facts={"days_left": 14},
    )

    event = raised.raised(KNOWN_AT)

    assert (event.kind, event.at, event.subject) == (EventKind.CONCERN_RAISED, KNOWN_AT, raised.key)
    assert Concern.of(event) == raised


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_facts_any_of_usual_size_travel_unchanged(value: Any) -> None:
    """Only what is out of all proportion is cut."""
    facts = {"value": value}
    assert _levels(facts) > MOST_LEVELS or Concern.of(concern(facts=facts).raised(KNOWN_AT)).facts == facts


def test_facts_of_a_hostile_site_are_cut() -> None:
    """A certificate with a million names fills neither outbox nor mail."""
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    facts = {"names": ["x" * 100_000] * 100_000, "deep": deep, **{f"k{n}": n for n in range(1_000)}}
    for event in (concern(facts=facts).raised(KNOWN_AT), cleared("k", KNOWN_AT, BEGAN_AT, facts)):
        kept = event.data["facts"]
        assert len(kept) <= MOST_ITEMS
        assert len(json.dumps(kept)) < 2 * MOST_ITEMS * MOST_CHARACTERS


def _levels(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_levels, value.values()), default=0)
    return 1 + max(map(_levels, value), default=0) if isinstance(value, list) else 0


def test_concern_without_a_site_is_of_the_agent() -> None:
    """What is about no site is for operators, not for clients."""
    fault = Concern("own_fault:network", ConcernKind.OWN_FAULT, Severity.SEV2, BEGAN_AT)

    assert fault.is_of_agent


def test_cleared_concern_says_when_it_ended() -> None:
    """When it ended and when that was known are two instants."""
    event = cleared("own_fault:network", KNOWN_AT, BEGAN_AT)

    assert (event.kind, event.subject, event.at) == (EventKind.CONCERN_CLEARED, "own_fault:network", KNOWN_AT)
    assert event.data == {"ended_at": BEGAN_AT.isoformat(), "facts": {}}
