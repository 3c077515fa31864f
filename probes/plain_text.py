"""Makes text of strangers harmless for logs, terminals, mails and pages."""

import re

UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff\ufeff]"
)
"""Control characters (terminals act on some), marks that turn the direction of text, surrogates."""


def harmless(text: str) -> str:
    """Returns the text with unsafe characters replaced by U+FFFD; tabs and line ends stay."""
    return UNSAFE.sub("\ufffd", text)


def one_line(text: str, max_chars: int) -> str:
    """Returns the text harmless, on one line, cut at a length."""
    line = " ".join(harmless(text[: max_chars + 1]).split())
    return line if len(line) <= max_chars else f"{line[: max_chars - 1]}…"
