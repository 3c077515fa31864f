"""When the next audit of a site begins: at night where the site is, and never later than was promised."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

from sentry.domain.audit_policy import AuditTerms

FIRST_WITHIN = timedelta(hours=24)
"""A site that is new is audited within this time."""

RETRY_FIRST = timedelta(minutes=15)
RETRY_LAST = timedelta(hours=6)
"""After a failure an audit is tried again: first after the one, then after twice as long, up to the other."""

_DAY = timedelta(days=1)
_MINUTES_PER_HOUR = 60


def next_audit(
    site_key: str, completed_at: datetime | None, now: datetime, terms: AuditTerms, zone: ZoneInfo
) -> datetime:
    """Returns when the next audit of a site begins, aware UTC.

    That is the last time in the site's own minute of the night before the promised days have gone by since the end
    of the last audit; for a site that was never audited, the first such time from now on.

    Args:
        site_key: fixes the minute, so that the sites of an agency are spread over the night.
        completed_at: when the last audit ended, None for a new site.
        now: aware UTC.
        terms: of the site.
        zone: of the site.
    """
    if completed_at is None:
        first = next(slot for slot in _slots(site_key, now - _DAY, terms, zone) if slot >= now)
        return min(first, now + FIRST_WITHIN)
    promised = completed_at + terms.every
    nights = [slot for slot in _slots(site_key, promised - 2 * _DAY, terms, zone) if slot <= promised]
    return nights[-1] if nights and nights[-1] > completed_at else promised


def next_try(failed_at: datetime, failures: int) -> datetime:
    """Returns when an audit is tried again.

    Args:
        failed_at: when it failed last.
        failures: how many times it has failed since the last one that came to its end; 1 or more.
    """
    doubled: int = 2 ** min(failures - 1, 10)
    return failed_at + min(RETRY_FIRST * doubled, RETRY_LAST)


def _slots(site_key: str, since: datetime, terms: AuditTerms, zone: ZoneInfo) -> Iterator[datetime]:
    """Yields the site's own minute of some nights, in order."""
    minutes = (terms.end_hour - terms.first_hour) * _MINUTES_PER_HOUR
    minute = terms.first_hour * _MINUTES_PER_HOUR + crc32(site_key.encode()) % minutes
    first = since.astimezone(zone).date()
    for number in range(4):
        yield _at(first + timedelta(days=number), minute, zone)


def _at(day: date, minute: int, zone: ZoneInfo) -> datetime:
    hour, rest = divmod(minute, _MINUTES_PER_HOUR)
    return datetime.combine(day, time(hour, rest), zone).astimezone(ZoneInfo("UTC"))
