"""What a page shows by which it is known to be no page of the site: marks, and the search for one of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from html import unescape

from probes.http_response import Head
from probes.http_text import charset_of
from sentry.domain.result import Reason

HEAD_BYTES, TAIL_BYTES = 12_288, 8_192
"""Parts of a body that are looked at. Pages that are no page of the site are short; a program that breaks off in the
middle of a page says so at its end."""

TITLE_BYTES = 8_192
TITLE_CHARS = 300
SEEN_CHARS = 80


class PageKind(StrEnum):
    """What stands in the place of the site's page."""

    BLOCKED = "blocked"
    PARKED = "parked"
    ERROR = "error"


REASONS = {
    PageKind.BLOCKED: Reason.HTTP_BLOCKED,
    PageKind.PARKED: Reason.HTTP_PARKED,
    PageKind.ERROR: Reason.HTTP_ERROR_PAGE,
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One way to know a page. All that it names must be there; where that could stand on a good page, it names more.

    Attributes:
        name: as the setting `allow_pages` names it; marks of the same page share it.
        what: what the page is, for people.
        statuses: with which it comes; empty: with any.
        header: name and part of the value, lower-case.
        hosts: domains to which redirects have led.
        title: regular expression for the whole title, lower-case; `{host}` in it is the site's own name.
        texts: all of them are in the page, lower-case.
        max_bytes: of the whole page; 0: any.
        breaks_off: whether the page ends after the texts without being closed.
    """

    name: str
    kind: PageKind
    what: str
    statuses: frozenset[int] = frozenset()
    header: tuple[str, str] | None = None
    hosts: frozenset[str] = frozenset()
    title: str = ""
    texts: tuple[str, ...] = ()
    max_bytes: int = 0
    breaks_off: bool = False


@dataclass(frozen=True)
class SeenPage:
    """An answer, looked at for marks; what no mark asks for is never worked out.

    Attributes:
        host: where the last answer came from; home: the host that the check asks.
    """

    head: Head
    body: bytes
    host: str
    home: str

    @cached_property
    def is_page(self) -> bool:
        """Whether it is a text that people read."""
        content_type = (self.head.get("Content-Type") or "text/html").lower()
        return bool(self.body) and content_type.startswith(("text/html", "text/plain", "application/xhtml"))

    @cached_property
    def title(self) -> str:
        """The title, lower-case, on one line."""
        begun = self.body[:TITLE_BYTES]
        lower = begun.lower()
        start = lower.find(b">", lower.find(b"<title")) + 1 if b"<title" in lower else 0
        end = lower.find(b"</title", start)
        if not start or end < 0:
            return ""
        written = begun[start:end].decode(self._codec, "replace")[:TITLE_CHARS]
        return " ".join(unescape(written).lower().split())

    @cached_property
    def head_text(self) -> str:
        """How the page begins; where it is short, all of it."""
        whole = len(self.body) <= HEAD_BYTES + TAIL_BYTES
        return (self.body if whole else self.body[:HEAD_BYTES]).decode(self._codec, "replace").lower()

    @cached_property
    def tail_text(self) -> str:
        """How it ends."""
        return self.body[-TAIL_BYTES:].decode(self._codec, "replace").lower()

    @cached_property
    def _codec(self) -> str:
        return charset_of(self.head.get("Content-Type"), self.body)

    def holds(self, mark: Mark) -> bool:
        """Whether all that a mark names is there; what is cheap to see is looked at first."""
        if mark.max_bytes and len(self.body) > mark.max_bytes:
            return False
        if mark.statuses and self.head.status not in mark.statuses:
            return False
        if mark.header is not None and not self._sends(*mark.header):
            return False
        if mark.hosts and (self.host == self.home or not _is_below(self.host, mark.hosts)):
            return False
        if not (mark.title or mark.texts):
            return True
        return self.is_page and self._is_titled(mark) and self._says(mark)

    def _sends(self, name: str, part: str) -> bool:
        value = self.head.get(name)
        return value is not None and part in value.lower()

    def _is_titled(self, mark: Mark) -> bool:
        if not mark.title:
            return True
        pattern = mark.title.replace("{host}", re.escape(self.home.removeprefix("www.")))
        return bool(self.title) and re.fullmatch(pattern, self.title) is not None

    def _says(self, mark: Mark) -> bool:
        if not mark.texts:
            return True
        if mark.breaks_off:
            text = self.tail_text
            return all(part in text for part in mark.texts) and "</html" not in text[text.rfind(mark.texts[-1]) :]
        return any(all(part in text for part in mark.texts) for text in (self.head_text, self.tail_text))

    def seen(self, mark: Mark) -> str:
        """Returns what was seen of a mark, in the words of the detail."""
        if mark.header is not None:
            return f"header {mark.header[0]}: {mark.header[1]}"
        if mark.hosts:
            return f"redirected to {self.host}"
        return f"title '{self.title[:SEEN_CHARS]}'" if mark.title else f"text '{mark.texts[0]}'"


class Marks:
    """Marks in the order of looking, arranged so that a page that bears none is soon seen through."""

    def __init__(self, marks: Iterable[Mark]) -> None:
        """Arranges them."""
        self._all = tuple(marks)
        self._untitled = tuple(mark for mark in self._all if not mark.title)
        self._untitled_of_any_size = tuple(mark for mark in self._untitled if not mark.max_bytes)
        self._largest = max((mark.max_bytes for mark in self._untitled), default=0)
        titles = [f"(?:{mark.title.replace('{host}', ANY_HOST)})" for mark in self._all if mark.title]
        self._titles = re.compile("|".join(titles) or NOTHING)

    def first(self, page: SeenPage) -> Mark | None:
        """Returns the first mark that a page bears, None for a page of the site."""
        marks = self._all
        if self._titles.fullmatch(page.title) is None:
            marks = self._untitled if len(page.body) <= self._largest else self._untitled_of_any_size
        return next((mark for mark in marks if page.holds(mark)), None)


ANY_HOST = "[^ ]+"
NOTHING = "(?!)"


def _is_below(host: str, domains: frozenset[str]) -> bool:
    labels = host.lower().rstrip(".").split(".")
    return any(".".join(labels[first:]) in domains for first in range(len(labels) - 1))
