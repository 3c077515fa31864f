"""Where a database listens, as DB_HOST says it."""

import pytest

from scanners.database.address import Address, parse_address


@pytest.mark.parametrize(
    ("written", "address", "is_tcp"),
    [
        ("localhost", Address("localhost"), False),
        ("", Address(""), False),
        ("db.example.net", Address("db.example.net"), True),
        ("db.example.net:3307", Address("db.example.net", 3307), True),
        ("localhost:3307", Address("127.0.0.1", 3307), True),
        ("localhost:/run/mysqld/mysqld.sock", Address("localhost", socket="/run/mysqld/mysqld.sock"), False),
        (":/run/mysqld/mysqld.sock", Address("", socket="/run/mysqld/mysqld.sock"), False),
        ("[2001:db8::1]:3308", Address("2001:db8::1", 3308), True),
        ("2001:db8::1", Address("2001:db8::1"), True),
        ("::1", Address("::1"), True),
    ],
)
def test_address_in_every_form_is_understood(written: str, address: Address, is_tcp: bool) -> None:
    """The forms that WordPress takes."""
    assert parse_address(written) == address
    assert address.is_tcp is is_tcp


@pytest.mark.parametrize("written", ["a b/c", "host:port", "host:99999", "host:0", "x:1:y"])
def test_address_that_is_nonsense_is_none(written: str) -> None:
    """What no server can be reached by is not tried."""
    assert parse_address(written) is None
