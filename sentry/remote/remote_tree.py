"""The files below one folder of a host that runs commands: three commands read all of it, however far away it is."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from sentry.domain.errors import HostError, HostLost
from sentry.domain.finding import Manifest, Skipped
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.ports.hosts import Host, Outcome, Output
from sentry.remote.byte_stream import ByteStream
from sentry.remote.failures import shown
from sentry.remote.heavy_command import CANNOT_ENTER, heavy
from sentry.remote.listing import Listed, listed, printed
from sentry.remote.load_brake import LoadBrake, pause
from sentry.remote.resumption import AskAgain, Tries, Wanted, resumed
from sentry.remote.skipping import (
    CHANGED,
    MAX_FILE_BYTES,
    MAX_NAMES,
    NO_FILE,
    NO_SUCH_FILE,
    NOT_PERMITTED,
    TOO_LARGE,
    UNREADABLE,
    is_changed,
    without_large,
)
from sentry.remote.tar_stream import OPTIONS, Member, TarStream

BATCH_FILES = 2_000
BATCH_BYTES = 100_000_000
"""Between two batches the load of the host is looked at."""

SILENT_S = 120.0
DIGEST_LINE = re.compile(rb"([0-9a-f]{64}) [ *](.*)", re.DOTALL)
HASHED_AT_ONCE = "200"
BATCH_NAMES = 500
NO_COMMAND = (126, 127)
KILLED = (-1, 125, 137)
"""By a signal, as told of the command itself, by xargs, and by a shell; a host that is out of memory does it."""


class RemoteTree:
    """Fills `Tree` by commands of the host, so a link of any delay costs the same few seconds.

    Args:
        host: where it is; a lost link is made anew, and what has not come yet is asked for again.
        root: the folder, absolute.
        max_load: of the host, above which reading waits; None never waits.
        wait: lets seconds go by.
    """

    def __init__(
        self,
        host: Host,
        root: bytes,
        max_load: float | None = None,
        wait: Callable[[float], object] = pause,
    ) -> None:
        self.root = root
        self._host, self._wait = host, wait
        self._brake = LoadBrake(host, max_load, wait)

    def entries(self, manifest: Manifest) -> Iterator[TreeEntry]:
        """Yields every name below the root; see `Tree`."""
        self._brake.hold()
        records = self._walked()
        for record in sorted(records, key=lambda record: record.entry.path.split(b"/")):
            if record.closed and record.entry.kind is EntryKind.FOLDER:
                manifest.skipped.append(Skipped(record.entry.shown_path, f"folder {NOT_PERMITTED}", 0))
            if record.entry.path:
                yield record.entry
        if len(records) == MAX_NAMES:
            manifest.skipped.append(Skipped("", f"more than {MAX_NAMES:,} names; the others are not listed", 0))

    def hashes(self, entries: Sequence[TreeEntry], manifest: Manifest) -> Iterator[tuple[TreeEntry, bytes]]:
        """Yields the SHA-256 digest of regular files; see `Tree`."""
        for batch in _batches(without_large(entries, manifest)):
            self._brake.hold()
            wanted = {b"./" + entry.path: entry for entry in batch}
            yield from resumed(wanted, self._hashed, self._wait)
            self._tell_missing(wanted, manifest)

    def contents(self, entries: Sequence[TreeEntry], manifest: Manifest) -> Iterator[tuple[TreeEntry, bytes]]:
        """Yields the whole content of regular files; see `Tree`."""
        for batch in _batches(without_large(entries, manifest)):
            self._brake.hold()
            wanted, came = {b"./" + entry.path: entry for entry in batch}, []
            for entry, content in resumed(wanted, lambda left: self._read(left, manifest), self._wait):
                came.append(entry)
                yield entry, content
            self._tell_missing(wanted, manifest)
            self._tell_changed(came, manifest)

    def _walked(self) -> list[Listed]:
        """Returns the listing, the root among it.

        Raises:
            HostError: there is none.
        """
        tries = Tries(self._wait)
        while True:
            try:
                return self._walked_once()
            except HostLost as lost:
                tries.failed(lost)

    def _walked_once(self) -> list[Listed]:
        with self._host.stream(heavy(self.root, ("find", ".", *printed("%P"))), silent_s=SILENT_S) as output:
            records = list(islice(self._listed(output), MAX_NAMES))
            if len(records) < MAX_NAMES:
                outcome = output.end()
                if not records:
                    raise HostError(f"{self._host.name}: {self._why_nothing(outcome)}")
                self._check(outcome, "find")
        return records

    def _listed(self, output: Output) -> Iterator[Listed]:
        try:
            yield from listed(ByteStream(output, self._host.name).fields())
        except ValueError as error:
            raise HostError(f"{self._host.name}: what find wrote is no listing") from error

    def _why_nothing(self, outcome: Outcome) -> str:
        said = shown(outcome.complaints.strip().rpartition(b"\n")[2])
        if outcome.status == CANNOT_ENTER:
            return f"{shown(self.root)} cannot be looked into: {said}"
        if b"printf" in outcome.complaints:
            return f"its find cannot print what an audit needs; install that of GNU findutils ({said})"
        if outcome.status in NO_COMMAND:
            return f"it has no find; install GNU findutils ({said})"
        return f"find wrote nothing of {shown(self.root)}, and ended with {outcome.status}: {said}"

    def _hashed(self, wanted: Wanted) -> Iterator[tuple[bytes, bytes]]:
        command = heavy(self.root, ("xargs", "-0", "-n", HASHED_AT_ONCE, "sha256sum", "-z"))
        with self._host.stream(command, stdin=_named(list(wanted)), silent_s=SILENT_S) as output:
            for field in ByteStream(output, self._host.name).fields():
                match = DIGEST_LINE.fullmatch(field)
                if match is None:
                    raise HostError(f"{self._host.name}: what sha256sum wrote is no hash")
                yield match[2], bytes.fromhex(match[1].decode())
            self._check(output.end(), "sha256sum")

    def _read(self, wanted: Wanted, manifest: Manifest) -> Iterator[tuple[bytes, bytes]]:
        command = heavy(self.root, ("tar", *OPTIONS, "-T", "-", "-cf", "-"))
        with self._host.stream(command, stdin=_named(list(wanted)), silent_s=SILENT_S) as output:
            archive = TarStream(ByteStream(output, self._host.name), self._host.name)
            try:
                for member in archive.members():
                    self._check_size(member, wanted, manifest)
                    yield member.path, archive.content(member)
            except EOFError:
                self._check(output.end(), "tar")
                raise HostLost(f"{self._host.name}: tar ended in its middle") from None
            self._check(output.end(), "tar")

    def _check_size(self, member: Member, wanted: Wanted, manifest: Manifest) -> None:
        if member.size_bytes <= MAX_FILE_BYTES:
            return
        if member.path in wanted:
            path = wanted[member.path].shown_path
            manifest.skipped.append(Skipped(path, TOO_LARGE, member.size_bytes))
        raise AskAgain(member.path)

    def _check(self, outcome: Outcome, program: str) -> None:
        """Files that cannot be read make a status too; they are told one by one, and this is about all of them."""
        if outcome.status in (*NO_COMMAND, CANNOT_ENTER):
            said = shown(outcome.complaints.strip().rpartition(b"\n")[2])
            raise HostError(f"{self._host.name}: {program} did not run in {shown(self.root)}: {said}")
        if outcome.status in KILLED:
            raise HostLost(f"{self._host.name}: {program} was killed")

    def _tell_missing(self, wanted: Wanted, manifest: Manifest) -> None:
        """Says of each file that did not come why."""
        now = self._looked_at(list(wanted.values())) if wanted else {}
        for entry in wanted.values():
            record = now.get(entry.path)
            if record is None:
                why = NO_SUCH_FILE
            elif record.closed:
                why = NOT_PERMITTED
            else:
                why = NO_FILE if record.entry.kind is not EntryKind.FILE else UNREADABLE
            manifest.skipped.append(Skipped(entry.shown_path, why, entry.size_bytes))

    def _tell_changed(self, came: Sequence[TreeEntry], manifest: Manifest) -> None:
        """Says of each file that is not what was listed that it changed while it was read."""
        now = self._looked_at(came) if came else {}
        for entry in came:
            record = now.get(entry.path)
            seen = None if record is None else record.entry
            if seen is None or is_changed(entry, seen.changed_at, seen.size_bytes, seen.inode):
                manifest.skipped.append(Skipped(entry.shown_path, CHANGED, entry.size_bytes))

    def _looked_at(self, entries: Sequence[TreeEntry]) -> Mapping[bytes, Listed]:
        """Returns what the files are now, by their paths; one that is gone is not among them."""
        script = f'exec find "$@" -maxdepth 0 {shlex.join(printed("%p"))}'
        command = heavy(self.root, ("xargs", "-0", "sh", "-c", script, "sh"))
        names = [b"./" + entry.path for entry in entries]
        tries = Tries(self._wait)
        while True:
            try:
                with self._host.stream(command, stdin=_named(names), silent_s=SILENT_S) as output:
                    records = islice(self._listed(output), len(names))
                    return {record.entry.path.removeprefix(b"./"): record for record in records}
            except HostLost as lost:
                tries.failed(lost)


def _named(names: Sequence[bytes]) -> Iterator[bytes]:
    for start in range(0, len(names), BATCH_NAMES):
        yield b"\0".join([*names[start : start + BATCH_NAMES], b""])


def _batches(entries: Sequence[TreeEntry]) -> Iterator[Sequence[TreeEntry]]:
    batch: list[TreeEntry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += entry.size_bytes
        if len(batch) == BATCH_FILES or size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
