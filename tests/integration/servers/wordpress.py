"""A real WordPress as Debian packages it, with a database, PHP and a web server of its own unprivileged account.

It is installed once a run; each test gets a copy of its own.
"""

import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.integration.servers.account import Account, site_account
from tests.integration.servers.loopback import LOOPBACK, Answer, answers, fetch, free_port
from tests.integration.servers.mariadb import MariaDb
from tests.integration.servers.php_fpm import PhpFpm, run_php
from tests.integration.servers.process import ServerProcess, require

PACKAGED = Path("/usr/share/wordpress")
DATABASE = "wordpress"
USER = "site"
PASSWORD = 'It\'s "secret" \\ #1'
"""With everything that a careless reader of wp-config.php or a careless writer of a client's file trips over."""

ADMIN = "agency"


class SiteServer(ServerProcess):
    """nginx before a PHP site, run by the site's account."""

    name = "nginx"

    def __init__(self, folder: Path, account: Account, docroot: Path, php_socket: Path, port: int) -> None:
        super().__init__(folder)
        self._program = require("nginx", "nginx-light")
        self._account = account
        self._url = f"http://{LOOPBACK}:{port}/readme.html"
        temporary = " ".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {folder}/pid; error_log stderr warn;\n"
            "events { worker_connections 64; }\n"
            f"http {{ {temporary} access_log {folder}/access.log; include /etc/nginx/mime.types;\n"
            f"  server {{ listen {LOOPBACK}:{port}; root {docroot}; index index.php;\n"
            "    location / { try_files $uri $uri/ /index.php?$args; }\n"
            "    location ~ \\.php$ { include /etc/nginx/fastcgi_params;\n"
            "      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n"
            "      fastcgi_param HTTP_HOST $http_host;\n"  # Debian's file leaves the port out
            f"      fastcgi_pass unix:{php_socket}; }}\n"
            "  }\n}\n"
        )
        account.own(folder)

    def command(self) -> Sequence[str]:
        where = ("-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr")
        return self._account.running(self._program, *where)

    def is_ready(self) -> bool:
        return answers(self._url)


class WordPress:
    """One copy of the site, served at `url`, with a database of its own; a context manager.

    Attributes:
        docroot: owned by `account`, as is all else of it.
    """

    def __init__(self, folder: Path, account: Account) -> None:
        self.folder = folder
        self.account = account
        self.docroot = folder / "site"
        self._port = free_port()
        self.url = f"http://{LOOPBACK}:{self._port}"
        self.database = MariaDb(folder / "db", account, free_port())
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as started:
            started.enter_context(self.database)
            for option in ("siteurl", "home"):
                self.sql(f"UPDATE wp_options SET option_value = '{self.url}' WHERE option_name = '{option}'")  # noqa: S608  # ours
            php = started.enter_context(PhpFpm(self.folder / "php", self.account))
            started.enter_context(SiteServer(self.folder / "web", self.account, self.docroot, php.socket, self._port))
            self._running = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, traceback)
        shutil.rmtree(self.folder, ignore_errors=True)

    def fetch(self, path: str = "/") -> Answer:
        """Reads a page as a visitor does."""
        return fetch(f"{self.url}{path}", timeout_s=20.0)

    def sql(self, statements: str) -> str:
        """Runs statements in the site's database as the server's root."""
        return self.database.sql(statements, DATABASE)

    def php(self, source: str) -> str:
        """Runs PHP with WordPress loaded, e.g. `wp_insert_post(…);`, and returns what it prints."""
        return run_php(self.account, f"<?php {_LOADED.format(root=self.docroot)} {source}", folder=self.docroot)

    def write(self, path: str, content: bytes | str) -> Path:
        """Puts a file below the docroot, owned by the account."""
        file = self.docroot / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.account.own(file.parent) if file.parent != self.docroot else None
        shutil.chown(file, self.account.user_id, self.account.group_id)
        return file


_LOADED = (
    "error_reporting(E_ERROR); $_SERVER['HTTP_HOST'] = '127.0.0.1'; $_SERVER['REQUEST_URI'] = '/'; "
    "function wp_mail() {{ return true; }} require '{root}/wp-load.php';"
)


class WordPressKit:
    """Installs WordPress once, and hands out copies, each at an address of its own."""

    def __init__(self) -> None:
        if not PACKAGED.is_dir():
            pytest.skip("WordPress is not installed; as root: apt-get install --no-install-recommends wordpress")
        self._account = site_account()
        self._folder = Path(tempfile.mkdtemp(prefix="osw-"))
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        self._folder.chmod(0o711)  # the account looks for its own folder in it, and sees no others
        self._numbers = count(1)
        self._template = self._install()

    def site(self) -> WordPress:
        """Returns a copy of the site as it was installed, not yet running."""
        folder = self._folder / str(next(self._numbers))
        subprocess.run(("cp", "-a", "--reflink=auto", str(self._template), str(folder)), check=True)
        site = WordPress(folder, self._account)
        _configure(site)
        return site

    def _install(self) -> Path:
        folder = self._folder / "t"
        folder.mkdir()
        subprocess.run(("cp", "-aL", str(PACKAGED), str(folder / "site")), check=True)
        site = WordPress(folder, self._account)
        _configure(site)
        self._account.own(folder)
        site.database.install()
        with site.database as database:
            password = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
            database.sql(
                f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4; "
                f"CREATE USER {USER}@localhost IDENTIFIED BY '{password}'; "
                f"GRANT ALL ON {DATABASE}.* TO {USER}@localhost; "
                f"CREATE USER {USER}@{LOOPBACK} IDENTIFIED BY '{password}'; "
                f"GRANT ALL ON {DATABASE}.* TO {USER}@{LOOPBACK}; "
            )
            run_php(self._account, _INSTALLED.format(root=site.docroot, admin=ADMIN), folder=site.docroot)
            site.php("do_action('admin_init'); wp_cron();")  # what the first visits make of it
        return folder


_INSTALLED = (
    "<?php define('WP_INSTALLING', true); " + _LOADED + " require ABSPATH . 'wp-admin/includes/upgrade.php'; "
    "wp_install('A client', '{admin}', '{admin}@example.org', true, '', 'x9-Kd!2mQ');"
)


def _configure(site: WordPress) -> None:
    """Writes wp-config.php: the database is met at its socket, the address is the one that it is served at."""
    password = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
    site.write(
        "wp-config.php",
        "<?php\n"
        f"define( 'DB_NAME', '{DATABASE}' );\n"
        f"define( 'DB_USER', '{USER}' );\n"
        f"define( 'DB_PASSWORD', '{password}' );\n"
        f"define( 'DB_HOST', 'localhost:{site.database.socket}' );\n"
        "define( 'DB_CHARSET', 'utf8mb4' );\n"
        "define( 'DB_COLLATE', '' );\n"
        + "".join(f"define( '{name}', 'a test, and no secret: {name}' );\n" for name in _SALTS)
        + f"define( 'WP_HOME', '{site.url}' );\n"
        f"define( 'WP_SITEURL', '{site.url}' );\n"
        "define( 'WP_DEFAULT_THEME', 'twentytwentyone' );\n"
        "define( 'WP_HTTP_BLOCK_EXTERNAL', true );\n"
        "define( 'DISABLE_WP_CRON', true );\n"
        "$table_prefix = 'wp_';\n"
        "if ( ! defined( 'ABSPATH' ) ) {\n\tdefine( 'ABSPATH', __DIR__ . '/' );\n}\n"
        "require_once ABSPATH . 'wp-settings.php';\n",
    )


_SALTS = tuple(f"{name}_{kind}" for kind in ("KEY", "SALT") for name in ("AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE"))


@cache
def wordpress_kit() -> WordPressKit:
    """Returns the one kit of this run."""
    return WordPressKit()
