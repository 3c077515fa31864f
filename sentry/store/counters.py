"""Numbers without gaps: taken in the transaction that uses them, so that a failed one gives them back."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sentry.store.schema import counters


async def take(connection: AsyncConnection, name: str, count: int = 1) -> int:
    """Takes consecutive numbers within a writing transaction and returns the first of them."""
    statement = (
        update(counters)
        .where(counters.c.name == name)
        .values(value=counters.c.value + count)
        .returning(counters.c.value)
    )
    last: int = (await connection.execute(statement)).scalar_one()
    return last - count + 1


async def standing(connection: AsyncConnection, name: str) -> tuple[int, str]:
    """Returns the last number taken and the head kept beside it."""
    row = (await connection.execute(select(counters.c.value, counters.c.head).where(counters.c.name == name))).one()
    return row.value, row.head


async def set_head(connection: AsyncConnection, name: str, head: str) -> None:
    """Writes the head beside a counter."""
    await connection.execute(update(counters).where(counters.c.name == name).values(head=head))
