"""A prober's process: the agent's own http probes, through the port that the wheel starts them by."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.outcome import Outcome, Stopwatch, Task, prober_arguments, task_of
from probes.resolver import AiodnsResolver
from sentry.app.kinds import load_settings
from sentry.app.memory import put_aside
from sentry.app.probing import prepare, probe_environment
from sentry.app.single import NoHeartbeats
from sentry.clock import SystemClock
from sentry.domain.result import ProbeResult, Status
from sentry.ports import Probe
from sentry.settings import Settings


class Round:
    """Keeps one probe of each site under way until enough have ended."""

    def __init__(self, probes: list[Probe], clock: SystemClock, count: int) -> None:
        self._probes, self._clock, self._count = probes, clock, count
        self._started = 0
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.outcome = Outcome()

    async def run(self) -> Outcome:
        """Probes, and returns how it went."""
        watch = Stopwatch()
        for probe in self._probes:
            self._start(probe)
        await self._ended
        self.outcome.cpu_s = watch.cpu_s()
        return self.outcome

    def _start(self, probe: Probe) -> None:
        if self._started < self._count:
            self._started += 1
            probe.start(self._clock.now(), lambda result: self._done(probe, result))

    def _done(self, probe: Probe, result: ProbeResult) -> None:
        outcome = self.outcome
        ok = result.status is Status.UP
        outcome.add(ok=ok, why="" if ok else f"{result.reason}: {result.detail}")
        self._start(probe)
        if outcome.ended == self._count:
            self._ended.set_result(None)


def configured(task: Task, probe_settings: dict[str, Any]) -> Settings:
    """Returns the agent's settings for as many sites as probes are to be under way, all on the same server."""
    check = {
        "kind": "http",
        "expect_text": task.text,
        "host_header": task.host,
        "server_name": task.host,
    }
    document = {
        "probe": {"ca_file": task.ca} | probe_settings if task.ca else probe_settings,
        "sites": [{"key": f"site-{number}", "url": task.url, "checks": [check]} for number in range(task.in_flight)],
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sentry.yaml"
        file.write_text(json.dumps(document))  # JSON is YAML
        return load_settings(file)


async def probe(task: Task, settings: Settings) -> Outcome:
    """Does the task, after a warm-up."""
    clock = SystemClock()
    resolver = AiodnsResolver(clock)
    environment = probe_environment(settings.probe, clock, resolver, NoHeartbeats())
    probes = [prepared for _, prepared in prepare(settings.checks(), environment).values()]
    await Round(probes, clock, task.warm_up).run()
    put_aside()  # as the agent does once it runs
    outcome = await Round(probes, clock, task.count).run()
    await resolver.close()
    return outcome


if __name__ == "__main__":
    parser = prober_arguments(__doc__)
    parser.add_argument("--probe-settings", type=json.loads, default={}, help="further keys of `probe:`, as JSON")
    options = parser.parse_args()
    task = task_of(options)
    asyncio.run(probe(task, configured(task, options.probe_settings))).print()
