"""Closes a site to visitors at its web server, and opens it again: only what is ours is put there and taken away.

Each call may be made again after a crash: the settings are read, our block is put in or taken out, and nothing else.
"""

from dataclasses import replace

from sentry.domain.cleaning import FileFacts
from sentry.domain.suspension import Method, Suspension, closed, gate, gate_name, opened
from sentry.services.site_files import SiteFiles

SETTINGS = {Method.HTACCESS: b".htaccess", Method.USER_INI: b".user.ini"}
NEW_MODE = 0o644
PASSING = b"<?php\n"
"""A gate that lets everybody in: FPM asks for the file until it has read its settings again."""


class SiteDoor:
    """The door of one site.

    Args:
        files: of its docroot.
    """

    def __init__(self, files: SiteFiles) -> None:
        self._files = files

    def close(self, suspension: Suspension) -> None:
        """Closes the site, or closes it for longer.

        Raises:
            HostError: the settings cannot be written; they are as they were.
        """
        if suspension.method is Method.USER_INI:
            self._put(gate_name(suspension), gate(suspension), suspension)
        name = SETTINGS[suspension.method]
        self._put(name, closed(suspension, self._files.read(name)), suspension)

    def open(self, suspension: Suspension) -> None:
        """Opens the site; a gate stays and lets everybody in, as FPM may ask for it for some minutes more.

        Raises:
            HostError: the settings cannot be written.
        """
        if suspension.method is Method.USER_INI and self._files.read(gate_name(suspension)) is not None:
            self._put(gate_name(suspension), PASSING, suspension)
        name = SETTINGS[suspension.method]
        now = self._files.read(name)
        before = opened(now) if now is not None else None
        if before is None and now is not None:
            self._files.remove(name)
        elif before is not None and before != now:
            self._put(name, before, suspension)

    def sweep(self, suspension: Suspension) -> None:
        """Takes the gate away, once nobody asks for it any more."""
        self._files.remove(gate_name(suspension))

    def _put(self, name: bytes, content: bytes, suspension: Suspension) -> None:
        facts = self._files.facts(name) or self._new()
        staged = suspension.token[:16].encode()
        self._files.put(name, content, facts, times=False, staged=staged)

    def _new(self) -> FileFacts:
        """Returns what a new file of the site gets: the folder's owner."""
        folder = self._files.folder_facts()
        return replace(folder, mode=NEW_MODE, attributes={})
