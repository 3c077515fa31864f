"""What it takes to open a site's database."""

from dataclasses import dataclass, field

from scanners.database.address import Address


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account of a database."""

    database: str
    user: str
    password: str = field(repr=False)
    address: Address
