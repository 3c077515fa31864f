"""One cleaning at a time on a site: a folder on its host with a lease in it, which only one can rename into place."""

import hashlib
import json
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sentry.domain.errors import HostError, TransitionRefused
from sentry.ports.clock import Clock
from sentry.ports.hosts import Host

LEASE = timedelta(minutes=10)
"""Of a cleaning that says nothing any more; each file renews it."""

FOLDER = b".online-sentry"


class CleaningLock:
    """The right to clean a folder of a host.

    Args:
        root: the folder, as it really stands.
        holder: of the lock; whoever resumes a cleaning has that one's name.
    """

    def __init__(self, host: Host, root: bytes, holder: str, clock: Clock) -> None:
        self._host = host
        self._clock = clock
        self._holder = holder
        home = host.run([b"sh", b"-c", b'printf %s "${HOME:-/tmp}"']).output or b"/tmp"  # no home: its /tmp
        self._folder = posixpath.join(home, FOLDER)
        self._lock = posixpath.join(self._folder, b"cleaning-" + hashlib.sha256(root).hexdigest()[:24].encode())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the lock while inside.

        Raises:
            TransitionRefused: another cleaning of the folder is under way; says until when its lease runs.
        """
        self._take()
        try:
            yield
        finally:
            self._give_back()

    def renew(self) -> None:
        """Lets the lease begin anew.

        Raises:
            TransitionRefused: somebody else took it, as it was not renewed in time.
        """
        if self._read()[0] != self._holder:
            raise TransitionRefused(
                "the lease of this cleaning ran out, and another one began; `clean --resume` goes on"
            )
        self._host.write(posixpath.join(self._lock, b"lease"), self._lease(), 0o600)

    def _take(self) -> None:
        new = self._lock + b"." + hashlib.sha256(self._lease()).hexdigest()[:16].encode()
        self._host.make_folder(new)
        self._host.write(posixpath.join(new, b"lease"), self._lease(), 0o600)
        if self._moved(new):
            return
        holder, until = self._read()
        if holder == self._holder or until <= self._clock.now():
            # Whose process died, or ours from before a crash: only one can take it away.
            stale = new + b".stale"
            if self._host.run([b"mv", b"-T", b"--", self._lock, stale]).status == 0:
                self._drop(stale)
            if self._moved(new):
                return
        self._drop(new)
        raise TransitionRefused(f"another cleaning of this site is under way (until {until:%H:%M:%S} UTC at most)")

    def _moved(self, new: bytes) -> bool:
        """Renames a folder into place, which fails where one stands that is not empty."""
        return self._host.run([b"mv", b"-T", b"--", new, self._lock]).status == 0

    def _read(self) -> tuple[str, datetime]:
        try:
            said = json.loads(self._host.read(posixpath.join(self._lock, b"lease"), 4096))
            return str(said["holder"]), datetime.fromisoformat(said["until"])
        except (HostError, ValueError, KeyError, TypeError):
            return "", datetime.min.replace(tzinfo=UTC)

    def _give_back(self) -> None:
        if self._read()[0] == self._holder:
            self._drop(self._lock)

    def _drop(self, folder: bytes) -> None:
        self._host.run([b"rm", b"-rf", b"--", folder])

    def _lease(self) -> bytes:
        until = self._clock.now() + LEASE
        return json.dumps({"holder": self._holder, "until": until.isoformat()}).encode()
