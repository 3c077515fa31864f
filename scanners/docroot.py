"""Walks through a tree of files on this machine, without ever leaving it, and reads what is to be judged."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sentry.domain.finding import Manifest, Skipped

MAX_FILE_BYTES = 20_000_000
"""A larger file is listed as skipped: no script of any CMS comes near it."""

MAX_FOLDER_DEPTH = 200


@dataclass(frozen=True, slots=True)
class DocrootFile:
    r"""One regular file.

    Attributes:
        path: below the root, as text; undecodable bytes as `\\xNN`.
    """

    path: str
    content: bytes


def walk(root: Path, manifest: Manifest) -> Iterator[DocrootFile]:
    """Yields every regular file, and counts all there is in the manifest.

    Links are not followed, so neither loops nor what lies outside is seen; a file that changes or vanishes while it
    is read is listed as skipped.

    Args:
        root: the folder.
        manifest: counts and what was skipped are written into it.
    """
    waiting = [(os.fsencode(root), 0)]
    while waiting:
        folder, depth = waiting.pop()
        manifest.folders += 1
        for entry in _entries(folder, root, manifest):
            if entry.name.startswith(b"."):
                manifest.hidden += 1
            if entry.is_dir(follow_symlinks=False):
                if depth < MAX_FOLDER_DEPTH:
                    waiting.append((entry.path, depth + 1))
                else:
                    manifest.skipped.append(Skipped(_below(root, entry.path), "nested too deeply", 0))
            else:
                found = _read(entry, root, manifest)
                if found is not None:
                    yield found


def _entries(folder: bytes, root: Path, manifest: Manifest) -> list[os.DirEntry[bytes]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        manifest.skipped.append(Skipped(_below(root, folder), f"folder cannot be read: {error.strerror}", 0))
        return []


def _read(entry: os.DirEntry[bytes], root: Path, manifest: Manifest) -> DocrootFile | None:
    path = _below(root, entry.path)
    size = 0
    try:
        status = entry.stat(follow_symlinks=False)
        size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            manifest.skipped.append(Skipped(path, "no regular file", 0))
            return None
        manifest.files += 1
        if size > MAX_FILE_BYTES:
            manifest.skipped.append(Skipped(path, f"larger than {MAX_FILE_BYTES:,} bytes", size))
            return None
        content = _content(entry.path)
    except OSError as error:
        manifest.skipped.append(Skipped(path, f"cannot be read: {error.strerror}", size))
        return None
    manifest.size_bytes += len(content)
    return DocrootFile(path, content)


def _content(path: bytes) -> bytes:
    """Reads a file that may have become a link or a pipe since it was looked at."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MAX_FILE_BYTES)


def _below(root: Path, path: bytes) -> str:
    relative = os.path.relpath(path, os.fsencode(root))
    return relative.decode("utf-8", "backslashreplace").replace("\n", "\\n").replace("\r", "\\r")
