"""Memory of the running agent: what lasts is left alone by the collector, and what is free goes back to the machine.

Ten thousand checks are half a million objects that live as long as the agent. Python's collector walks through all of
them each time it thinks that enough has changed, and nothing else happens meanwhile; so it is told to leave them out.
The C library keeps what a burst of probes or a batch of writes has freed; so it is told to let go.
"""

import asyncio
import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SWITCH_S = 0.0005
"""How long a thread that computes may keep the event loop waiting, while one does; Python's own 5 ms are half of what
a probe may be late."""


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Of malloc.h (mallopt(3))."""

_LARGE_BYTES = 128 * 1024
"""The C library's own first threshold, held: it would else raise it to the largest block that was ever freed."""


def keep_close() -> None:
    """Has the C library keep one heap for all threads and give back what is free at its end; call it first of all.

    Each thread that ever wrote a page of metrics or a batch would else hold a heap of its own, with what was free in
    it: 12 MB of an agent of ten thousand checks. Python's own lock lets one thread allocate at a time anyway.
    """
    with suppress(OSError, AttributeError):  # as for `_trim`
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def put_aside() -> None:
    """Leaves all that is alive now out of further collections; what is freed by its last use still goes."""
    gc.collect()
    gc.freeze()


async def give_back() -> None:
    """Gives memory that is free back to the machine, in a thread: tens of megabytes take some milliseconds."""
    await asyncio.to_thread(_trim)


@contextmanager
def beside_the_loop() -> Iterator[None]:
    """While something big is computed in a thread, lets the event loop have its turn at once.

    No collection runs meanwhile: it would walk through all that is being made, several times. What was made is put
    aside in the end.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        sys.setswitchinterval(before)


def _trim() -> None:
    with suppress(OSError, AttributeError):  # another C library (musl) has no such call, and keeps little
        ctypes.CDLL(None).malloc_trim(0)
