"""A prober's process: asks a running blackbox_exporter for probes as Prometheus does, and counts the exporter's CPU.

Its own work is not counted; it runs on the targets' core.
"""

import asyncio
import re

import aiohttp

from benchmarks.measure import cpu_s
from benchmarks.outcome import Outcome, Task, prober_arguments, task_of

MODULE = "page"
REASON = re.compile(r"^(probe_\w+) 0$", re.MULTILINE)
TIMEOUT = aiohttp.ClientTimeout(total=30)


async def probe(task: Task, exporter: str, pid: int) -> Outcome:
    """Does the task, after a warm-up."""
    connector = aiohttp.TCPConnector(limit=task.in_flight)
    headers = {"Accept-Encoding": "identity"}  # Prometheus asks for gzip, which would cost the exporter more
    async with aiohttp.ClientSession(exporter, connector=connector, timeout=TIMEOUT, headers=headers) as session:
        await _round(session, task, task.warm_up)
        before = cpu_s(pid)
        outcome = await _round(session, task, task.count)
        outcome.cpu_s = cpu_s(pid) - before
    return outcome


async def _round(session: aiohttp.ClientSession, task: Task, count: int) -> Outcome:
    outcome, numbers = Outcome(), iter(range(count))
    asked = {"target": task.url, "module": MODULE}

    async def probe_in_turn() -> None:
        for _ in numbers:
            async with session.get("/probe", params=asked) as answer:
                page = await answer.text()
            outcome.add(ok="\nprobe_success 1\n" in page, why=", ".join(REASON.findall(page)))

    await asyncio.gather(*(probe_in_turn() for _ in range(task.in_flight)))
    return outcome


if __name__ == "__main__":
    parser = prober_arguments(__doc__)
    parser.add_argument("--exporter", required=True, help="address of the exporter")
    parser.add_argument("--pid", type=int, required=True, help="process id of the exporter")
    options = parser.parse_args()
    asyncio.run(probe(task_of(options), options.exporter, options.pid)).print()
