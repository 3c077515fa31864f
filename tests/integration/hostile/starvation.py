"""How long processes were ready to run and had to wait for a core: what others on the machine did to a test."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


class Starvation:
    """Seconds that some processes have waited for a core since they were last asked about.

    A busy machine makes everything late; what a hostile server does to the loop costs time on a core, and not before
    it. Where the kernel does not count (no /proc/PID/schedstat) nothing is excused.
    """

    def __init__(self, processes: Iterable[int | str]) -> None:
        self._files = [Path(f"/proc/{process}/schedstat") for process in processes]
        self._last_s = self._waited_s()
        self._before_s = 0.0

    def excused_s(self) -> float:
        """Returns the time of this span and of the one before, in which what ends now may have begun."""
        now_s = self._waited_s()
        span_s, self._last_s = now_s - self._last_s, now_s
        excused_s, self._before_s = span_s + self._before_s, span_s
        return excused_s

    def _waited_s(self) -> float:
        waited_ns = 0
        for file in self._files:
            with suppress(FileNotFoundError):
                waited_ns += int(file.read_text().split()[1])  # main thread: on the core, waiting, slices
        return waited_ns / 1e9
