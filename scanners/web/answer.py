"""What is asked of a site and what it answers."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from sentry.domain.errors import SentryError

BODY_BYTES = 65_536
"""Enough of a body to tell what it is."""


class NoAnswer(SentryError):  # noqa: N818  # reads as a state, as the tree of errors does
    """There was no answer, or none may be asked for any more; the message says why."""


class NotTried(NoAnswer):
    """This machine itself cannot ask that way."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """As whom the site is asked.

    Attributes:
        name: a word for it in findings.
        key: the same as a part of lasting names; empty where nobody needs it.
    """

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        url: where it came from, after redirects within the site.
        headers: names in lower case, in the order in which they came.
        body: its beginning.
        leaves_to: where a redirect leads that was not followed; empty where there is none.
    """

    url: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    leaves_to: str = ""

    def header(self, name: str) -> str:
        """Returns the values of a header, joined by commas; empty where it is absent."""
        return ", ".join(self.every(name))

    def every(self, name: str) -> tuple[str, ...]:
        """Returns each value of a header."""
        return tuple(value for header, value in self.headers if header == name)

    @property
    def is_good(self) -> bool:
        """Whether it is what was asked for."""
        return self.status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}

    @property
    def is_page(self) -> bool:
        """Whether it begins as a page of HTML does."""
        return (
            self.body[:2_000]
            .lstrip(b"\xef\xbb\xbf \t\r\n")
            .lower()
            .startswith((b"<!doctype html", b"<html", b"<head"))
        )


class Web(Protocol):
    """One site over the web."""

    @property
    def origin(self) -> str:
        """Scheme, host and port, as in the site's address, without a slash at the end."""
        ...

    @property
    def asked(self) -> int:
        """Requests so far."""
        ...

    def get(self, url: str, visitor: Visitor, *, at_most_bytes: int = BODY_BYTES, follow: bool = True) -> Answer:
        """Asks for an address of the site.

        Args:
            url: on its own host.
            visitor: as whom.
            at_most_bytes: of the body.
            follow: whether redirects within the site are.

        Raises:
            NoAnswer: there was none, or nothing may be asked any more.
        """
        ...

    def handshake(self, highest: ssl.TLSVersion | None, ciphers: str) -> str | None:
        """Returns the protocol and cipher that the site agrees to, None where it refuses all that were offered.

        Args:
            highest: the highest version that is offered.
            ciphers: what is offered, as OpenSSL writes it.

        Raises:
            NotTried: this machine's library no longer knows such.
            NoAnswer: there is no connection.
        """
        ...
