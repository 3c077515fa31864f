"""Ways of writing by which somebody hides what a source does; each alone is only a hint."""

import re
from collections.abc import Callable
from itertools import islice

from scanners.php.run import Hit

LOOKED_AT_BYTES = 300_000

_NAMES = re.compile(rb"\$(?:[O0_o]{5,}|[Il1]{6,})\b")
_GOTO = re.compile(rb"\bgoto \w{1,40};")
_ESCAPES = re.compile(rb"(?:\\x[0-9a-fA-F]{2}|\\[0-7]{2,3}){4,}")
_RUNS = re.compile(rb"\b(?:eval|GLOBALS|goto)\b|\$\{")
_BITS = re.compile(rb"['\"]\s{0,4}[\^|&]\s{0,4}['\"\w~]")
_COMMENTS = re.compile(rb"['\")\]]\s{0,4}/\*[^*]{0,40}\*/|/\*\w{2,12}\*/")
_PADDING = re.compile(rb"[ \t]{150}[^\n]{0,80}?(?:eval|base64|\$\w{1,40}\s{0,4}=|@include|GLOBALS)")
_WIDE = (b" " * 150, b"\t" * 150, b"\t " * 75)
_INDEXES = re.compile(rb"\$\w{1,40}\[\d{1,6}\]\s{0,4}\.\s{0,4}\$\w{1,40}\[\d{1,6}\]")
_DECLARES = re.compile(rb"^\s{0,40}(?:namespace|class|interface|abstract|final)\s", re.MULTILINE)
_DOC_COMMENT = re.compile(rb"^\s{0,40}(?:/\*|\*)[^\n]*$", re.MULTILINE)


def _at_least(times: int, pattern: re.Pattern[bytes], source: bytes) -> bool:
    return next(islice(pattern.finditer(source), times - 1, None), None) is not None


def _scrambled_names(source: bytes) -> bool:
    return len({found[0] for found in _NAMES.finditer(source)}) >= 3  # noqa: PLR2004  # one may be chance


def _escapes(source: bytes) -> bool:
    may_be = source.count(b"\\") >= 12 * 4  # a count is forty times as fast as the pattern
    return may_be and _at_least(12, _ESCAPES, source) and _RUNS.search(source) is not None


def combines_bits(source: bytes) -> bool:
    """Whether texts are put together by `|`, `&`, `^` and `~`, again and again."""
    return _DECLARES.search(source) is None and _at_least(6, _BITS, _DOC_COMMENT.sub(b"", source))


STYLES: dict[str, Callable[[bytes], bool]] = {
    "style_names": _scrambled_names,
    "style_goto": lambda source: _at_least(12, _GOTO, source),
    "style_escapes": _escapes,
    "style_bits": combines_bits,
    "style_comments": lambda source: _at_least(12, _COMMENTS, source),
    "style_padding": lambda source: any(one in source for one in _WIDE) and _PADDING.search(source) is not None,
    "style_indexes": lambda source: _at_least(4, _INDEXES, source),
}
"""Signal → whether a source is written like that; the numbers are those that clean sources do not reach."""


def style_hits(source: bytes) -> list[Hit]:
    """Returns the ways of writing that a source shows."""
    looked_at = source[:LOOKED_AT_BYTES]
    return [Hit(signal, 1, b"") for signal, shows in STYLES.items() if shows(looked_at)]
