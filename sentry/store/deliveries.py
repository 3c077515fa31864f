"""Messages that are owed, each to one recipient on one channel."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update

from sentry.domain.errors import NotFound
from sentry.domain.notice import Delivery, DeliveryState, NoticeKind
from sentry.store import schema
from sentry.store.database import Database
from sentry.store.writing import insert_new, write_rows

_TABLE = schema.deliveries
_PENDING = _TABLE.c.state == DeliveryState.PENDING.value


class StoredOutbox:
    """Fills the `DeliveryOutbox` port."""

    def __init__(self, database: Database) -> None:
        """Keeps deliveries in the database."""
        self._database = database

    async def enqueue(self, deliveries: Sequence[Delivery]) -> None:
        """Stores deliveries; one whose key is already there is left alone."""
        if not deliveries:
            return
        async with self._database.write() as connection:
            await write_rows(connection, insert_new(connection, _TABLE), (_row(delivery) for delivery in deliveries))

    async def due(self, now: datetime, limit: int, *, channel: str | None = None) -> Sequence[Delivery]:
        """Returns pending deliveries whose next attempt is due, oldest (`created_at`) first.

        Args:
            now: the instant up to which `next_attempt_at` counts as due.
            limit: at most this many.
            channel: only those of this channel, so that the queue of a stuck one never hides another's.
        """
        query = (
            select(_TABLE)
            .where(_PENDING, _TABLE.c.next_attempt_us <= now)
            .order_by(_TABLE.c.created_us, _TABLE.c.key)
            .limit(limit)
        )
        if channel is not None:
            query = query.where(_TABLE.c.channel == channel)
        async with self._database.read() as connection:
            return [_delivery(row) for row in await connection.execute(query)]

    async def update(self, delivery: Delivery) -> None:
        """Writes the outcome of an attempt.

        Raises:
            NotFound: it was never enqueued.
        """
        async with self._database.write() as connection:
            statement = update(_TABLE).where(_TABLE.c.key == delivery.key).values(_row(delivery))
            if (await connection.execute(statement)).rowcount == 0:
                raise NotFound(f"there is no delivery {delivery.key}")

    async def of_incident(self, incident_id: int) -> Sequence[Delivery]:
        """Returns every delivery of an incident, oldest first."""
        query = select(_TABLE).where(_TABLE.c.incident_id == incident_id).order_by(_TABLE.c.created_us, _TABLE.c.key)
        async with self._database.read() as connection:
            return [_delivery(row) for row in await connection.execute(query)]

    async def backlog(self) -> tuple[int, datetime | None]:
        """Returns how many are pending, and when the oldest was due."""
        query = select(func.count(), func.min(_TABLE.c.created_us, type_=_TABLE.c.created_us.type))
        async with self._database.read() as connection:
            row = (await connection.execute(query.where(_PENDING))).one()
        return row[0], row[1]


def _row(delivery: Delivery) -> dict[str, Any]:
    return {
        "key": delivery.key,
        "incident_id": delivery.incident_id,
        "opening": delivery.opening,
        "kind": delivery.kind.value,
        "channel": delivery.channel,
        "recipient": delivery.recipient,
        "state": delivery.state.value,
        "created_us": delivery.created_at,
        "next_attempt_us": delivery.next_attempt_at,
        "expires_us": delivery.expires_at,
        "attempts": delivery.attempts,
        "last_error": delivery.last_error,
        "sent_us": delivery.sent_at,
        "fallback_of": delivery.fallback_of,
    }


def _delivery(row: Row[*tuple[Any, ...]]) -> Delivery:
    return Delivery(
        key=row.key,
        incident_id=row.incident_id,
        opening=row.opening,
        kind=NoticeKind(row.kind),
        channel=row.channel,
        recipient=row.recipient,
        state=DeliveryState(row.state),
        created_at=row.created_us,
        next_attempt_at=row.next_attempt_us,
        expires_at=row.expires_us,
        attempts=row.attempts,
        last_error=row.last_error,
        sent_at=row.sent_us,
        fallback_of=row.fallback_of,
    )
