"""The certificates of hostile TLS servers, made by the tests and read in the servers' process."""

import os
import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from tests.integration.authority import Authority, Identity, self_signed

FOLDER = "HOSTILE_CERTIFICATES"
"""Environment variable of the servers' process: where the files are."""

HOST = "site.test"
TRUSTED, BALLAST, OVERLOADED, CROWDED, STRANGER = "trusted", "ballast", "overloaded", "crowded", "stranger"

CROWD = 100
"""Certificates beside the good ones that still fit into what OpenSSL takes (100 KiB)."""

MEGABYTES = 10


@dataclass(frozen=True)
class Wardrobe:
    """The files of one run.

    Attributes:
        ca_file: what the probes trust.
    """

    folder: Path

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def fill(self) -> "Wardrobe":
        """Writes everything."""
        root = Authority.root("Hostile Root")
        leaf = root.intermediate("Hostile Intermediate").leaf(HOST)
        root.write(self.ca_file)
        leaf.write(self.folder / f"{TRUSTED}.pem")
        small = self_signed("ballast.test").certificate.public_bytes(Encoding.PEM)
        big = _many_names().certificate.public_bytes(Encoding.PEM)
        self._write(CROWDED, leaf.pem() + small * CROWD)
        self._write(OVERLOADED, leaf.pem() + big * (MEGABYTES * 1_000_000 // (len(big) * 3 // 4)))
        self._write(BALLAST, _many_names().pem())
        self._write(STRANGER, self_signed(HOST).pem())
        return self

    def _write(self, name: str, pem: bytes) -> None:
        (self.folder / f"{name}.pem").write_bytes(pem)


def _many_names() -> Identity:
    return self_signed(HOST, *(f"{number}.{'x' * 50}.test" for number in range(1200)))


@cache
def context(name: str, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """Returns the shared context of an honest server with one of the certificates."""
    return fresh_context(name, version)


def fresh_context(name: str, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """Returns a context of its own."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(Path(os.environ[FOLDER]) / f"{name}.pem")
    made.num_tickets = 0
    if version is not None:
        made.minimum_version = made.maximum_version = version
    return made
