"""The store's address: what is understood, and what a wrong one is told."""

from pathlib import Path

import pytest

from sentry.domain.errors import ConfigurationError
from sentry.store.address import check_file, parse_address


def test_parse_a_sqlite_address_names_the_file(tmp_path: Path) -> None:
    """Four slashes are an absolute path, three a relative one."""
    absolute = parse_address(f"sqlite:///{tmp_path}/sentry.db")

    assert absolute.file == tmp_path / "sentry.db"
    assert absolute.shown == f"sqlite:///{tmp_path}/sentry.db"
    assert parse_address("sqlite:///sentry.db").file == Path("sentry.db")


def test_parse_a_postgres_address_hides_its_password() -> None:
    """Messages and logs never hold it."""
    address = parse_address("postgresql://sentry:hunter2@db.example:5433/sentry")

    assert address.file is None
    assert address.shown == "postgresql://sentry:***@db.example:5433/sentry"
    assert address.url.password == "hunter2"
    assert "hunter2" not in repr(address.shown)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("sentry.db", "is no database address; write sqlite:///sentry.db or postgresql://"),
        ("", "is no database address"),
        ("postgresql:/u:hunter2@h/d", "is no database address"),
        ("postgresql://u:hunter2@h:port/d", "is no database address"),
        ("mysql://u:hunter2@h/d", "'mysql' is no kind of store; write"),
        ("postgresql+psycopg://u:hunter2@h/d", "'postgresql+psycopg' is no kind of store"),
        ("postgresql://u:hunter2@h", "names no database"),
        ("sqlite://", "names no file: a store must outlive the agent"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://sentry.db", "names no file"),
        ("sqlite:////", "is a folder; name a file in it"),
        ("sqlite:////no/such/place/sentry.db", "the folder /no/such/place does not exist; make it with: mkdir -p"),
    ],
)
def test_parse_a_wrong_address_says_what_to_write(address: str, message: str) -> None:
    """The message is about the key `store`, shows a right address, and never the password."""
    with pytest.raises(ConfigurationError) as refused:
        parse_address(address)

    (problem,) = refused.value.problems
    assert problem.path == "store"
    assert message in problem.message
    assert "hunter2" not in str(refused.value)


def test_check_a_file_that_cannot_be_opened_says_who_must_be_allowed() -> None:
    """A folder that takes no files is found out before anything starts."""
    with pytest.raises(ConfigurationError, match="the agent's user must be allowed to write it and its folder"):
        check_file(Path("/proc/sentry.db"))


def test_check_file_makes_a_new_store_that_only_its_owner_may_read(tmp_path: Path) -> None:
    """Answers of watched sites are in it; one that is there keeps the mode that its owner gave it."""
    made, standing = tmp_path / "made.db", tmp_path / "standing.db"
    standing.touch(mode=0o640)
    standing.chmod(0o640)
    check_file(made)
    check_file(standing)

    assert made.stat().st_mode & 0o777 == 0o600
    assert standing.stat().st_mode & 0o777 == 0o640
