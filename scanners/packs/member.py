"""What every archive holds: names, contents and links, normal and within bounds before anybody sees them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sentry.domain.errors import PackRefused

MAX_MEMBERS = 250_000
MAX_FILE_BYTES = 500_000_000
MAX_TOTAL_BYTES = 4_000_000_000
MAX_PATH_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Member:
    """One regular file or link of an archive.

    Attributes:
        path: below the archive's root, parted by `/`, without empty parts, `.` and `..`.
        content: its bytes in pieces; to be read before the next member is asked for.
        target: where a link leads, as written; None for a file.
    """

    path: bytes
    content: Iterable[bytes] = ()
    target: bytes | None = None


def normal(path: bytes) -> bytes:
    """Returns a path without empty parts and `.`; `b""` for the root itself.

    Raises:
        PackRefused: it leads out of the archive, or is too long.
    """
    shown = path[:100].decode("utf-8", "backslashreplace")
    if len(path) > MAX_PATH_BYTES:
        raise PackRefused(f"a name of {len(path):,} bytes, longer than {MAX_PATH_BYTES:,}: {shown!r}…")
    parts = path.split(b"/")
    if path.startswith(b"/") or b".." in path.replace(b"\\", b"/").split(b"/") or b"\0" in path:
        raise PackRefused(f"{shown!r} leads out of the archive; no honest package holds such a name")
    return b"/".join(part for part in parts if part not in {b"", b"."})


def bounded(members: Iterator[Member]) -> Iterator[Member]:
    """Yields members as they come, and refuses an archive that holds more than a package ever does.

    Raises:
        PackRefused: too many members, or too many bytes.
    """
    bytes_left = [MAX_TOTAL_BYTES]
    for number, member in enumerate(members, 1):
        if number > MAX_MEMBERS:
            raise PackRefused(f"more than {MAX_MEMBERS:,} members; no package has so many")
        yield Member(normal(member.path), _bounded_content(member, bytes_left), member.target)


def _bounded_content(member: Member, bytes_left: list[int]) -> Iterator[bytes]:
    size_bytes = 0
    for piece in member.content:
        size_bytes += len(piece)
        bytes_left[0] -= len(piece)
        if size_bytes > MAX_FILE_BYTES or bytes_left[0] < 0:
            shown = member.path[:100].decode("utf-8", "backslashreplace")
            raise PackRefused(
                f"{shown!r} makes it larger than a package may be, {MAX_FILE_BYTES:,} bytes a file and "
                f"{MAX_TOTAL_BYTES:,} altogether"
            )
        yield piece
