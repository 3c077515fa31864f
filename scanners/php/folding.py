"""PHP's own functions on constants: what a script that hides its text would compute, and nothing that acts."""

import binascii
import codecs
import re
import zlib
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote_to_bytes

from scanners.php.value import Constant

MAX_BYTES = 3_000_000
"""Bound of a constant: layers of real malware stay below one megabyte."""

MAX_PIECES = 200_000

Arguments = Sequence[Constant]
Folding = Callable[[Arguments], Constant | None]

_BROKEN = (ValueError, TypeError, IndexError, KeyError, AttributeError, ZeroDivisionError, OverflowError, re.error)
"""What arguments of the wrong number or kind raise: then the value is not known."""


def fold(function: bytes, arguments: Arguments) -> Constant | None:
    """Returns what a function gives for constants, None where that is not known or is too large.

    Args:
        function: its name in lower case.
        arguments: every one a constant.
    """
    folding = FOLDINGS.get(function)
    if folding is None:
        return None
    try:
        found = folding(arguments)
    except (*_BROKEN, binascii.Error, zlib.error):
        return None
    return None if isinstance(found, bytes) and len(found) > MAX_BYTES else found


def integer(constant: Constant | None) -> int | None:
    """Returns a constant as PHP's integer, None where it is none."""
    if not isinstance(constant, bytes) or len(constant) > LONGEST_NUMBER:
        return None
    try:
        return int(constant, 0) if constant[:2].lower() in {b"0x", b"0b"} else int(float(constant))
    except (ValueError, OverflowError):
        return None


LONGEST_NUMBER = 32


def _text(constant: Constant) -> bytes:
    if not isinstance(constant, bytes):
        raise TypeError("no text")
    return constant


def _texts(constant: Constant) -> list[bytes]:
    if isinstance(constant, bytes):
        return [constant]
    items = constant.values() if isinstance(constant, Mapping) else constant
    return [_text(item) for item in items if item is not None]


def _number(constant: Constant) -> int:
    number = integer(constant)
    if number is None:
        raise ValueError("no number")
    return number


def _base64(arguments: Arguments) -> bytes:
    """As PHP does: whatever is no base64 is passed over, and a length that cannot be is cut."""
    bare = re.sub(rb"[^A-Za-z0-9+/]", b"", _text(arguments[0]))
    bare = bare[: len(bare) - (len(bare) % 4 == 1)]
    return b64decode(bare + b"=" * (-len(bare) % 4))


def _inflate(window_bits: int) -> Folding:
    return lambda arguments: zlib.decompressobj(window_bits).decompress(_text(arguments[0]), MAX_BYTES)


def _pack(arguments: Arguments) -> Constant | None:
    form = _text(arguments[0])
    if form[:1] == b"H":
        return binascii.unhexlify(_text(arguments[1]))
    if form[:1] in {b"C", b"c"}:
        return bytes(_number(one) & 255 for one in arguments[1:])
    return None


def _must_fit(size: int) -> None:
    """Refuses what would grow beyond every bound before it is made."""
    if size > MAX_BYTES:
        raise OverflowError


def _replace(arguments: Arguments) -> bytes:
    wanted, instead, subject = arguments[0], arguments[1], _text(arguments[2])
    others = _texts(instead)
    for place, one in enumerate(_texts(wanted)):
        other = others[0] if isinstance(instead, bytes) else others[place] if place < len(others) else b""
        if one:
            _must_fit(len(subject) + subject.count(one) * len(other))
            subject = subject.replace(one, other)
    return subject


def _substr(arguments: Arguments) -> bytes:
    subject, start = _text(arguments[0]), _number(arguments[1])
    start = max(0, len(subject) + start) if start < 0 else start
    if len(arguments) < 3:  # noqa: PLR2004  # the length is the third argument
        return subject[start:]
    length = _number(arguments[2])
    return subject[start : start + length] if length >= 0 else subject[start:length]


def _implode(arguments: Arguments) -> bytes:
    if isinstance(arguments[0], bytes):
        glue, pieces = arguments[0], _texts(arguments[1])
    else:
        glue, pieces = (_text(arguments[1]) if len(arguments) > 1 else b""), _texts(arguments[0])
    _must_fit(len(glue) * len(pieces) + sum(map(len, pieces)))
    return glue.join(pieces)


def _repeat(arguments: Arguments) -> bytes:
    subject, times = _text(arguments[0]), _number(arguments[1])
    _must_fit(len(subject) * times)
    return subject * times


def _explode(arguments: Arguments) -> Constant:
    return tuple(_text(arguments[1]).split(_text(arguments[0]))[:MAX_PIECES])


def _split(arguments: Arguments) -> Constant:
    subject = _text(arguments[0])[:MAX_PIECES]
    size = max(1, _number(arguments[1])) if len(arguments) > 1 else 1
    return tuple(subject[place : place + size] for place in range(0, len(subject), size))


def _translate(arguments: Arguments) -> bytes:
    subject = _text(arguments[0])
    if isinstance(arguments[1], Mapping):
        pairs = {wanted: _text(other) for wanted, other in arguments[1].items() if wanted and other is not None}
        _must_fit(len(subject) * max(1, *map(len, pairs.values())))
        longest_first = sorted(pairs, key=len, reverse=True)
        return re.sub(b"|".join(map(re.escape, longest_first)), lambda found: pairs[found[0]], subject)
    wanted, instead = _text(arguments[1]), _text(arguments[2])
    size = min(len(wanted), len(instead))
    return subject.translate(bytes.maketrans(wanted[:size], instead[:size]))


_HARMLESS_PATTERN = re.compile(rb"^([/#~@!|])((?:\\?[\w .#@!*+-])+|\[[^\]\\]+\]\+?)\1[iu]*$")
"""Patterns that Python reads as PHP does and that cannot take long."""


def _preg_replace(arguments: Arguments) -> Constant | None:
    pattern, instead, subject = (_text(one) for one in arguments[:3])
    found = _HARMLESS_PATTERN.match(pattern)
    return None if found is None else re.sub(found[2], lambda _: instead, subject)


FOLDINGS: Mapping[bytes, Folding] = {
    b"base64_decode": _base64,
    b"gzinflate": _inflate(-15),
    b"gzuncompress": _inflate(15),
    b"gzdecode": _inflate(31),
    b"str_rot13": lambda got: codecs.encode(_text(got[0]).decode("latin-1"), "rot13").encode("latin-1"),
    b"strrev": lambda got: _text(got[0])[::-1],
    b"hex2bin": lambda got: binascii.unhexlify(_text(got[0])),
    b"bin2hex": lambda got: _text(got[0]).hex().encode(),
    b"pack": _pack,
    b"chr": lambda got: bytes([_number(got[0]) & 255]),
    b"ord": lambda got: b"%d" % _text(got[0])[0],
    b"dechex": lambda got: b"%x" % _number(got[0]),
    b"hexdec": lambda got: b"%d" % int(_text(got[0]), 16),
    b"octdec": lambda got: b"%d" % int(_text(got[0]), 8),
    b"urldecode": lambda got: unquote_to_bytes(_text(got[0]).replace(b"+", b" ")),
    b"rawurldecode": lambda got: unquote_to_bytes(_text(got[0])),
    b"convert_uudecode": lambda got: b"".join(map(binascii.a2b_uu, filter(None, _text(got[0]).split(b"\n")))),
    b"str_replace": _replace,
    b"str_ireplace": _replace,
    b"substr": _substr,
    b"implode": _implode,
    b"join": _implode,
    b"explode": _explode,
    b"str_split": _split,
    b"strtolower": lambda got: _text(got[0]).lower(),
    b"strtoupper": lambda got: _text(got[0]).upper(),
    b"ucfirst": lambda got: _text(got[0])[:1].upper() + _text(got[0])[1:],
    b"lcfirst": lambda got: _text(got[0])[:1].lower() + _text(got[0])[1:],
    b"strval": lambda got: _text(got[0]),
    b"trim": lambda got: _text(got[0]).strip(_text(got[1]) if len(got) > 1 else None),
    b"rtrim": lambda got: _text(got[0]).rstrip(_text(got[1]) if len(got) > 1 else None),
    b"ltrim": lambda got: _text(got[0]).lstrip(_text(got[1]) if len(got) > 1 else None),
    b"stripslashes": lambda got: _text(got[0]).replace(b"\\", b""),
    b"strtr": _translate,
    b"str_repeat": _repeat,
    b"array_reverse": lambda got: tuple(reversed(_texts(got[0]))),
    b"preg_replace": _preg_replace,
}
"""Function → what it gives for constants."""
