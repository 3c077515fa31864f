"""A copy of a feed that the agent fetches by itself: asked for only when it has changed, replaced only by a whole."""

import contextlib
import http.client
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from scanners.components.feed import FeedUnusable
from sentry.domain.vulnerability_feed import VulnerabilityFeed
from sentry.ports import Clock

MAX_BYTES = 2_000_000_000
WITHIN_S = 600.0
SILENT_S = 30.0
PIECE_BYTES = 1 << 18
OK, NOT_MODIFIED = 200, 304
_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


@dataclass(frozen=True, slots=True)
class Copy:
    """What is known of a copy.

    Attributes:
        confirmed_at: when the address last said that this is what it has.
        asked_at: when it was last asked.
        validators: what it is told, so that it sends the whole only when it has changed.
    """

    confirmed_at: datetime
    asked_at: datetime
    validators: Mapping[str, str]


class Mirror:
    """Keeps the copy of one feed.

    Args:
        feed: with a `url`.
        path: of the copy; what is known of it stands beside.
        clock: says how old it is.
        tls: trusted roots.
    """

    def __init__(self, feed: VulnerabilityFeed, path: Path, clock: Clock, tls: ssl.SSLContext | None = None) -> None:
        self._feed = feed
        self._path = path
        self._notes = path.with_name(path.name + ".json")
        self._clock = clock
        self._tls = tls or ssl.create_default_context()

    def copy(self) -> Copy | None:
        """Returns what is known of the copy, None where there is none."""
        try:
            notes = json.loads(self._notes.read_bytes())
            confirmed_at, asked_at = (datetime.fromisoformat(notes[name]) for name in ("confirmed_at", "asked_at"))
            return Copy(confirmed_at, asked_at, notes["validators"]) if self._path.is_file() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def refresh(self) -> None:
        """Asks the address where that is due.

        Raises:
            FeedUnusable: it did not answer as it must; the copy that was there stays.
        """
        copy, now = self.copy(), self._clock.now()
        if copy is not None and now - copy.asked_at < timedelta(hours=self._feed.refresh_h):
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            validators = self._fetch(copy)
        except TimeoutError as error:
            raise FeedUnusable(f"{self._host} gave no answer in time") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FeedUnusable(f"{self._host}: {str(error) or type(error).__name__}") from error
        self._note(Copy(now, now, validators))

    def forget(self) -> None:
        """Lets the whole be asked for the next time: what it sent is no use."""
        self._notes.unlink(missing_ok=True)

    @property
    def _host(self) -> str:
        return str(self._feed.url.host) if self._feed.url else ""

    def _fetch(self, copy: Copy | None) -> Mapping[str, str]:
        parts = urlsplit(str(self._feed.url))
        connection = self._connection(parts.scheme, parts.hostname or "", parts.port)
        with contextlib.closing(connection):
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", path, headers=self._headers(copy))
            answer = connection.getresponse()
            if answer.status == NOT_MODIFIED and copy is not None:
                return copy.validators
            if answer.status != OK:
                raise FeedUnusable(f"{self._host} answered {answer.status}")
            self._receive(answer)
            return {name: value for name in _VALIDATORS if (value := answer.getheader(name))}

    def _connection(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=SILENT_S, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=SILENT_S)

    def _headers(self, copy: Copy | None) -> dict[str, str]:
        headers = {"User-Agent": "online-sentry", "Accept-Encoding": "identity"}
        if self._feed.token is not None:
            headers["Authorization"] = f"Bearer {self._feed.token.get_secret_value()}"
        if copy is not None:
            headers |= {_VALIDATORS[name]: value for name, value in copy.validators.items() if name in _VALIDATORS}
        return headers

    def _receive(self, answer: http.client.HTTPResponse) -> None:
        unfinished = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        ends_at, size, expected = self._clock.monotonic() + WITHIN_S, 0, answer.length
        try:
            with unfinished.open("wb") as target:
                while piece := answer.read1(PIECE_BYTES):
                    size += len(piece)
                    target.write(piece)
                    if size > MAX_BYTES or self._clock.monotonic() > ends_at:
                        raise FeedUnusable(f"{self._host} sent more than {MAX_BYTES:,} bytes, or too slowly")
            if expected is not None and size != expected:
                raise FeedUnusable(f"{self._host} sent {size:,} bytes of {expected:,}")
            unfinished.replace(self._path)
        finally:
            unfinished.unlink(missing_ok=True)

    def _note(self, copy: Copy) -> None:
        notes = {
            "confirmed_at": copy.confirmed_at.astimezone(UTC).isoformat(),
            "asked_at": copy.asked_at.astimezone(UTC).isoformat(),
            "validators": dict(copy.validators),
        }
        self._notes.write_text(json.dumps(notes))
