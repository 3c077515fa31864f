"""The files below one folder of a host that runs no commands: one by one over SFTP, many requests in flight."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import paramiko
from paramiko.sftp import (
    CMD_CLOSE,
    CMD_FSTAT,
    CMD_LSTAT,
    CMD_OPEN,
    CMD_OPENDIR,
    CMD_READ,
    CMD_READDIR,
    CMD_READLINK,
    SFTP_FLAG_READ,
    int64,
)

from sentry.domain.errors import HostError, HostLost
from sentry.domain.finding import Manifest, Skipped
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.remote.failures import shown
from sentry.remote.load_brake import pause
from sentry.remote.resumption import Tries, Wanted, resumed
from sentry.remote.sftp_pipeline import Job, Pipeline, Steps
from sentry.remote.skipping import (
    CHANGED,
    MAX_FILE_BYTES,
    MAX_NAMES,
    NO_FILE,
    NO_SUCH_FILE,
    NOT_PERMITTED,
    is_changed,
    without_large,
)
from sentry.remote.ssh_host import RemoteHost

Result = TypeVar("Result")

READ_BYTES = 255_000
"""At once; what OpenSSH gives in one answer."""

MAX_FOLDER_DEPTH = 200
KINDS: Mapping[int, EntryKind] = {
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.FOLDER,
    stat.S_IFLNK: EntryKind.LINK,
}
LEAST_WORDS = 4
WHY = {errno.EACCES: NOT_PERMITTED, errno.ENOENT: NO_SUCH_FILE}


class SftpTree:
    """Fills `Tree` where there is nothing but SFTP.

    It tells neither the time of change nor the inode, so nothing of it is known to be unchanged: both are 0.

    Args:
        host: where it is.
        root: the folder, absolute.
        wait: lets seconds go by.
    """

    def __init__(self, host: RemoteHost, root: bytes, wait: Callable[[float], object] = pause) -> None:
        self.root = root
        self._host, self._wait = host, wait

    def entries(self, manifest: Manifest) -> Iterator[TreeEntry]:
        """Yields every name below the root; see `Tree`."""
        level, names, depth = [b""], 0, 0
        while level and names <= MAX_NAMES and depth <= MAX_FOLDER_DEPTH:
            found = self._listed(level, manifest)
            yield from found
            names, depth = names + len(found), depth + 1
            level = [entry.path + b"/" for entry in found if entry.kind is EntryKind.FOLDER]
        manifest.skipped += [Skipped(shown(path), "beyond what is listed", 0) for path in level]

    def hashes(self, entries: Sequence[TreeEntry], manifest: Manifest) -> Iterator[tuple[TreeEntry, bytes]]:
        """Yields the SHA-256 digest of regular files: of their contents, read here."""
        for entry, content in self.contents(entries, manifest):
            yield entry, hashlib.sha256(content).digest()

    def contents(self, entries: Sequence[TreeEntry], manifest: Manifest) -> Iterator[tuple[TreeEntry, bytes]]:
        """Yields the whole content of regular files; see `Tree`."""
        wanted = {entry.path: entry for entry in without_large(entries, manifest)}
        for entry, (content, why) in resumed(wanted, self._read, self._wait):
            if why:
                manifest.skipped.append(Skipped(entry.shown_path, why, entry.size_bytes))
            if content is not None:
                yield entry, content

    def _listed(self, folders: Sequence[bytes], manifest: Manifest) -> Sequence[TreeEntry]:
        """Returns what is in some folders, by name; those that cannot be read are told."""
        tries = Tries(self._wait)
        while True:
            try:
                found = list(self._results([Job(_listing(self.root, folder)) for folder in folders]))
                break
            except HostLost as lost:
                tries.failed(lost)
        for folder, why, _ in found:
            if why and not folder:
                raise HostError(f"{self._host.name}: {shown(self.root)} cannot be looked into: {why}")
            if why:
                manifest.skipped.append(Skipped(shown(folder.rstrip(b"/")), f"folder {why}", 0))
        return sorted((entry for _, _, names in found for entry in names), key=lambda entry: entry.path)

    def _read(self, wanted: Wanted) -> Iterator[tuple[bytes, tuple[bytes | None, str]]]:
        yield from self._results([Job(_reading(self.root, one), one.size_bytes) for one in wanted.values()])

    def _results(self, jobs: Sequence[Job[Result]]) -> Iterator[Result]:
        with self._host.sftp() as client:
            yield from Pipeline[Result](client).results(jobs)


def _listing(root: bytes, folder: bytes) -> Steps[tuple[bytes, str, Sequence[TreeEntry]]]:
    """Returns the folder, why it cannot be read, and what is in it."""
    found: list[TreeEntry] = []
    try:
        handle = (yield CMD_OPENDIR, os.path.join(root, folder)).get_binary()
        while len(found) < MAX_NAMES:
            try:
                found += _entries(folder, (yield CMD_READDIR, handle))
            except EOFError:
                break
        yield CMD_CLOSE, handle
    except OSError as error:
        return folder, _why(error), found
    for number, entry in enumerate(found):
        if entry.kind is EntryKind.LINK:
            try:
                answer = yield CMD_READLINK, os.path.join(root, entry.path)
            except OSError:
                continue
            answer.get_int()
            found[number] = replace(entry, target=answer.get_binary())
    return folder, "", found


def _reading(root: bytes, entry: TreeEntry) -> Steps[tuple[bytes, tuple[bytes | None, str]]]:
    """Returns the path, and the content or why there is none; of one that has changed, both."""
    path = os.path.join(root, entry.path)
    content = bytearray()
    try:
        status = _attributes((yield CMD_LSTAT, path))
        if not stat.S_ISREG(status.st_mode or 0):
            return entry.path, (None, NO_FILE)
        handle = (yield CMD_OPEN, path, SFTP_FLAG_READ, paramiko.SFTPAttributes()).get_binary()
        while len(content) < MAX_FILE_BYTES:
            try:
                size = min(READ_BYTES, MAX_FILE_BYTES - len(content))
                content += (yield CMD_READ, handle, int64(len(content)), size).get_binary()
            except EOFError:
                break
        status = _attributes((yield CMD_FSTAT, handle))
        yield CMD_CLOSE, handle
    except OSError as error:
        return entry.path, (None, _why(error))
    changed = is_changed(entry, 0.0, status.st_size or 0, 0) or entry.modified_at != status.st_mtime
    return entry.path, (bytes(content), CHANGED if changed else "")


def _entries(folder: bytes, answer: paramiko.Message) -> Iterator[TreeEntry]:
    for _ in range(answer.get_int()):
        name, line = answer.get_binary(), answer.get_binary()
        status = _attributes(answer)
        if name not in (b".", b"..") and b"/" not in name and b"\0" not in name:
            yield _entry(folder + name, line, status)


def _entry(path: bytes, line: bytes, status: paramiko.SFTPAttributes) -> TreeEntry:
    mode = status.st_mode or 0
    # Like a line of `ls -l`, which has names where the attributes have numbers.
    words = line.decode("utf-8", "backslashreplace").split()
    owner, group = words[2:4] if len(words) > LEAST_WORDS else (str(status.st_uid), str(status.st_gid))
    return TreeEntry(
        path=path,
        kind=KINDS.get(stat.S_IFMT(mode), EntryKind.OTHER),
        size_bytes=status.st_size or 0,
        mode=stat.S_IMODE(mode),
        owner=owner,
        group=group,
        modified_at=float(status.st_mtime or 0),
        changed_at=0.0,
        inode=0,
    )


def _attributes(answer: paramiko.Message) -> paramiko.SFTPAttributes:
    read: paramiko.SFTPAttributes = paramiko.SFTPAttributes._from_msg(answer)  # type: ignore[attr-defined]  # noqa: SLF001  # the library reads them for itself alone
    return read


def _why(error: OSError) -> str:
    return WHY.get(error.errno or 0, f"cannot be read: {shown(str(error))}")
