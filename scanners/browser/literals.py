"""Texts in the source of JavaScript, read and written."""

import base64
import binascii
import re
from urllib.parse import unquote

STRING = r"(?:\"[^\"\\\n]*+(?:\\.[^\"\\\n]*+)*+\"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+')"
"""Possessive: it never goes back into what it has read, whatever follows."""

NUMBER = r"(?:0x[0-9a-fA-F]{1,8}|\d{1,8})"

_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|([0-7]{1,3})|(.))", re.DOTALL)
_NAMED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}
_PERCENT_U = re.compile(r"%u([0-9a-fA-F]{4})")
_BASE64 = re.compile(r"[A-Za-z0-9+/=_\s-]*")
MAX_CHARACTER = 0x10FFFF
_HALF_PAIRS = range(0xD800, 0xE000)


def character(number: int) -> str:
    """Returns a character by its number, a blank where it has none."""
    return chr(number) if 0 <= number <= MAX_CHARACTER and number not in _HALF_PAIRS else " "


def number(text: str) -> int:
    """Returns a whole number as JavaScript writes it."""
    return int(text, 16) if text[:2] in {"0x", "0X"} else int(text)


def _escaped(found: re.Match[str]) -> str:
    hexadecimal = found[1] or found[2] or found[3]
    if hexadecimal:
        return character(int(hexadecimal, 16))
    return character(int(found[4], 8)) if found[4] else _NAMED.get(found[5], found[5])


def read(literal: str) -> str:
    """Returns the text that a literal with its quotes stands for."""
    return _ESCAPE.sub(_escaped, literal[1:-1])


def written(text: str) -> str:
    """Returns a literal in double quotes."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{plain}"'


def unescaped(text: str) -> str:
    """Returns a text with `%41` and `%u0041` decoded."""
    return unquote(_PERCENT_U.sub(lambda found: character(int(found[1], 16)), text), "latin-1")


def from_base64(text: str) -> str | None:
    """Returns what a text in base64 hides, None where it is none."""
    packed = "".join(text.split()).rstrip("=")
    if len(packed) < 4 or _BASE64.fullmatch(packed) is None:  # noqa: PLR2004  # shorter ones hide nothing
        return None
    packed = packed.replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("latin-1")
    except (binascii.Error, ValueError):
        return None


def is_readable(text: str) -> bool:
    """Whether nearly all of a text are characters that people write."""
    odd = sum(1 for one in text if not (one.isprintable() or one in "\r\n\t"))
    return bool(text) and odd * 20 <= len(text)
