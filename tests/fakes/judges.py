"""Judges that do what a hostile file may bring a judge to; made in a process of their own, by their names."""

import os
import signal
import sys
from collections.abc import Callable

from scanners.engine import AuditedFile, Opinion
from scanners.malware import ENGINES, Malware


class Obeying:
    """Does what the content of a file says, and has no opinion."""

    name = "obeying"

    def judge(self, file: AuditedFile, is_late: Callable[[], bool]) -> Opinion:
        """Judges a file; see `Engine`."""
        if file.content == b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif file.content == b"leave":
            os._exit(3)
        elif file.content == b"raise":
            raise RuntimeError("a broken engine")
        elif file.content == b"spin":
            while True:
                pass
        elif file.content == b"sleep":
            signal.pause()
        elif file.content == b"eat":
            bytearray(10**10)
        elif file.content == b"print":
            os.write(sys.stdout.fileno(), b"no answer\n")
        return Opinion(left_out="late" if file.content == b"wait" and _waited(is_late) else None)


def _waited(is_late: Callable[[], bool]) -> bool:
    while not is_late():
        pass
    return True


def obeying() -> Malware:
    """Makes a judgement that does as it is told."""
    return Malware((Obeying(), *ENGINES))


def unable() -> Malware:
    """Cannot be made."""
    raise RuntimeError("no rules")
