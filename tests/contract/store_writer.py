"""A process that writes to a store until it is told to stop: `store_writer.py batches|tickets|fill ADDRESS NAME`."""

import asyncio
import resource
import sys
from collections.abc import Awaitable, Callable, Mapping

from sentry.domain.errors import StoreUnavailable
from sentry.domain.events import Event, EventKind
from sentry.domain.ledger import MinuteState, Run
from sentry.ports import TicketNote, WatchRecord
from sentry.store import Store, open_store
from tests.fakes.clock import ManualClock
from tests.fakes.watch import NOON, down, minute, record

BATCH = 25
TICKETS = 40
BODY = 30_000


def batch_of(place: int) -> list[WatchRecord]:
    """One minute of every check; each record carries minutes and an event."""
    return [
        record(
            down(f"site{check}/http", minute(place), detail="x" * 200),
            minutes=(Run(place, place + 1, MinuteState.UP if place % 3 else MinuteState.DOWN),),
            events=(Event(EventKind.FAILURE_SUSPECTED, minute(place), f"site{check}/http"),),
        )
        for check in range(BATCH)
    ]


async def write_batches(store: Store, _name: str) -> None:
    """Commits batch after batch and prints each that was acknowledged, for ever."""
    place = 0
    while True:
        await store.watch.commit(batch_of(place))
        place += 1
        print(place, flush=True)  # noqa: T201  # how the test hears of it


async def file_tickets(store: Store, name: str) -> None:
    """Files tickets, with a further entry each, as fast as it can."""
    for place in range(TICKETS):
        ticket = await store.tickets.file(
            key=f"{name}:{place}",
            site_key="shop",
            client_key="acme",
            title=name,
            note=TicketNote(name, "new"),
            at=NOON,
        )
        await store.tickets.append(ticket.number, TicketNote(name, "more"), NOON)


async def fill_the_disk(store: Store, _name: str) -> None:
    """Writes until no file may grow any more, then again once there is room; prints how many tickets were filed."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
    filed = refused = 0
    while refused < 3:  # it stays refused, and does not break anything by being tried again
        try:
            await file_tickets_of(store, filed + 1)
            filed += 1
        except StoreUnavailable:
            refused += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await file_tickets_of(store, filed + 1)
    print(filed + 1, flush=True)  # noqa: T201  # how the test hears of it


async def file_tickets_of(store: Store, place: int) -> None:
    """Files one big ticket."""
    note = TicketNote("sentry", "x" * BODY)
    await store.tickets.file(key=f"big:{place}", site_key="s", client_key="c", title="big", note=note, at=NOON)


_TASKS: Mapping[str, Callable[[Store, str], Awaitable[None]]] = {
    "batches": write_batches,
    "tickets": file_tickets,
    "fill": fill_the_disk,
}


async def main(task: str, address: str, name: str) -> None:
    """Opens the store and carries the task out."""
    async with open_store(address, handlers=["alerts"], clock=ManualClock()) as store:
        await _TASKS[task](store, name)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
