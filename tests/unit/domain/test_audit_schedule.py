"""When the next audit begins."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.audit_policy import AuditPolicy, AuditTerms
from sentry.domain.audit_schedule import next_audit, next_try

TERMS = AuditTerms()
MADRID = ZoneInfo("Europe/Madrid")
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
zones = st.sampled_from(["UTC", "Europe/Madrid", "America/Bogota", "Pacific/Auckland", "Asia/Kathmandu"]).map(
    ZoneInfo
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone
keys = st.text(min_size=1, max_size=20)


@pytest.mark.promise("001-38")
@given(key=keys, completed=instants, zone=zones, days=st.integers(1, 40))
def test_next_audit_is_never_later_than_promised_and_at_most_a_night_earlier(
    key: str, completed: datetime, zone: ZoneInfo, days: int
) -> None:
    """Last completed + 15 days is a promise; the night before it is where the site's own minute lies."""
    terms = AuditTerms(every=timedelta(days=days))

    due = next_audit(key, completed, completed, terms, zone)

    assert completed < due <= completed + terms.every
    assert due > completed + terms.every - timedelta(hours=26)


@given(key=keys, now=instants, zone=zones)
def test_new_site_is_audited_within_a_day(key: str, now: datetime, zone: ZoneInfo) -> None:
    """In its first night."""
    due = next_audit(key, None, now, TERMS, zone)

    assert now <= due <= now + timedelta(hours=24)


def test_audits_of_an_agency_are_spread_over_the_night_where_each_site_is() -> None:
    """Not all at one o'clock, and always at the same minute for one site."""
    times = [next_audit(f"site-{number}", None, NOON, TERMS, MADRID).astimezone(MADRID) for number in range(200)]

    assert {at.hour for at in times} == {1, 2, 3, 4}
    assert len({at.time() for at in times}) > 100
    again = next_audit("site-7", None, NOON + timedelta(hours=3), TERMS, MADRID)
    assert again.astimezone(MADRID) == times[7]


def test_audit_that_ran_in_its_night_comes_again_in_the_fifteenth() -> None:
    """Half an hour of work moves nothing."""
    due = next_audit("shop", None, NOON, TERMS, MADRID)

    again = next_audit("shop", due + timedelta(minutes=30), due, TERMS, MADRID)

    assert again == due + timedelta(days=15)


def test_failed_audit_is_tried_again_after_longer_and_longer() -> None:
    """A host that is away for a week is not knocked at every minute."""
    waits = [(next_try(NOON, failures) - NOON) // timedelta(minutes=1) for failures in (1, 2, 3, 4, 5, 6, 50)]

    assert waits == [15, 30, 60, 120, 240, 360, 360]


def test_terms_take_each_key_from_the_site_before_the_plan() -> None:
    """And what neither says is what was promised: fifteen days, at night."""
    terms = AuditTerms.of(AuditPolicy(every_days=7), AuditPolicy(every_days=30, night_hours=(22, 24)))

    assert terms == AuditTerms(every=timedelta(days=7), first_hour=22, end_hour=24)
    assert AuditTerms.of(None, None) == AuditTerms()
