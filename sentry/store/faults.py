"""Turns what a database driver raises into the store's own errors."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from sentry.domain.errors import StoreConflict, StoreError, StoreUnavailable

_SQLITE_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_INTERRUPT,
    }
)
"""Primary result codes that may be gone at the next attempt (https://www.sqlite.org/rescode.html)."""

_POSTGRES_PASSING = ("08", "25006", "28", "3D", "40", "53", "55P03", "57", "58")
"""SQLSTATE classes that may be gone at the next attempt: connection, read-only, log-in, missing database, rollback,
resources (disk full), lock time-out, shutdown, system error (PostgreSQL manual, appendix A)."""

_POSTGRES_CONFLICT = "23"


@contextmanager
def translated(shown: str) -> Iterator[None]:
    """Raises the store's own errors in place of the driver's.

    Args:
        shown: the store's address without its password, for the message.

    Raises:
        StoreUnavailable: locked, full, unreachable.
        StoreConflict: a constraint refused the write.
        StoreError: anything else; it is damaged, or the fault is ours.
    """
    try:
        yield
    except IntegrityError as error:
        raise StoreConflict(f"{shown}: {_reason(error)}") from error
    except DBAPIError as error:
        raise _of_driver(shown, error) from error
    except PoolTimeoutError as error:
        raise StoreUnavailable(f"{shown}: every connection was busy; try again") from error
    except SQLAlchemyError as error:
        raise StoreError(f"{shown}: {error}") from error
    except sqlite3.Error as error:  # of a statement that went to the driver itself
        raise _of_sqlite(shown, error) from error
    except OSError as error:
        raise StoreUnavailable(f"{shown}: cannot be reached: {error}") from error
    except Exception as error:
        state = _sqlstate(error)
        if state is None:
            raise
        raise _of_state(shown, state, str(error)) from error


def _of_driver(shown: str, error: DBAPIError) -> StoreError:
    state = _sqlstate(error.orig)
    if state is not None:
        return _of_state(shown, state, _reason(error))
    code = getattr(error.orig, "sqlite_errorcode", None)
    if error.connection_invalidated or (code is not None and code & 0xFF in _SQLITE_PASSING):
        return StoreUnavailable(f"{shown}: {_reason(error)}")
    if isinstance(error.orig, OSError):
        return StoreUnavailable(f"{shown}: cannot be reached: {error.orig}")
    return StoreError(f"{shown}: {_reason(error)}")


def _of_sqlite(shown: str, error: sqlite3.Error) -> StoreError:
    if isinstance(error, sqlite3.IntegrityError):
        return StoreConflict(f"{shown}: {error}")
    code = getattr(error, "sqlite_errorcode", None)
    passing = code is not None and code & 0xFF in _SQLITE_PASSING
    return StoreUnavailable(f"{shown}: {error}") if passing else StoreError(f"{shown}: {error}")


def _of_state(shown: str, state: str, reason: str) -> StoreError:
    if state.startswith(_POSTGRES_CONFLICT):
        return StoreConflict(f"{shown}: {reason}")
    if state.startswith(_POSTGRES_PASSING):
        return StoreUnavailable(f"{shown}: {reason}")
    return StoreError(f"{shown}: {reason}")


def _sqlstate(error: BaseException | None) -> str | None:
    """Returns the SQLSTATE; asyncpg raises its own errors while it connects, SQLAlchemy wraps them later."""
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else None


def _reason(error: DBAPIError) -> str:
    """Returns the driver's own words; SQLAlchemy's would repeat the statement."""
    return str(error.orig).rpartition(">: ")[2]
