"""A site over the web that answers from a table."""

import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from scanners.web.answer import BODY_BYTES, Answer, NoAnswer, Visitor

Page = str | bytes | Answer
NOT_FOUND = Answer("", 404, (("content-type", "text/html"),), b"<html><body>not found</body></html>")


class SiteOverWeb:
    """Fills `Web`.

    Args:
        pages: by path with question, or by whole address; what is not there is not found.
        other: answers what is not in the table.
        handshakes: what is agreed to, by highest version and ciphers.
        limit: requests after which none is answered.
    """

    def __init__(
        self,
        pages: Mapping[str, Page],
        *,
        origin: str = "https://site.example",
        other: Callable[[str, Visitor], Page] = lambda _path, _visitor: NOT_FOUND,
        handshakes: Mapping[tuple[ssl.TLSVersion | None, str], str] | None = None,
        limit: int = 10_000,
    ) -> None:
        self.origin = origin
        self.asked = 0
        self.urls: list[str] = []
        self._pages = pages
        self._other = other
        self._handshakes = handshakes or {}
        self._limit = limit

    def get(self, url: str, visitor: Visitor, *, at_most_bytes: int = BODY_BYTES, follow: bool = True) -> Answer:
        if self.asked >= self._limit:
            raise NoAnswer("the requests of an audit are used up")
        self.asked += 1
        self.urls.append(url)
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        page = self._pages.get(url, self._pages.get(path))
        page = self._other(path, visitor) if page is None else page
        if not isinstance(page, Answer):
            page = Answer(url, 200, (), page.encode() if isinstance(page, str) else page)
        return Answer(url, page.status, page.headers, page.body[:at_most_bytes], page.leaves_to)

    def handshake(self, highest: ssl.TLSVersion | None, ciphers: str) -> str | None:
        self.asked += 1
        return self._handshakes.get((highest, ciphers))
