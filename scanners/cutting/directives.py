"""Proposes how to cut lines out of `.htaccess`, `.user.ini` and `php.ini`."""

import re
from collections.abc import Iterator, Sequence

from sentry.domain.finding import FindingClass, Sign

_OPENS = re.compile(rb"\s*<(\w+)[^>]*>\s*\Z")
_CLOSES = re.compile(rb"\s*</(\w+)\s*>\s*\Z")
_CONDITION = re.compile(rb"\s*RewriteCond\b", re.IGNORECASE)
_NOTHING = re.compile(rb"\s*(?:RewriteEngine\s+on\s*)?\Z", re.IGNORECASE)
TELLING = (FindingClass.CONFIRMED, FindingClass.SUSPICIOUS)


def cuts_of_directives(content: bytes, signs: Sequence[Sign]) -> Iterator[bytes]:
    """Yields the file without the lines that carry evidence.

    The conditions of a rewrite rule that goes, and a section that nothing else stands in, go with it.
    """
    lines = content.splitlines(keepends=True)
    gone = {line.number - 1 for sign in signs if sign.verdict in TELLING and sign.layer == 0 for line in sign.way}
    gone = {place for place in gone if 0 <= place < len(lines)}
    if not gone:
        return
    for place in sorted(gone):
        _with_continuation(lines, place, gone)
        above = place - 1
        while above >= 0 and _CONDITION.match(lines[above]) is not None:
            gone.add(above)
            above -= 1
    while _with_sections(lines, gone):
        pass
    yield b"".join(line for place, line in enumerate(lines) if place not in gone)


def _with_continuation(lines: Sequence[bytes], place: int, gone: set[int]) -> None:
    """Adds what a backslash at the end of a line joins on to it."""
    while lines[place].rstrip(b"\r\n").endswith(b"\\") and place + 1 < len(lines):
        place += 1
        gone.add(place)


def _with_sections(lines: Sequence[bytes], gone: set[int]) -> bool:
    """Adds the innermost sections that hold nothing else; returns whether there were any."""
    began: list[int] = []
    before = len(gone)
    for place, line in enumerate(lines):
        if _CLOSES.match(line) is not None and began:
            first = began.pop()
            inside = range(first + 1, place)
            if gone & set(inside) and all(one in gone or _NOTHING.match(lines[one]) for one in inside):
                gone |= set(range(first, place + 1))
        elif _OPENS.match(line) is not None:
            began.append(place)
    return len(gone) > before
