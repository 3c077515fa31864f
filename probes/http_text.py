"""Reads a body as text: its character set, its head for evidence."""

import codecs
import re
from encodings.aliases import aliases

from probes.plain_text import harmless

BODY_HEAD_BYTES = 16_384

WEB_CODECS = frozenset(
    {"ascii", "latin_1", "utf_8", "utf_8_sig", "utf_16", "utf_16_le", "utf_16_be", "mac_roman", "mac_cyrillic"}
    | {
        "gbk",
        "gb2312",
        "gb18030",
        "big5",
        "euc_jp",
        "euc_kr",
        "shift_jis",
        "iso2022_jp",
        "koi8_r",
        "koi8_u",
        "tis_620",
    }
    | {f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)}
    | {f"cp{page}" for page in (866, 874, 932, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258)}
)
"""Of Python's codecs those that the web uses. Some of the others (punycode, idna) take quadratic time."""

AS_BROWSERS_READ = {
    "ascii": "cp1252",
    "latin_1": "cp1252",
    "gb2312": "gbk",
    "shift_jis": "cp932",
    "utf_16": "utf_16_le",
}
"""WHATWG Encoding: what these labels mean in practice."""

LABELS = {name: name for name in WEB_CODECS} | {alias: name for alias, name in aliases.items() if name in WEB_CODECS}

CHARSET = re.compile(r"charset\s*=[\s\"']*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
META_BYTES = 1024
"""Where HTML must have declared its character set (HTML Standard, 4.2.5.4)."""

BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf_8_sig"), (codecs.BOM_UTF16_LE, "utf_16"), (codecs.BOM_UTF16_BE, "utf_16"))


def charset_of(content_type: str | None, body: bytes | bytearray) -> str:
    """Returns Python's name of a body's character set: byte-order mark, header, declaration in HTML, else UTF-8."""
    for mark, name in BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return name
    declared = CHARSET.search(content_type or "") or CHARSET.search(body[:META_BYTES].decode("latin-1"))
    if declared is None:
        return "utf_8"
    label = LABELS.get(declared[1].lower().replace("-", "_"), "utf_8")
    return AS_BROWSERS_READ.get(label, label)


def body_head(body: bytes | bytearray, charset: str) -> str:
    """Returns the first 16 KiB of a body as harmless text; a character cut in two at the end is left out."""
    decoder = codecs.getincrementaldecoder(charset)(errors="replace")
    return harmless(decoder.decode(bytes(body[:BODY_HEAD_BYTES]), final=len(body) <= BODY_HEAD_BYTES))


def holds(body: bytes | bytearray, wanted: str, charset: str) -> bool:
    """Whether a text is in a body; compared as bytes, which is quicker than decoding all of it."""
    try:
        return wanted.encode("utf_8" if charset == "utf_8_sig" else _without_mark(charset, body)) in body
    except UnicodeEncodeError:  # the character set has no such characters, so the body has none
        return False


def _without_mark(charset: str, body: bytes | bytearray) -> str:
    """Returns the byte order that a body's mark tells, because encoding to plain `utf_16` would add a mark."""
    if charset != "utf_16":
        return charset
    return "utf_16_be" if body.startswith(codecs.BOM_UTF16_BE) else "utf_16_le"
