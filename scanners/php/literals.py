"""Texts as PHP writes them: quotes and escapes."""

from contextlib import suppress

_ESCAPES = {
    b"n": b"\n",
    b"t": b"\t",
    b"r": b"\r",
    b"v": b"\v",
    b"e": b"\x1b",
    b"f": b"\f",
    b"\\": b"\\",
    b"$": b"$",
    b'"': b'"',
}


def quoted(literal: bytes) -> bytes:
    """Returns the text of a literal in single quotes."""
    return literal[1:-1].replace(b"\\'", b"'").replace(b"\\\\", b"\\")


def unescaped(escape: bytes) -> bytes:
    r"""Returns the bytes of an escape in double quotes: `\n`, `\x41`, `\101`, `\u{41}`; one that is none stays."""
    word = escape[1:]
    if word in _ESCAPES:
        return _ESCAPES[word]
    with suppress(ValueError, OverflowError):
        if word[:1] in {b"x", b"X"}:
            return bytes([int(word[1:], 16) & 255])
        if word[:1].isdigit():
            return bytes([int(word, 8) & 255])
        if word[:2] == b"u{":
            return chr(int(word[2:-1], 16)).encode(errors="replace")
    return escape
