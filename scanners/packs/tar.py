"""Reads tar from front to back: the standard library's reader believes whatever length a header gives."""

from collections.abc import Iterator, Mapping

from scanners.packs.compression import PIECE_BYTES, Source
from scanners.packs.member import MAX_FILE_BYTES, Member
from sentry.domain.errors import PackRefused

BLOCK_BYTES = 512
MAX_EXTRA_BYTES = 65_536
"""Of a header that only holds a long name or further attributes."""

FILES = (b"0", b"\0", b"7")
LINKS = (b"1", b"2")
SKIPPED = (b"3", b"4", b"5", b"6")
"""Devices, folders and pipes: nothing of them goes into a pack."""

DAMAGED = "it is no zip, no deb, no tar and no folder, or it is damaged; fetch the package again"
HIGHEST_BIT = 0x80


def members(source: Source) -> Iterator[Member]:
    """Yields files and links.

    Raises:
        PackRefused: it is damaged, or asks for what no package needs.
    """
    extra: dict[str, bytes] = {}
    while (block := source.read(BLOCK_BYTES)).strip(b"\0"):
        if len(block) < BLOCK_BYTES or _checksum(block) != _number(block[148:156]):
            raise PackRefused(DAMAGED)
        size_bytes, kind = _number(block[124:136]), block[156:157]
        if kind in b"LKxg":
            extra |= _extra(kind, _whole(source, size_bytes))
            continue
        size_bytes = _number(extra["size"]) if "size" in extra else size_bytes
        yield from _member(source, block, size_bytes, extra)
        extra = {}
    if len(block) < BLOCK_BYTES:
        raise PackRefused("the tar archive ends too early; fetch the package again")


def _member(source: Source, block: bytes, size_bytes: int, extra: Mapping[str, bytes]) -> Iterator[Member]:
    kind = block[156:157]
    path = extra.get("path") or _name(block)
    if kind in LINKS:
        target = extra.get("linkpath") or block[157:257].rstrip(b"\0")
        yield Member(path, target=b"/" + target.removeprefix(b"./") if kind == b"1" else target)
    elif kind in FILES:
        content = _Content(source, size_bytes)
        yield Member(path, iter(content))
        content.skip()
        return
    elif kind not in SKIPPED:
        raise PackRefused(f"a member of the kind {kind!r}, which no package needs")
    _Content(source, size_bytes if kind not in LINKS + SKIPPED else 0).skip()


class _Content:
    """The bytes of one file, with what fills its last block."""

    def __init__(self, source: Source, size_bytes: int) -> None:
        if size_bytes > MAX_FILE_BYTES:
            raise PackRefused(f"a file of {size_bytes:,} bytes; no package needs more than {MAX_FILE_BYTES:,}")
        self._source = source
        self._left = size_bytes
        self._filling = -size_bytes % BLOCK_BYTES

    def __iter__(self) -> Iterator[bytes]:
        while self._left:
            piece = self._source.read(min(self._left, PIECE_BYTES))
            if not piece:
                raise PackRefused("the tar archive ends too early; fetch the package again")
            self._left -= len(piece)
            yield piece

    def skip(self) -> None:
        for _ in self:
            pass
        self._source.read(self._filling)
        self._filling = 0


def _whole(source: Source, size_bytes: int) -> bytes:
    if size_bytes > MAX_EXTRA_BYTES:
        raise PackRefused(f"a name or attributes of {size_bytes:,} bytes in the tar archive; none needs so many")
    content = _Content(source, size_bytes)
    whole = b"".join(content)
    content.skip()
    return whole


def _extra(kind: bytes, text: bytes) -> dict[str, bytes]:
    if kind in b"LK":
        return {"path" if kind == b"L" else "linkpath": text.rstrip(b"\0")}
    if kind == b"g":
        return {}  # for all members: comments, which say nothing of names
    return dict(_attributes(text))


def _attributes(text: bytes) -> Iterator[tuple[str, bytes]]:
    """Yields the attributes of a header of pax: `LENGTH KEY=VALUE` and a line end; the length is that of it all."""
    while text:
        length = text.partition(b" ")[0]
        if not length.isdigit() or not len(length) + 1 < int(length) <= len(text):
            raise PackRefused("attributes in the tar archive are damaged; fetch the package again")
        key, _, value = text[len(length) + 1 : int(length) - 1].partition(b"=")
        if key.startswith(b"GNU.sparse"):
            raise PackRefused("a sparse file in the tar archive, which no package needs")
        yield key.decode("utf-8", "replace"), value
        text = text[int(length) :]


def _name(block: bytes) -> bytes:
    name, prefix = block[:100].rstrip(b"\0"), block[345:500].rstrip(b"\0")
    return prefix + b"/" + name if prefix and block[257:262] == b"ustar" and block[262:263] == b"\0" else name


def _number(field: bytes) -> int:
    if field[:1] and field[0] & HIGHEST_BIT:
        return int.from_bytes(field[1:], "big")  # more than eight digits to the base of eight: GNU's own way
    digits = field.strip(b" \0")
    try:
        return int(digits, 10 if len(field) not in (8, 12) else 8) if digits else 0
    except ValueError:
        raise PackRefused(DAMAGED) from None


def _checksum(block: bytes) -> int:
    return sum(block[:148]) + 8 * 0x20 + sum(block[156:])
