"""A prober's process: aiohttp as one would write a prober with it, on a new connection each time."""

import asyncio
import re
import ssl

import aiohttp

from benchmarks.outcome import Outcome, Stopwatch, Task, prober_arguments, task_of

TIMEOUT = aiohttp.ClientTimeout(total=10)


async def probe(task: Task) -> Outcome:
    """Does the task, after a warm-up."""
    connector = aiohttp.TCPConnector(force_close=True, limit=task.in_flight)
    trust: ssl.SSLContext | bool = ssl.create_default_context(cafile=task.ca) if task.ca else True
    async with aiohttp.ClientSession(connector=connector, timeout=TIMEOUT) as session:
        await _round(session, task, trust, task.warm_up)
        watch = Stopwatch()
        outcome = await _round(session, task, trust, task.count)
        outcome.cpu_s = watch.cpu_s()
    return outcome


async def _round(session: aiohttp.ClientSession, task: Task, trust: ssl.SSLContext | bool, count: int) -> Outcome:
    outcome, numbers = Outcome(), iter(range(count))
    pattern = re.compile(re.escape(task.text).encode())

    async def probe_in_turn() -> None:
        for _ in numbers:
            try:
                async with session.get(
                    task.url, headers={"Host": task.host}, ssl=trust, server_hostname=task.host
                ) as answer:
                    body = await answer.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                outcome.add(ok=False, why=str(error))
            else:
                ok = answer.status == 200 and pattern.search(body) is not None  # noqa: PLR2004  # 200 OK
                outcome.add(ok=ok, why=f"status {answer.status}, or no text")

    await asyncio.gather(*(probe_in_turn() for _ in range(task.in_flight)))
    return outcome


if __name__ == "__main__":
    asyncio.run(probe(task_of(prober_arguments(__doc__).parse_args()))).print()
