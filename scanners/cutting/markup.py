"""Proposes how to cut injected elements, `<script>` and `<iframe>`, out of a page."""

from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

from scanners.cutting.gaps import Span, widened, without
from sentry.domain.finding import FindingClass, Sign

ELEMENTS = frozenset({"script", "iframe"})
TELLING = (FindingClass.CONFIRMED, FindingClass.SUSPICIOUS)


def cuts_of_markup(content: bytes, signs: Sequence[Sign]) -> Iterator[bytes]:
    """Yields the page without the elements that carry evidence; nothing where a sign stands in none of them."""
    wanted = {sign.way[-1].number for sign in signs if sign.verdict in TELLING and sign.layer == 0 and sign.way}
    elements = _Elements(content).found
    spans = [span for span, first, last in elements if any(first <= number <= last for number in wanted)]
    told = {number for _, first, last in elements for number in range(first, last + 1)}
    if not spans or not wanted <= told:
        return
    yield without(content, [widened(content, span) for span in spans])
    yield without(content, spans)


class _Elements(HTMLParser):
    """Where the elements of a page begin and end, in bytes and in lines."""

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=False)
        self._starts = [0]
        for line in content.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._began: dict[str, tuple[int, int]] = {}
        self.found: list[tuple[Span, int, int]] = []
        # Latin-1 has a character for each byte, so that columns are offsets.
        self.feed(content.decode("latin-1"))

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Keeps where an element begins."""
        del attrs
        if tag in ELEMENTS:
            self._began[tag] = (self._at(), self.getpos()[0])

    def handle_endtag(self, tag: str) -> None:
        """Keeps an element with where it ends."""
        began = self._began.pop(tag, None)
        if began is not None:
            begin, line = began
            end = self._at() + len(tag) + len("</>")
            self.found.append((Span(begin, end), line, self.getpos()[0]))

    def _at(self) -> int:
        line, column = self.getpos()
        return self._starts[line - 1] + column
