"""The program that judges files in a process of its own; `scanners.isolation` starts it and says what to judge."""

import os
import pickle
import resource
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, cast

from pydantic import TypeAdapter

from scanners.engine import AuditedFile
from scanners.malware import Judged, Malware

JUDGED: TypeAdapter[Judged] = TypeAdapter(Judged)
"""The answer to each file is a line of JSON: whoever breaks a judge must not be able to say more than that."""

_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a judge may use.

    Attributes:
        cpu_s: of one file; what is found by then counts, and the rest is not looked at.
        stopped_after_cpu_s: of one file that never looks at the time; its judge is ended.
        silent_s: wall time without an answer, after which a judge is ended, whatever it waits for.
        memory_bytes: data of a judge.
        niceness: how much it lets others go first.
    """

    cpu_s: float = 4.0
    stopped_after_cpu_s: int = 12
    silent_s: float = 120.0
    memory_bytes: int = 300_000_000
    niceness: int = 10


@dataclass(frozen=True, slots=True)
class Orders:
    """What a judge is told when it starts.

    Attributes:
        make: builds what judges.
    """

    make: Callable[[], Malware]
    bounds: Bounds


def framed(words: object) -> bytes:
    """Returns what is told to a judge, as it reads it."""
    pickled = pickle.dumps(words, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(pickled)) + pickled


def main() -> None:
    """Takes orders, then files, until there are no more; answers each with a line."""
    source = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whatever prints by mistake is no answer
    orders = cast("Orders", _told(source))
    _bind(orders.bounds)
    malware = orders.make()
    _say(answers, b"ready")
    while (files := _told(source)) is not None:
        for file in cast("list[AuditedFile]", files):
            judged = malware.judge(file, _lateness(orders.bounds))
            _say(answers, JUDGED.dump_json(judged))


def _told(source: IO[bytes]) -> object:
    header = source.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(header)
    return pickle.loads(source.read(size))  # noqa: S301  # written by the audit that started this process


def _say(answers: IO[bytes], line: bytes) -> None:
    answers.write(line + b"\n")
    answers.flush()


def _bind(bounds: Bounds) -> None:
    os.nice(bounds.niceness)
    for what, bound in {
        resource.RLIMIT_DATA: bounds.memory_bytes,
        resource.RLIMIT_CORE: 0,  # a core of a crash would hold what a stranger wrote
        resource.RLIMIT_FSIZE: 0,  # it has nothing to write
    }.items():
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (bound if hard == resource.RLIM_INFINITY else min(bound, hard), hard))


def _lateness(bounds: Bounds) -> Callable[[], bool]:
    """Begins the time of a file; the kernel ends this process where nobody looks at it."""
    began = _used_s()
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    ends = int(began) + bounds.stopped_after_cpu_s
    resource.setrlimit(resource.RLIMIT_CPU, (ends if hard == resource.RLIM_INFINITY else min(ends, hard), hard))
    return lambda: _used_s() - began > bounds.cpu_s


def _used_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
