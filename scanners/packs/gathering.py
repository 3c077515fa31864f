"""Everything that a package holds, hashed, with its contents in one temporary file and its links resolved in it."""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from scanners.packs.archive import members
from scanners.packs.member import MAX_MEMBERS, Member
from sentry.domain.errors import PackRefused

MAX_LINK_STEPS = 40
MAX_STEPS = 5_000_000
"""Folders entered on the way through links, all links together."""


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one file, or of several that are the same.

    Attributes:
        digest: SHA-256.
        offset: in the temporary file.
    """

    digest: bytes
    size_bytes: int
    offset: int


class Gathered:
    """What packages hold.

    Attributes:
        files: by their path, those that a link within the package leads to included.
        links: paths that lead to what no given package holds.
        through_links: those of `files` that are only seen through a link.
    """

    def __init__(self, spool: BinaryIO) -> None:
        self._spool = spool
        self._known: dict[bytes, Content] = {}
        self.files: dict[bytes, Content] = {}
        self.links: dict[bytes, bytes] = {}
        self.through_links: set[bytes] = set()

    def add(self, found: Iterable[Member]) -> None:
        """Takes in the members of a package."""
        for member in found:
            if member.target is None:
                self.files[member.path] = self._kept(member.content)
            else:
                self.links[member.path] = member.target

    def _kept(self, pieces: Iterable[bytes]) -> Content:
        offset, whole = self._spool.seek(0, 2), hashlib.sha256()
        for piece in pieces:
            whole.update(piece)
            self._spool.write(piece)
        content = Content(whole.digest(), self._spool.tell() - offset, offset)
        known = self._known.setdefault(content.digest, content)
        if known is not content:
            self._spool.truncate(offset)
        return known

    def read(self, path: bytes, at_most_bytes: int = -1) -> bytes:
        """Returns the content of a file, or its beginning."""
        content = self.files[path]
        self._spool.seek(content.offset)
        return self._spool.read(content.size_bytes if at_most_bytes < 0 else min(at_most_bytes, content.size_bytes))

    def resolve(self) -> None:
        """Lets links that lead to files of the packages be those files, as a copy that follows links would have it.

        Raises:
            PackRefused: they multiply beyond what a package may hold.
        """
        folders = _Folders(self.files, self.links)
        for link in sorted(self.links):
            for path, content in folders.beneath(link):
                if self.files.setdefault(path, content) is content:
                    self.through_links.add(path)
                if len(self.files) > MAX_MEMBERS:
                    raise PackRefused(f"its links multiply its files beyond {MAX_MEMBERS:,}; no package needs that")
        leading_inside = {link for link in self.links if folders.leads_inside(link)}
        self.links = {path: to for path, to in self.links.items() if path not in leading_inside}


class _Folders:
    """Finds where links lead to."""

    def __init__(self, files: dict[bytes, Content], links: dict[bytes, bytes]) -> None:
        self._links = links
        self._files = dict(files)
        self._in_folder: dict[bytes, dict[bytes, None]] = {}
        self._steps_left = MAX_STEPS
        for path in [*files, *links]:
            self._add(path)

    def _add(self, path: bytes) -> None:
        while path:
            folder = path.rpartition(b"/")[0]
            is_new = folder not in self._in_folder
            self._in_folder.setdefault(folder, {})[path] = None
            if not is_new:
                return
            path = folder

    def leads_inside(self, link: bytes) -> bool:
        """Whether a link leads to something of the packages, and not to a folder that it stands in."""
        end = self._end(link)
        return end is not None and (
            end in self._files or (end in self._in_folder and not link.startswith(end + b"/"))
        )

    def beneath(self, link: bytes) -> Iterator[tuple[bytes, Content]]:
        """Yields each file that is seen through a link, by the path at which it is seen there.

        Raises:
            PackRefused: links multiply what there is.
        """
        waiting: list[tuple[bytes, bytes, tuple[bytes, ...]]] = [(link, link, ())]
        while waiting:
            shown, path, through = waiting.pop()
            self._steps_left -= 1 + shown.count(b"/") + path.count(b"/")
            if self._steps_left < 0:
                raise PackRefused("its links multiply its files beyond all bounds; no package needs that")
            end = self._end(path)
            if end is not None and end in self._files:
                yield shown, self._files[end]
            elif end and end not in through and not shown.startswith(end + b"/"):  # else it goes round in a circle
                inside = self._in_folder.get(end, ())
                waiting += [(shown + one[len(end) :], one, (*through, end)) for one in inside]

    def _end(self, path: bytes) -> bytes | None:
        """Returns where a path leads in the end; None for out of the packages, or round in a circle."""
        for _ in range(MAX_LINK_STEPS):
            link = self._first_link(path)
            if link is None:
                return path
            resolved = _joined(link, self._links[link] + path[len(link) :])
            if resolved is None:
                return None
            path = resolved
        return None

    def _first_link(self, path: bytes) -> bytes | None:
        at = path.find(b"/")
        while at >= 0:
            if path[:at] in self._links:
                return path[:at]
            at = path.find(b"/", at + 1)
        return path if path in self._links else None


def _joined(link: bytes, target: bytes) -> bytes | None:
    parts = [] if target.startswith(b"/") else link.split(b"/")[:-1]
    for part in target.split(b"/"):
        if part == b"..":
            if not parts:
                return None
            parts.pop()
        elif part not in {b"", b"."}:
            parts.append(part)
    return b"/".join(parts)


@contextmanager
def gathered(sources: Iterable[Path]) -> Iterator[Gathered]:
    """Opens packages together, so that links from one into another are resolved.

    Raises:
        PackRefused: one of them cannot be read, or asks for too much.
    """
    with tempfile.TemporaryFile() as spool:
        whole = Gathered(spool)
        for source in sources:
            try:
                whole.add(members(source))
            except OSError as error:
                raise PackRefused(f"{source} cannot be read: {error.strerror or error}") from error
            except PackRefused as error:
                raise PackRefused(f"{source}: {error}") from error
        whole.resolve()
        yield whole
