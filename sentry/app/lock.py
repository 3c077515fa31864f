"""One agent per store: two would probe twice and tell everybody everything twice."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import make_url

from sentry.domain.errors import StoreUnavailable


@contextmanager
def sole_agent(store_address: str) -> Iterator[None]:
    """Holds the lock of a SQLite store for as long as the agent runs; the system frees it when the agent dies.

    Raises:
        StoreUnavailable: another agent holds it.
    """
    url = make_url(store_address)
    if url.get_backend_name() != "sqlite" or not url.database:
        yield
        return
    # The file itself, so that two agents meet at one lock whatever links they came by.
    file = os.path.realpath(url.database)
    descriptor = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreUnavailable(
                f"another agent works on {file}; stop it first, or give this one a store of its own"
            ) from error
        yield
    finally:
        os.close(descriptor)
