"""A real Apache for one folder, in which `.htaccess` counts."""

from collections.abc import Sequence
from pathlib import Path

from tests.integration.servers.account import Account
from tests.integration.servers.loopback import LOOPBACK, answers, free_port
from tests.integration.servers.process import ServerProcess, require

MODULES = ("mpm_event", "authz_core", "alias", "rewrite", "headers", "dir", "mime")
MODULE_FOLDER = Path("/usr/lib/apache2/modules")


class Apache(ServerProcess):
    """Runs Apache as the account of a site."""

    name = "apache2"

    def __init__(self, folder: Path, account: Account, docroot: Path) -> None:
        super().__init__(folder)
        self._program = require("apache2", "apache2-bin")
        self._account = account
        self.url = f"http://{LOOPBACK}:{(port := free_port())}/"
        lines = (
            f"ServerRoot {folder}",
            f"Listen {LOOPBACK}:{port}",
            f"ServerName {LOOPBACK}",
            f"PidFile {folder}/pid",
            f"ErrorLog {folder}/errors.log",
            *(f"LoadModule {name}_module {MODULE_FOLDER}/mod_{name}.so" for name in MODULES),
            "TypesConfig /dev/null",
            f"DocumentRoot {docroot}",
            "DirectoryIndex index.html",
            f"<Directory {docroot}>",
            "AllowOverride All",
            "Require all granted",
            "</Directory>",
        )
        (folder / "apache.conf").write_text("\n".join((*lines, "")))
        account.own(folder)

    def command(self) -> Sequence[str]:
        return self._account.running(self._program, "-f", str(self.folder / "apache.conf"), "-D", "FOREGROUND")

    def is_ready(self) -> bool:
        return answers(self.url)
