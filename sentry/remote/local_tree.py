"""The files below one folder of this machine."""

import errno
import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from grp import getgrgid
from pathlib import Path
from pwd import getpwuid

from sentry.domain.errors import NotFound
from sentry.domain.finding import Manifest, Skipped
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.remote.skipping import CHANGED, MAX_FILE_BYTES, NO_FILE, is_changed, without_large

MAX_FOLDER_DEPTH = 200
KINDS: Mapping[int, EntryKind] = {
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.FOLDER,
    stat.S_IFLNK: EntryKind.LINK,
}


class LocalTree:
    """Fills `Tree` for a folder of this machine.

    Args:
        folder: the root.

    Raises:
        NotFound: there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise NotFound(f"{folder} is no folder; give the folder that the site is served from")
        self.root = os.fsencode(folder.resolve())
        # Each look-up reads /etc/passwd: for a tree of one owner that took a third of the time of an audit.
        self._user = cache(lambda number: _named(lambda: getpwuid(number).pw_name, number))
        self._group = cache(lambda number: _named(lambda: getgrgid(number).gr_name, number))

    def entries(self, manifest: Manifest) -> Iterator[TreeEntry]:
        """Yields every name below the root; see `Tree`."""
        waiting = [(b"", 0)]
        while waiting:
            folder, depth = waiting.pop()
            for name in self._names(folder, manifest):
                entry = self._entry(folder + name, manifest)
                if entry is None:
                    continue
                yield entry
                if entry.kind is EntryKind.FOLDER and depth < MAX_FOLDER_DEPTH:
                    waiting.append((entry.path + b"/", depth + 1))
                elif entry.kind is EntryKind.FOLDER:
                    manifest.skipped.append(Skipped(entry.shown_path, "nested too deeply", 0))

    def hashes(self, entries: Sequence[TreeEntry], manifest: Manifest) -> Iterator[tuple[TreeEntry, bytes]]:
        """Yields the SHA-256 digest of regular files; see `Tree`."""
        for entry, digest, _ in self._each(entries, manifest, _digest):
            yield entry, digest

    def contents(self, entries: Sequence[TreeEntry], manifest: Manifest) -> Iterator[tuple[TreeEntry, bytes]]:
        """Yields the content of regular files; see `Tree`."""
        for entry, content, status in self._each(entries, manifest, _content):
            if is_changed(entry, status.st_ctime, status.st_size, status.st_ino):
                manifest.skipped.append(Skipped(entry.shown_path, CHANGED, entry.size_bytes))
            yield entry, content

    def _each(
        self, entries: Sequence[TreeEntry], manifest: Manifest, read: Callable[[io.BufferedReader], bytes]
    ) -> Iterator[tuple[TreeEntry, bytes, os.stat_result]]:
        for entry in without_large(entries, manifest):
            try:
                with _opened(os.path.join(self.root, entry.path)) as file:
                    found, status = read(file), os.fstat(file.fileno())
            except OSError as error:
                gone = NO_FILE if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"
                manifest.skipped.append(Skipped(entry.shown_path, gone, entry.size_bytes))
            else:
                yield entry, found, status

    def _names(self, folder: bytes, manifest: Manifest) -> list[bytes]:
        try:
            return sorted(os.listdir(os.path.join(self.root, folder)))
        except OSError as error:
            shown = folder.decode("utf-8", "backslashreplace")
            manifest.skipped.append(Skipped(shown, f"folder cannot be read: {error.strerror}", 0))
            return []

    def _entry(self, path: bytes, manifest: Manifest) -> TreeEntry | None:
        whole = os.path.join(self.root, path)
        try:
            status = os.lstat(whole)
            target = os.readlink(whole) if stat.S_ISLNK(status.st_mode) else b""
        except OSError as error:
            shown = path.decode("utf-8", "backslashreplace")
            manifest.skipped.append(Skipped(shown, f"cannot be looked at: {error.strerror}", 0))
            return None
        return TreeEntry(
            path=path,
            kind=KINDS.get(stat.S_IFMT(status.st_mode), EntryKind.OTHER),
            size_bytes=status.st_size,
            mode=stat.S_IMODE(status.st_mode),
            owner=self._user(status.st_uid),
            group=self._group(status.st_gid),
            modified_at=status.st_mtime,
            changed_at=status.st_ctime,
            inode=status.st_ino,
            target=target,
        )


def _named(name: Callable[[], str], number: int) -> str:
    try:
        return name()
    except KeyError:
        return str(number)


def _content(file: io.BufferedReader) -> bytes:
    return file.read(MAX_FILE_BYTES)


def _digest(file: io.BufferedReader) -> bytes:
    return hashlib.file_digest(file, "sha256").digest()


def _opened(path: bytes) -> io.BufferedReader:
    """Opens a file that may have become a link or a pipe since it was looked at.

    Raises:
        OSError: it cannot be read; with ELOOP where it is no regular file any more.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise OSError(errno.ELOOP, "no regular file")
