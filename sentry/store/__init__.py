"""The store: SQLAlchemy Core on SQLite or PostgreSQL, behind the ports of the house."""

from sentry.store.facade import Store, open_store

__all__ = ["Store", "open_store"]
