"""The store's address, as the configuration writes it, turned into what SQLAlchemy opens."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from sentry.domain.errors import ConfigurationError, Problem

EXAMPLES = "write sqlite:///sentry.db or postgresql://user:password@host/database"
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where the store is.

    Attributes:
        url: for SQLAlchemy; it holds the password, so it is never shown.
        file: the SQLite file, None for PostgreSQL.
    """

    url: URL
    file: Path | None

    @property
    def shown(self) -> str:
        """The address for messages, its password masked."""
        return self.url.set(drivername=self.url.get_backend_name()).render_as_string(hide_password=True)


def parse_address(address: str) -> StoreAddress:
    """Reads an address.

    Args:
        address: `sqlite:///relative.db`, `sqlite:////absolute/path.db` or `postgresql://user:password@host/database`.

    Raises:
        ConfigurationError: it cannot be used; the message never holds the password.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # The address itself is not repeated: half a typing mistake away from right, it still holds the password.
        raise _refusal(f"is no database address; {EXAMPLES}") from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise _refusal(f"'{url.drivername}' is no kind of store; {EXAMPLES}")
    url = url.set(drivername=driver)
    if not driver.startswith("sqlite"):
        if not url.database:
            raise _refusal(f"names no database; {EXAMPLES}")
        return StoreAddress(url, None)
    if url.host or not url.database or url.database.startswith((":memory:", "file:")):
        raise _refusal("names no file: a store must outlive the agent; write sqlite:///sentry.db (three slashes)")
    return StoreAddress(url, _usable(Path(url.database)))


def _usable(file: Path) -> Path:
    if file.is_dir():
        raise _refusal(f"{file} is a folder; name a file in it, such as sqlite:///{file}/sentry.db")
    if not file.absolute().parent.is_dir():
        folder = file.absolute().parent
        raise _refusal(f"the folder {folder} does not exist; make it with: mkdir -p {folder}")
    return file


def check_file(file: Path) -> None:
    """Opens a SQLite file once, for an error that says what to do; a new one is readable by its owner alone.

    Answers of watched sites are in it, which are nobody else's business.

    Raises:
        ConfigurationError: it cannot be opened.
    """
    try:
        if not file.exists():
            file.touch(mode=0o600)  # SQLite's own files beside it get the same
        sqlite3.connect(file).close()
    except (OSError, sqlite3.Error) as error:
        raise _refusal(
            f"{file} cannot be opened ({error}); the agent's user must be allowed to write it and its folder"
        ) from error


def _refusal(message: str) -> ConfigurationError:
    return ConfigurationError([Problem(file="configuration", line=0, path="store", message=message)])
