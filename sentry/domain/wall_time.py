"""From what a clock on the wall shows to an instant, in every zone and on both nights on which clocks are changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_SECOND = timedelta(seconds=1)


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """Returns the instant at which a local wall time is reached, aware UTC, to the second.

    A time that comes twice (clocks go back) is the first of the two. A time that does not exist (clocks go forward
    over it, or a whole day is skipped) is the first instant after the gap.

    Args:
        wall: a naive date and time.
        zone: whose wall it is.
    """
    late = _seconds(wall.replace(tzinfo=zone, fold=0))
    early = _seconds(wall.replace(tzinfo=zone, fold=1))
    # Outside a gap fold=0 is the earlier reading. Inside one it is the later, and the clocks jump between the two.
    while late - early > 1:
        middle = (late + early) // 2
        if local_second(middle, zone).replace(tzinfo=None) < wall:
            early = middle
        else:
            late = middle
    return EPOCH + timedelta(seconds=late)


def local_second(second: int, zone: ZoneInfo) -> datetime:
    """Returns the local wall time, aware, of a second since the epoch."""
    return (EPOCH + timedelta(seconds=second)).astimezone(zone)


def _seconds(instant: datetime) -> int:
    return (instant.astimezone(UTC) - EPOCH) // _ONE_SECOND
