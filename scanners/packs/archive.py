"""Opens a package, whatever it is: zip, deb, tar in any compression, or a folder. Nothing in it is ever executed."""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from scanners.packs import tar
from scanners.packs.compression import PIECE_BYTES, Opened, opened
from scanners.packs.member import MAX_FILE_BYTES, MAX_MEMBERS, MAX_PATH_BYTES, Member, bounded
from sentry.domain.errors import PackRefused

ZIP_MAGIC = b"PK"
DEB_MAGIC = b"!<arch>\n"
DEB_HEADER_BYTES = 60
ZIP_END = b"PK\5\6"
ZIP_END_BYTES = 22
ZIP_COMMENT_BYTES = 65_535
MAX_DIRECTORY_BYTES = MAX_MEMBERS * 256
"""Of the list of contents at the end of a zip, which is read as one."""


def members(source: Path) -> Iterator[Member]:
    """Returns every file and link of a package; each content is to be read before the next member.

    Args:
        source: a zip, a deb, a tar in any compression, or a folder.

    Raises:
        OSError: it cannot be read.
        PackRefused: it is none of these, it is damaged, or it asks for more than a package may.
    """
    return bounded(_from_folder(source) if source.is_dir() else _from_file(source))


def _from_file(source: Path) -> Iterator[Member]:
    with source.open("rb") as file:
        begin = file.read(len(DEB_MAGIC))
        file.seek(0)
        if begin.startswith(ZIP_MAGIC):
            yield from _from_zip(file)
        elif begin == DEB_MAGIC:
            yield from tar.members(opened(_data_of_deb(file)))
        else:
            yield from tar.members(opened(file))


def _from_zip(file: BinaryIO) -> Iterator[Member]:
    _check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                if info.flag_bits & 1:
                    raise PackRefused(f"{info.filename[:100]!r} is encrypted; give the package without a password")
                yield _zip_member(archive, info)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, struct.error) as error:
        raise PackRefused(f"the zip is damaged: {error}") from error


def _check_directory(file: BinaryIO) -> None:
    """Refuses a zip whose list of contents would fill the memory before a name of it is known."""
    size_bytes = file.seek(0, os.SEEK_END)
    begin = file.seek(max(0, size_bytes - ZIP_END_BYTES - ZIP_COMMENT_BYTES))
    end = file.read()
    at = end.rfind(ZIP_END)
    if at < 0 or len(end) - at < ZIP_END_BYTES:
        raise PackRefused("the zip is damaged: it has no end; fetch the package again")
    (directory_bytes,) = struct.unpack_from("<I", end, at + 12)
    if directory_bytes > min(MAX_DIRECTORY_BYTES, begin + at):
        raise PackRefused(
            f"the list of contents of the zip is given as {directory_bytes:,} bytes; no package has so many"
        )
    file.seek(0)


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    path = info.filename.encode("utf-8", "surrogateescape")
    if stat.S_ISLNK(info.external_attr >> 16):
        with archive.open(info) as target:
            return Member(path, target=target.read(MAX_PATH_BYTES))
    if info.file_size > MAX_FILE_BYTES:
        raise PackRefused(
            f"{info.filename[:100]!r} has {info.file_size:,} bytes; a package has at most {MAX_FILE_BYTES:,}"
        )
    return Member(path, _zip_content(archive, info))


def _zip_content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(info) as content:
        while piece := content.read(PIECE_BYTES):
            yield piece


def _data_of_deb(file: BinaryIO) -> Opened:
    """Returns the part of a deb that holds its files; the scripts of its maintainer stand in another, never read."""
    file.seek(len(DEB_MAGIC))
    while len(header := file.read(DEB_HEADER_BYTES)) == DEB_HEADER_BYTES:
        name, size = header[:16].rstrip(b" /"), header[48:58].strip()
        if header[58:] != b"`\n" or not size.isdigit():
            break
        if name.startswith(b"data.tar"):
            return Opened(_section(file, int(size)))
        file.seek(int(size) + int(size) % 2, os.SEEK_CUR)
    raise PackRefused("the deb is damaged: it holds no data.tar; fetch the package again")


def _section(file: BinaryIO, left: int) -> Iterator[bytes]:
    while left and (piece := file.read(min(left, PIECE_BYTES))):
        left -= len(piece)
        yield piece


def _from_folder(folder: Path) -> Iterator[Member]:
    waiting = [(os.fsencode(folder), b"")]
    while waiting:
        whole, below = waiting.pop()
        with os.scandir(whole) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        for entry in listed:
            path = below + entry.name
            if entry.is_symlink():
                yield Member(path, target=os.fsencode(Path(os.fsdecode(entry.path)).readlink()))
            elif entry.is_dir():
                waiting.append((entry.path, path + b"/"))
            elif entry.is_file():
                yield Member(path, _file_content(entry.path))


def _file_content(path: bytes) -> Iterator[bytes]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
