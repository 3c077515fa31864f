"""The account that a client's site belongs to: one without any right beyond its own files."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.integration.servers.process import ServerError, require

SITE_USER = "online-sentry-test"
MADE_BY_ANOTHER_RUN = 9


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine. Where the tests are not run by root, it is who runs them."""

    name: str
    user_id: int
    group_id: int
    home: Path

    def running(self, *command: str) -> Sequence[str]:
        """Returns a command line that runs as this user, and ends when the tests do."""
        if os.geteuid() == self.user_id:
            return command
        user = ("--reuid", str(self.user_id), "--regid", str(self.group_id), "--clear-groups")
        return ("setpriv", *user, "--pdeathsig", "TERM", "--", *command)

    def own(self, folder: Path) -> None:
        """Gives a folder and what is in it to this user."""
        if os.geteuid() == self.user_id:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.user_id, self.group_id, follow_symlinks=False)


@cache
def site_account() -> Account:
    """Returns the account of the sites; as root one is made where there is none yet.

    Raises:
        ServerError: it cannot be made.
    """
    if os.geteuid() != 0:
        return _described(pwd.getpwuid(os.geteuid()))
    require("setpriv", "util-linux")
    try:
        return _described(pwd.getpwnam(SITE_USER))
    except KeyError:
        # A password that fits nothing; "!" would be a locked account, which sshd refuses.
        made = subprocess.run(
            ["useradd", "--create-home", "--shell", "/bin/sh", "--password", "*", SITE_USER],
            capture_output=True,
            check=False,
        )
        if made.returncode not in (0, MADE_BY_ANOTHER_RUN):
            raise ServerError(f"no account for a site: {made.stderr.decode()}") from None
    return _described(pwd.getpwnam(SITE_USER))


def _described(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, Path(entry.pw_dir))
