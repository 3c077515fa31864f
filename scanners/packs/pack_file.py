r"""A pack as a file: a header in JSON, the list of files in little space, and a signature over both.

    ONLINE-SENTRY-PACK 1\n
    length of the header (4 bytes), the header
    length of the body (8 bytes), the body: digests, sizes and paths, compressed together
    public key (32 bytes), signature (64 bytes); all of it zero where nobody signed

Numbers are big-endian. Every length is checked before anything is read by it.
"""

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from scanners.packs.keys import KEY_BYTES, SIGNATURE_BYTES, SigningKey, is_signed, public_text
from scanners.packs.member import MAX_MEMBERS
from scanners.packs.pack import FORMAT, Pack, PackedFile, PackHeader
from sentry.domain.errors import PackRefused

MAGIC = b"ONLINE-SENTRY-PACK "
BEGIN = MAGIC + str(FORMAT).encode() + b"\n"
MAX_HEADER_BYTES = 262_144
MAX_BODY_BYTES = 64_000_000
MAX_OPENED_BYTES = 128_000_000
DIGEST_BYTES = 32
SIZE_BYTES = 8
NO_SIGNATURE = bytes(KEY_BYTES + SIGNATURE_BYTES)
HEADER: TypeAdapter[PackHeader] = TypeAdapter(PackHeader)


def body_of(files: Mapping[bytes, PackedFile], links: Iterable[bytes]) -> bytes:
    """Returns the list of files as it is kept; equal lists give equal bytes."""
    paths, leading = sorted(files), sorted(links)
    counts = struct.pack(">II", len(paths), len(leading))
    digests = b"".join(files[path].digest for path in paths)
    sizes = struct.pack(f">{len(paths)}Q", *(files[path].size_bytes for path in paths))
    return zlib.compress(counts + digests + sizes + b"\0".join([*paths, *leading]), 6)


def write(path: Path, header: PackHeader, body: bytes, key: SigningKey | None) -> None:
    """Writes a pack; it is there whole or not at all.

    Raises:
        PackRefused: it cannot be written.
    """
    text = json.dumps(HEADER.dump_python(header, mode="json"), ensure_ascii=False, sort_keys=True).encode()
    content = BEGIN + struct.pack(">I", len(text)) + text + struct.pack(">Q", len(body)) + body
    signature = NO_SIGNATURE if key is None else key.public_bytes + key.sign(content)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content + signature)
        beside.replace(path)
    except OSError as error:
        raise PackRefused(f"the pack {path} cannot be written: {error.strerror}") from error


def read_header(path: Path) -> PackHeader:
    """Returns what a pack says of itself; nobody has vouched for it yet.

    Raises:
        PackRefused: it is no pack, or of another format.
    """
    with _opened(path) as file:
        return _header(path, _header_text(path, file))


def read(path: Path) -> Pack:
    """Returns a whole pack, with the key that signed it.

    Raises:
        PackRefused: it is no pack, it is damaged, or its signature is wrong.
    """
    with _opened(path) as file:
        text = _header_text(path, file)
        body = _part(path, file, ">Q", MAX_BODY_BYTES)
        signature = file.read(len(NO_SIGNATURE) + 1)
    header = _header(path, text)
    key, seal = signature[:KEY_BYTES], signature[KEY_BYTES:]
    content = BEGIN + struct.pack(">I", len(text)) + text + struct.pack(">Q", len(body)) + body
    is_open = signature == NO_SIGNATURE
    if not is_open and not is_signed(content, key, seal):
        raise PackRefused(f"the signature of {path} is wrong: it was changed after it was signed; build it anew")
    if hashlib.sha256(body).hexdigest() != header.body_sha256:
        raise PackRefused(f"{path} is damaged: its list of files is not the one of its header; build it anew")
    files, links = _files(path, body)
    if len(files) != header.files:
        raise PackRefused(
            f"{path} is damaged: it lists {len(files):,} files and says {header.files:,}; build it anew"
        )
    return Pack(header, files, links, "" if is_open else public_text(key))


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise PackRefused(f"the pack {path} cannot be read: {error.strerror}") from error


def _header_text(path: Path, file: BinaryIO) -> bytes:
    begin = file.read(len(BEGIN))
    if not begin.startswith(MAGIC):
        raise PackRefused(f"{path} is no pack; build one with `online-sentry pack build`")
    if begin != BEGIN:
        raise PackRefused(f"{path} is a pack of another format than {FORMAT}; build it anew with this release")
    return _part(path, file, ">I", MAX_HEADER_BYTES)


def _part(path: Path, file: BinaryIO, length: str, at_most_bytes: int) -> bytes:
    size = struct.calcsize(length)
    prefix = file.read(size)
    wanted = struct.unpack(length, prefix)[0] if len(prefix) == size else -1
    part = file.read(wanted) if 0 <= wanted <= at_most_bytes else b""
    if len(part) != wanted:
        raise PackRefused(f"{path} is damaged: it is not as long as it says; build it anew")
    return part


def _header(path: Path, text: bytes) -> PackHeader:
    try:
        return HEADER.validate_json(text)
    except ValidationError as error:
        raise PackRefused(f"{path} is damaged: its header cannot be understood; build it anew") from error


def _files(path: Path, body: bytes) -> tuple[dict[bytes, PackedFile], frozenset[bytes]]:
    opener = zlib.decompressobj()
    try:
        whole = opener.decompress(body, MAX_OPENED_BYTES)
        count, leading = struct.unpack_from(">II", whole)
        sizes = struct.unpack_from(f">{min(count, MAX_MEMBERS)}Q", whole, 8 + count * DIGEST_BYTES)
    except (zlib.error, struct.error) as error:
        raise PackRefused(f"{path} is damaged: its list of files cannot be opened; build it anew") from error
    paths = whole[8 + count * (DIGEST_BYTES + SIZE_BYTES) :].split(b"\0") if count + leading else []
    if len(paths) != count + leading or not opener.eof:
        raise PackRefused(f"{path} is damaged: its list of files is incomplete; build it anew")
    digests = (whole[at : at + DIGEST_BYTES] for at in range(8, 8 + count * DIGEST_BYTES, DIGEST_BYTES))
    files = {name: PackedFile(digest, size) for name, digest, size in zip(paths, digests, sizes, strict=False)}
    return files, frozenset(paths[count:])
