"""Where exactly a cut begins and ends: what white space and which comments go with what is cut."""

import re
from dataclasses import dataclass

_OPENING_TAG = re.compile(rb"<\?(?:php)?[ \t]*\Z", re.IGNORECASE)
_BLANK_BEFORE = re.compile(rb"\r?\n([ \t]*\r?\n)\Z")
_BLANK_AFTER = re.compile(rb"[ \t]*(?:\r?\n|\Z)")
LOOKED_BACK_BYTES = 400


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Bytes of a file from `begin` to before `end`."""

    begin: int
    end: int


def without(source: bytes, spans: list[Span]) -> bytes:
    """Returns a source without some of its bytes."""
    kept, at = [], 0
    for span in sorted(spans):
        kept.append(source[at : max(at, span.begin)])
        at = max(at, span.end)
    return b"".join([*kept, source[at:]])


def widened(source: bytes, span: Span) -> Span:
    """Returns a cut with the white space that came with it.

    What stands alone on its lines goes with these; of two blank lines that would meet, one goes too. What shares its
    line with others leaves them as they stood.
    """
    line = source.rfind(b"\n", 0, span.begin) + 1
    newline = source.find(b"\n", span.end)
    line_end = len(source) if newline < 0 else newline
    before, after = source[line : span.begin], source[span.end : line_end]
    if not before.strip() and not after.strip():
        return _lines(source, Span(line, min(line_end + 1, len(source))))
    if not after.strip():  # the end of a line that something else began, e.g. `<?php`
        kept = before if _OPENING_TAG.search(before) is None and not before.strip() else before.rstrip()
        return Span(line + len(kept), line_end - (after.endswith(b"\r") if newline >= 0 else 0))
    spaces = len(after) - len(after.lstrip())
    doubled = bool(spaces) and before[-1:].isspace()
    return Span(span.begin, span.end + spaces if doubled or not before.strip() else span.end)


def _lines(source: bytes, span: Span) -> Span:
    blank = _BLANK_BEFORE.search(source[max(0, span.begin - LOOKED_BACK_BYTES) : span.begin])
    if blank is not None and _BLANK_AFTER.match(source, span.end) is not None:
        return Span(span.begin - len(blank.group(1)), span.end)
    return span
