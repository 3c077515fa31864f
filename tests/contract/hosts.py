"""The hosts that the suites of `Host` and `Tree` run on."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from sentry.ports.hosts import Host


@dataclass(frozen=True, slots=True)
class Ground:
    """A host, and a folder of it that its account may write and that the test sees too.

    Attributes:
        account: to whom the files belong; empty where the test itself is the account.
    """

    host: Host
    folder: Path
    account: str = ""

    def put(self, name: str, content: bytes = b"", mode: int = 0o644) -> bytes:
        """Writes a file for the account and returns its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        self.give()
        return bytes(path)

    def give(self) -> None:
        """Makes all of the folder the account's own."""
        if self.account:
            subprocess.run(["chown", "-hR", f"{self.account}:", str(self.folder)], check=True)
