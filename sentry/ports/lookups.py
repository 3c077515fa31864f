"""Slow looks at certificates, registries, zones and past days."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from sentry.domain.day import CheckDay
from sentry.domain.registration import Registration
from sentry.domain.revocation import Revocation
from sentry.domain.zone import ZoneRecords


class ChainReader(Protocol):
    """Reads the certificates that a server shows, outside the probes."""

    async def verified_chain(self, address: str, server_name: str) -> Sequence[bytes]:
        """Shakes hands once and returns the chain that was built and verified, DER, leaf to root.

        Args:
            address: `ip:port`, brackets round an IPv6 address.
            server_name: for SNI and verification.

        Raises:
            LookupFailed: there was no such chain.
        """
        ...


class TimesReader(Protocol):
    """Reads how long the probes of past days took."""

    async def days(
        self, check_keys: Collection[str], first: int, end: int
    ) -> Mapping[str, Sequence[tuple[int, CheckDay]]]:
        """Returns the days [first, end) of some checks that are over, each with its number since the epoch.

        Args:
            check_keys: some dozen at most.
            first: the first day.
            end: the day after the last.
        """
        ...


class Authorities(Protocol):
    """Those who issue certificates, asked whether one still stands."""

    async def ask(self, certificate: bytes, issuer: bytes) -> Revocation:
        """Returns what the issuer says of a certificate, both DER. Never raises for an authority that is silent."""
        ...


class Registries(Protocol):
    """Those who register domains."""

    async def ask(self, candidates: Sequence[str]) -> Registration:
        """Returns the registration of the first name that is one. Never raises for a registry that is silent.

        Args:
            candidates: names in the order to ask, which is not empty.
        """
        ...


class ZoneReader(Protocol):
    """Reads what the DNS says of a zone as a whole."""

    async def read(self, names: Sequence[str]) -> ZoneRecords | None:
        """Returns the records of the first name that is a zone; None where no two resolvers agree on one.

        Args:
            names: in the order to ask, which is not empty.
        """
        ...
