"""The files of one site as a cleaning reads and writes them: never half, never outside of the root.

A file is written beside, gets its owner, permissions and attributes there, and is renamed into place with them.
"""

import hashlib
import posixpath
import re
from collections.abc import Mapping

from sentry.domain.cleaning import FileFacts, shown_path
from sentry.domain.errors import HostError, HostRefused
from sentry.ports.hosts import Host

MAX_FILE_BYTES = 20_000_000
"""As in audits: what is larger was not judged, and is not cleaned."""

TYPE_BITS, REGULAR_FILE = 0o170000, 0o100000
NO_PROGRAM = (126, 127)
STAGED = b".online-sentry-"
_STAGED_PATTERN = STAGED + b"?" * 16
_ATTRIBUTE = re.compile(r"([\w.-]{1,255})=(?:0x([0-9a-fA-F]*))?")
_REFUSED = re.compile(rb"permission denied|not permitted|read-only", re.IGNORECASE)


class SiteFiles:
    """Reads and writes the files below one folder of a host."""

    def __init__(self, host: Host, root: bytes) -> None:
        """Finds out where the folder really is.

        Raises:
            HostError: there is no such folder.
        """
        self._host = host
        self.name = host.name
        self.root = self._said([b"readlink", b"-e", b"--", root]).rstrip(b"\n")

    def read(self, path: bytes) -> bytes | None:
        """Returns a file, None where there is nothing of that name.

        Raises:
            HostError: it is no regular file, too large, cannot be read, or stands outside of the root.
        """
        if self.facts(path) is None:
            return None
        content = self._host.read(self._whole(path), MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise HostError(f"{shown_path(path)} is larger than {MAX_FILE_BYTES:,} bytes")
        return content

    def digest(self, path: bytes) -> str:
        """Returns the SHA-256 of a file, hexadecimal; empty where there is nothing of that name.

        Raises:
            HostError: as `read`.
        """
        content = self.read(path)
        return "" if content is None else hashlib.sha256(content).hexdigest()

    def facts(self, path: bytes) -> FileFacts | None:
        """Returns what is known of a file besides its content, None where there is nothing of that name.

        Raises:
            HostError: it is no regular file, or stands outside of the root.
        """
        self._require_inside(path)
        whole = self._whole(path)
        outcome = self._host.run([b"stat", b"--printf=%f %u %g %U %G %a %h %.9X %.9Y\\n", b"--", whole])
        if outcome.status:
            if self._host.run([b"test", b"-e", whole, b"-o", b"-L", whole]).status == 0:
                raise self._error(f"cannot look at {shown_path(path)}", outcome.complaints)
            return None
        kind, owner, group, owner_name, group_name, mode, links, accessed, modified = outcome.output.split()
        if int(kind, 16) & TYPE_BITS != REGULAR_FILE:
            raise HostError(f"{shown_path(path)} is no regular file any more")
        attributes = self._attributes(whole)
        return FileFacts(
            owner=int(owner),
            group=int(group),
            mode=int(mode, 8),
            modified_ns=_nanoseconds(modified),
            accessed_ns=_nanoseconds(accessed),
            owner_name=owner_name.decode("utf-8", "replace"),
            group_name=group_name.decode("utf-8", "replace"),
            links=int(links),
            attributes=attributes or {},
            has_attributes=attributes is not None,
        )

    def folder_facts(self) -> FileFacts:
        """Returns owner and group of the root, as facts for a new file in it."""
        owner, group = self._said([b"stat", b"--printf=%u %g", b"--", self.root]).split()
        return FileFacts(int(owner), int(group), 0, 0, 0)

    def put(self, path: bytes, content: bytes, facts: FileFacts, *, times: bool, staged: bytes) -> None:
        """Puts a file in place, whole and with its facts, or leaves what is there.

        Args:
            path: below the root.
            content: all of it.
            facts: what it is given; of its times only where that is asked for.
            times: whether it gets its old times: a cleaned file must look new, or caches would keep the old code.
            staged: sixteen letters and digits, for the name that it has until it is in place.

        Raises:
            HostError: it cannot be given all of that.
        """
        self._require_inside(path)
        beside = posixpath.join(posixpath.dirname(self._whole(path)), STAGED + staged)
        try:
            self._host.write(beside, content, 0o600)
            self._give(beside, facts, times=times)
            self._host.rename(beside, self._whole(path))
        except HostError:
            self._remove_quietly(beside)
            raise

    def remove(self, path: bytes) -> None:
        """Removes a file."""
        self._require_inside(path)
        self._host.remove(self._whole(path))

    def sweep(self, path: bytes) -> None:
        """Removes what a crash may have left beside a file: nothing but names of ours."""
        folder = posixpath.dirname(self._whole(path))
        self._host.run([b"find", folder, b"-maxdepth", b"1", b"-type", b"f", b"-name", _STAGED_PATTERN, b"-delete"])

    def php_accepts(self, content: bytes) -> bool | None:
        """Whether the host's own PHP can read a source, None where the host has no PHP. Nothing is run."""
        outcome = self._host.run([b"php", b"-n", b"-l"], stdin=content)
        return None if outcome.status in NO_PROGRAM else outcome.status == 0

    def _give(self, whole: bytes, facts: FileFacts, *, times: bool) -> None:
        is_now = self._said([b"stat", b"--printf=%u:%g", b"--", whole])
        wanted = b"%d:%d" % (facts.owner, facts.group)
        if is_now != wanted:
            self._said([b"chown", wanted, b"--", whole])
        self._said([b"chmod", b"%o" % facts.mode, b"--", whole])
        for name, value in facts.attributes.items():
            self._said([b"setfattr", b"-n", name.encode(), b"-v", b"0x" + value.encode(), b"--", whole])
        if times:
            for which, at_ns in ((b"-m", facts.modified_ns), (b"-a", facts.accessed_ns)):
                at = b"@%d.%09d" % divmod(at_ns, 1_000_000_000)
                self._said([b"touch", b"-c", which, b"-d", at, b"--", whole])

    def _attributes(self, whole: bytes) -> Mapping[str, str] | None:
        outcome = self._host.run(
            [b"getfattr", b"-h", b"-d", b"-m", b"-", b"-e", b"hex", b"--absolute-names", b"--", whole]
        )
        if outcome.status:
            return None
        found = (_ATTRIBUTE.fullmatch(line) for line in outcome.output.decode("utf-8", "replace").splitlines())
        return {match[1]: (match[2] or "").lower() for match in found if match is not None}

    def _require_inside(self, path: bytes) -> None:
        """Refuses a path that leaves the root, also by a folder that has become a link."""
        folder = posixpath.dirname(posixpath.join(self.root, path))
        if path.startswith(b"/") or b".." in path.split(b"/") or not posixpath.basename(path):
            raise HostError(f"{shown_path(path)} is no file below the folder")
        outcome = self._host.run([b"readlink", b"-e", b"-n", b"--", folder])
        if outcome.status or outcome.output != folder:
            raise HostError(f"the folder of {shown_path(path)} is not where it was any more")

    def _said(self, command: list[bytes]) -> bytes:
        outcome = self._host.run(command)
        if outcome.status:
            raise self._error(f"{command[0].decode()} failed", outcome.complaints)
        return outcome.output

    def _error(self, what: str, complaints: bytes) -> HostError:
        kind = HostRefused if _REFUSED.search(complaints) else HostError
        return kind(f"{self.name}: {what}: {shown_path(complaints[-200:].strip())}")

    def _remove_quietly(self, whole: bytes) -> None:
        try:
            self._host.remove(whole)
        except HostError:
            return  # what comes next sweeps

    def _whole(self, path: bytes) -> bytes:
        return posixpath.join(self.root, path)


def _nanoseconds(text: bytes) -> int:
    seconds, _, fraction = text.partition(b".")
    return int(seconds) * 1_000_000_000 + int(fraction.ljust(9, b"0")[:9] or b"0")
