"""What a host's own errors mean to whoever asked."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sentry.domain.errors import HostError, HostRefused

REFUSALS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
LONGEST_SHOWN = 200


@contextmanager
def wrapped(host: str, deed: str, path: bytes) -> Iterator[None]:
    """Turns an error of a file into ours, naming the host, what was tried and the file.

    Raises:
        HostRefused: permission is missing.
        HostError: anything else.
    """
    try:
        yield
    except OSError as error:
        kind = HostRefused if error.errno in REFUSALS else HostError
        why = os.strerror(error.errno) if error.errno else str(error) or "the host says no more"
        raise kind(f"{host}: cannot {deed} {shown(path)}: {why}") from error


def shown(name: str | bytes) -> str:
    """Returns a name or a message of the host as one short line that no terminal would obey."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    inert = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return inert if len(inert) <= LONGEST_SHOWN else f"{inert[:LONGEST_SHOWN]}…"
