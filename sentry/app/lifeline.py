"""What ties a process that the agent starts to the agent's life."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
"""Of linux/prctl.h; Python does not name it."""


def die_with_the_agent() -> None:
    """Has the kernel end this process, even a frozen one, when whoever started it is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
