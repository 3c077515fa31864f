"""Column types: instants as integers, and text that no hostile byte can make unwritable."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MILLISECOND = timedelta(milliseconds=1)


def to_us(instant: datetime) -> int:
    """Returns an aware instant as whole microseconds since the epoch, without rounding."""
    return (instant - EPOCH) // _MICROSECOND


def from_us(value: int) -> datetime:
    """Returns the aware UTC instant of a number of microseconds."""
    return EPOCH + value * _MICROSECOND


def to_ms(instant: datetime) -> int:
    """Returns an aware instant as milliseconds since the epoch, rounded down."""
    return (instant - EPOCH) // _MILLISECOND


def from_ms(value: int) -> datetime:
    """Returns the aware UTC instant of a number of milliseconds."""
    return EPOCH + value * _MILLISECOND


def clean(text: str) -> str:
    """Returns text that every database accepts: NUL and lone surrogates become U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if not text.isascii() else text


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as microseconds since the epoch; columns of this type end in `_us`."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  # the type's interface
        """Returns what is written."""
        return None if value is None else to_us(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # the type's interface
        """Returns what was read."""
        return None if value is None else from_us(value)


class ForeignText(TypeDecorator[str]):
    """Text that came from a watched site or a person, cleaned before it is written."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # the type's interface
        """Returns what is written."""
        return None if value is None else clean(value)
