"""Opens a site's database by the first way that works."""

from collections.abc import Callable, Iterator
from functools import partial

from scanners.database.credentials import Credentials
from scanners.database.installation import Installation
from scanners.database.on_host import PROGRAMS, HostDatabase
from scanners.database.session import Database, DatabaseRefused
from scanners.database.sqlite_file import SqliteDatabase
from scanners.database.tunnelled import TunnelledDatabase
from sentry.domain.errors import HostError, HostLost
from sentry.ports.hosts import Host

MAX_ACCOUNTS = 3


def opened(host: Host, installation: Installation, monotonic: Callable[[], float]) -> Database:
    """Returns the open database of a WordPress.

    Raises:
        DatabaseRefused: no way led to it; says what each met.
        HostLost: the link broke.
    """
    if installation.sqlite_path:
        return SqliteDatabase(host, installation.sqlite_path, monotonic)
    if not installation.accounts:
        raise DatabaseRefused("its configuration does not say, in a way that can be read, where the database is")
    refusals: list[str] = []
    for credentials in installation.accounts[:MAX_ACCOUNTS]:
        for way in _ways(host, credentials):
            try:
                return way()
            except HostLost:
                raise
            except (DatabaseRefused, HostError) as error:
                refusals.append(str(error)[:160])
    raise DatabaseRefused("; ".join(dict.fromkeys(refusals))[:600])


def _ways(host: Host, credentials: Credentials) -> Iterator[Callable[[], Database]]:
    if credentials.address.is_tcp:
        yield partial(TunnelledDatabase, host, credentials)
    there = host.run(("sh", "-c", f"command -v {' '.join(one.name for one in PROGRAMS)}; :")).output.splitlines()
    names = {path.rpartition(b"/")[2].decode("utf-8", "replace") for path in there}
    for program in PROGRAMS:
        if program.name in names:
            yield partial(HostDatabase, host, credentials, program)
