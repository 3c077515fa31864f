"""Finds the WordPress sites below a docroot, and how each opens its database."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scanners.database.address import Address, parse_address
from scanners.database.credentials import Credentials
from scanners.database.settings_file import MAX_BYTES, Written, read_environment, read_php
from sentry.domain.errors import HostError, HostLost
from sentry.ports.audits import Scene
from sentry.ports.hosts import Host

MAX_INSTALLATIONS = 5
MAX_DEPTH = 3
MAX_INCLUDES = 8
CONFIGURATION = b"wp-config.php"
SQLITE_FOLDER = b"wp-content/database/"
SQLITE_FILE = b".ht.sqlite"
_PREFIX = re.compile(r"^[A-Za-z0-9_$]{0,40}$")
_URL = re.compile(r"^(?:mysql|mariadb)://(?P<user>[^:@/]*):(?P<password>[^@]*)@(?P<host>[^/]+)/(?P<name>[^?]+)")

OTHER_SYSTEMS: Mapping[bytes, str] = {
    b"configuration.php": "Joomla",
    b"sites/default/settings.php": "Drupal",
    b"app/etc/env.php": "Magento",
    b"app/config/parameters.php": "PrestaShop",
    b"typo3conf/LocalConfiguration.php": "TYPO3",
    b"LocalSettings.php": "MediaWiki",
    b"bootstrap/app.php": "Laravel",
    b"../bootstrap/app.php": "Laravel",
}
"""Systems with a database that this does not know, by a file that each has."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One WordPress.

    Attributes:
        folder: below the root, empty or ending in `/`.
        accounts: of its database, to be tried in this order; several where its configuration decides as it runs.
        sqlite_path: absolute; empty where it uses MySQL.
        prefix: of its tables as configured; empty where that is not known.
        constants: what its configuration sets.
    """

    folder: bytes
    accounts: Sequence[Credentials] = ()
    sqlite_path: bytes = b""
    prefix: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """Its folder, for people."""
        return self.folder.decode("utf-8", "backslashreplace") or "the docroot"


def installations(scene: Scene, host: Host) -> Iterator[Installation]:
    """Yields every WordPress below the root, those nearer to it first.

    Raises:
        HostLost: the link broke.
    """
    names = {entry.path for entry in scene.entries}
    folders = {path.removesuffix(b"wp-load.php") for path in names if path.rpartition(b"/")[2] == b"wp-load.php"}
    folders |= {path.removesuffix(CONFIGURATION) for path in names if path.rpartition(b"/")[2] == CONFIGURATION}
    near = sorted((one for one in folders if one.count(b"/") < MAX_DEPTH), key=lambda one: (one.count(b"/"), one))
    seen: set[tuple[bytes, tuple[Credentials, ...], str]] = set()
    for folder in near[:MAX_INSTALLATIONS]:
        found = _read(scene, host, folder, names)
        one = (found.sqlite_path, tuple(found.accounts), found.prefix)
        if one not in seen:  # a core in a folder of its own, below its configuration
            seen.add(one)
            yield found


def other_system(scene: Scene, host: Host) -> str:
    """Returns the name of a system with a database, other than WordPress; empty where there is no sign of one."""
    names = {entry.path for entry in scene.entries}
    for path, system in OTHER_SYSTEMS.items():
        beside = path.startswith(b"../")
        if path in names or (beside and _content(host, scene.tree.root + b"/" + path) is not None):
            return system
    return ""


def _read(scene: Scene, host: Host, folder: bytes, names: set[bytes]) -> Installation:
    where = (scene.tree.root + b"/" + folder).rstrip(b"/")
    above = where.rpartition(b"/")[0]
    written = Written()
    for place in (where, above):  # WordPress, too, looks one folder higher
        if (source := _content(host, place + b"/" + CONFIGURATION)) is not None:
            _add(host, written, source, place, lambda: False)
            break
    environment: dict[str, str] = {}
    for place in (above, where):
        environment |= read_environment(_content(host, place + b"/.env") or b"")
    constants = {**environment, **{name: values[0] for name, values in written.constants.items()}}
    prefix = written.variables.get("table_prefix") or environment.get("DB_PREFIX", "")
    sqlite = (
        folder + SQLITE_FOLDER + constants.get("DB_FILE", SQLITE_FILE.decode()).encode("utf-8", "surrogateescape")
    )
    uses_sqlite = folder + b"wp-content/db.php" in names and sqlite in names
    return Installation(
        folder=folder,
        accounts=tuple(_accounts(written, constants)),
        sqlite_path=scene.tree.root + b"/" + sqlite if uses_sqlite else b"",
        prefix=prefix if _PREFIX.match(prefix) else "",
        constants=constants,
    )


def _add(host: Host, written: Written, source: bytes, folder: bytes, is_late: Callable[[], bool]) -> None:
    """Reads a configuration and what it includes, as deep as that goes; WordPress itself is not meant."""
    waiting, seen = [(source, folder)], set[bytes]()
    while waiting and len(seen) <= MAX_INCLUDES:
        content, place = waiting.pop(0)
        one = read_php(content, place, is_late)
        for name, values in one.constants.items():
            written.constants.setdefault(name, []).extend(values)
        written.variables |= one.variables
        for path in one.includes:
            if path in seen or path.endswith(b"wp-settings.php") or b"\0" in path:
                continue
            seen.add(path)
            whole = path if path.startswith(b"/") else place + b"/" + path
            if (found := _content(host, whole)) is not None:
                waiting.append((found, whole.rpartition(b"/")[0]))


def _accounts(written: Written, constants: Mapping[str, str]) -> Iterator[Credentials]:
    asked = ("DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST")
    values = [written.constants.get(name) or [constants.get(name, "")] for name in asked]
    for number in range(max(map(len, values))):
        name, user, password, host = (one[min(number, len(one) - 1)] for one in values)
        address = parse_address(host or "localhost")
        if name and user and address is not None:
            yield Credentials(name, user, password, address)
    found = _URL.match(constants.get("DATABASE_URL", ""))
    if found is not None and (address := parse_address(found["host"])) is not None:
        yield Credentials(found["name"], found["user"], found["password"], address)


def _content(host: Host, path: bytes) -> bytes | None:
    try:
        return host.read(path, MAX_BYTES)
    except HostLost:
        raise
    except HostError:
        return None


def with_account(installation: Installation, user: str, password: str) -> Installation:
    """Returns the same with an account that settings give, e.g. one that may only read."""
    places = [(one.database, one.address) for one in installation.accounts] or [("wordpress", Address("localhost"))]
    accounts = tuple(Credentials(database, user, password, address) for database, address in dict.fromkeys(places))
    return Installation(
        installation.folder, accounts, installation.sqlite_path, installation.prefix, installation.constants
    )
