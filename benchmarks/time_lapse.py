"""The agent in time lapse: its clock and its event loop run faster, while sockets, processes and the store stay real.

Everything that the agent itself times (slots, re-checks, timeouts, holds, minutes of the ledger) is compressed alike;
what the kernel times (retransmission, neighbours) is not. `python -m benchmarks.time_lapse CONFIG …` runs such an
agent until SIGTERM. SIGUSR1 sets its wall clock: the seconds to add stand in the file `shift` beside its
configuration.
"""

import argparse
import asyncio
import selectors
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sentry.app.agent import open_agent
from sentry.cli.logs import configure_logs

SHIFT_FILE = "shift"


@dataclass(slots=True)
class Lapse:
    """A course of time that several processes share; fills the agent's `Clock` port inside a `LapseLoop`.

    Attributes:
        speed: seconds of it in each real second.
        epoch: its instant, seconds since 1970, at the origin.
        origin: monotonic seconds of the machine.
        shift_s: what an administrator has set the wall clock forward by since.
    """

    speed: float
    epoch: float
    origin: float
    shift_s: float = 0.0

    @classmethod
    def begin(cls, speed: float, epoch: datetime) -> "Lapse":
        """Returns a course of time that is at `epoch` now."""
        return cls(speed, epoch.timestamp(), time.monotonic())

    def seconds(self) -> float:
        """Returns its seconds since 1970, without what the wall clock was set by."""
        return self.epoch + (time.monotonic() - self.origin) * self.speed

    def now(self) -> datetime:
        """Returns its instant, aware UTC."""
        return datetime.fromtimestamp(self.seconds() + self.shift_s, UTC)

    def monotonic(self) -> float:
        """Returns its seconds that never jump."""
        return time.monotonic() * self.speed

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Calls once, after this many of its seconds."""
        return asyncio.get_running_loop().call_later(seconds, callback)

    async def sleep(self, seconds: float) -> None:
        """Waits this many of its seconds."""
        await asyncio.sleep(seconds)

    def wait_until(self, instant: float) -> None:
        """Blocks until it is so late, in its seconds since 1970."""
        time.sleep(max(0.0, (instant - self.seconds()) / self.speed))

    def pass_by(self, span: timedelta) -> None:
        """Blocks while so much of it goes by."""
        time.sleep(span.total_seconds() / self.speed)

    def arguments(self) -> list[str]:
        """Returns the command line that another process takes it from."""
        return [f"--{name}={getattr(self, name)!r}" for name in ("speed", "epoch", "origin")]


class _Selector(selectors.DefaultSelector):  # type: ignore[misc, unused-ignore]  # which class it is depends on the system
    """Waits shorter than it is told."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Waits for so many seconds of the lapse at most."""
        return super().select(timeout and timeout / self._speed)


class LapseLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers all run faster."""

    def __init__(self, speed: float) -> None:
        super().__init__(_Selector(speed))
        self._speed = speed

    def time(self) -> float:
        """Returns seconds of the lapse."""
        return time.monotonic() * self._speed


async def _run(config: Path, lapse: Lapse) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def set_clock() -> None:
        lapse.shift_s = float((config.parent / SHIFT_FILE).read_text())

    loop.add_signal_handler(signal.SIGUSR1, set_clock)
    async with open_agent(config, lapse):
        await stop.wait()


def main() -> None:
    """Runs an agent as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("config", type=Path)
    for name in ("speed", "epoch", "origin"):
        parser.add_argument(f"--{name}", type=float, required=True)
    options = parser.parse_args()
    configure_logs(sys.stderr)
    lapse = Lapse(options.speed, options.epoch, options.origin)
    with asyncio.Runner(loop_factory=lambda: LapseLoop(lapse.speed)) as runner:
        runner.run(_run(options.config, lapse))


if __name__ == "__main__":
    main()
