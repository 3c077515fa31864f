"""Text that came from a watched site, made harmless for mail headers, terminals, HTML sources and spreadsheets.

Everything a site sends may be hostile: a body that repaints the reader's terminal, a certificate name that ends a
mail header, a `Location` that reads backwards. What is left here is visible text only.
"""

import re
import unicodedata

_TERMINAL_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor, erasing
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS: titles, clipboards
    r"|\x1b[ -/]*[0-~]?"  # every other escape
)
_LINE_END = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that show nothing or change what is around them: controls, bidi marks, surrogates."""

_NO_BREAK = "\u00a0\u202f"
"""Spaces that keep a figure and its unit together."""

_MOST_MARKS = 2
"""Combining marks kept on one letter; more of them paint over the lines around."""


def inert_lines(text: str, max_chars: int = 16_384) -> list[str]:
    """Returns the visible text line by line, tabs as spaces.

    Args:
        text: anything.
        max_chars: how much of it is looked at.
    """
    plain = _LINE_END.sub("\n", _TERMINAL_SEQUENCE.sub("", text[:max_chars]))
    return [_visible(line) for line in plain.split("\n")]


def inert_line(text: str, max_chars: int = 300) -> str:
    """Returns the visible text as one line, runs of white space joined, cut with an ellipsis.

    Args:
        text: anything.
        max_chars: the longest line returned.
    """
    line = " ".join(" ".join(inert_lines(text, 4 * max_chars)).split())
    return line if len(line) <= max_chars else line[: max_chars - 1].rstrip() + "…"


def _visible(line: str) -> str:
    shown: list[str] = []
    marks = 0
    for character in line.replace("\t", "    "):
        category = unicodedata.category(character)
        if category in _INVISIBLE:
            continue
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks <= _MOST_MARKS:
            shown.append(" " if category == "Zs" and character not in _NO_BREAK else character)
    return "".join(shown).rstrip()
