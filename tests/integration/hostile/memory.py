"""The peak of this process's memory, all of it: OpenSSL and the decoders allocate where Python cannot see."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc/self")
RESET_PEAK = "5"
"""proc(5), clear_refs: sets the peak (VmHWM) to what is resident now."""


@dataclass
class Growth:
    """How far the resident memory rose above where it began, bytes; known at the end."""

    peak_bytes: int = 0


@contextmanager
def watched_memory() -> Iterator[Growth]:
    """Watches the resident memory of this process while the body runs."""
    growth = Growth()
    (PROC / "clear_refs").write_text(RESET_PEAK)
    began = _peak_bytes()
    try:
        yield growth
    finally:
        growth.peak_bytes = _peak_bytes() - began


def _peak_bytes() -> int:
    lines = (PROC / "status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
