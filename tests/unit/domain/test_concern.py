"""Concerns travel through the outbox as events."""

from datetime import UTC, datetime, timedelta

from sentry.domain.concern import Concern, ConcernKind, cleared
from sentry.domain.events import EventKind
from sentry.domain.severity import Severity

BEGAN_AT = datetime(2026, 11, 22, 3, 15, tzinfo=UTC)
KNOWN_AT = BEGAN_AT + timedelta(seconds=40)


def test_concern_of_the_event_that_raised_it_is_the_same_concern() -> None:
    """Nothing of a concern is lost on its way through the outbox, whose data are JSON values only."""
    concern = Concern(
        key="certificate:acme-shop/tls",
        kind=ConcernKind.CERTIFICATE,
        severity=Severity.SEV3,
        began_at=BEGAN_AT,
        site_key="acme-shop",
        client_key="acme",
        facts={"days_left": 14},
    )

    event = concern.raised(KNOWN_AT)

    assert (event.kind, event.at, event.subject) == (EventKind.CONCERN_RAISED, KNOWN_AT, concern.key)
    assert Concern.of(event) == concern


def test_concern_without_a_site_is_of_the_agent() -> None:
    """What is about no site is for operators, not for clients."""
    concern = Concern("own_fault:network", ConcernKind.OWN_FAULT, Severity.SEV2, BEGAN_AT)

    assert concern.is_of_agent


def test_cleared_concern_says_when_it_ended() -> None:
    """When it ended and when that was known are two instants."""
    event = cleared("own_fault:network", KNOWN_AT, BEGAN_AT)

    assert (event.kind, event.subject, event.at) == (EventKind.CONCERN_CLEARED, "own_fault:network", KNOWN_AT)
    assert event.data == {"ended_at": BEGAN_AT.isoformat(), "facts": {}}
