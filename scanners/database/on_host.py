"""MySQL and MariaDB by what the site's host has: its own client, or PHP. The password goes through a pipe alone."""

import base64
import json
from binascii import unhexlify
from collections.abc import Sequence
from typing import Protocol

from scanners.database.credentials import Credentials
from scanners.database.session import PRELUDES, STATEMENT_S, DatabaseRefused, Row
from sentry.domain.errors import HostError, HostLost
from sentry.ports.hosts import Host

CONNECT_S = 10
MAX_OUTPUT_BYTES = 40_000_000
NULL = b"NULL"


class Program(Protocol):
    """One that runs statements and writes a row a line: values as hexadecimal digits, parted by tabs."""

    @property
    def name(self) -> str:
        """As it is called."""
        ...

    def command(self, statements: Sequence[str]) -> Sequence[str]:
        """Returns its command line, which others of the host can see."""
        ...

    def stdin(self, credentials: Credentials, statements: Sequence[str]) -> bytes:
        """Returns what is written to it, which nobody else can."""
        ...


class MysqlClient:
    """MySQL's or MariaDB's own client. The account's `.my.cnf` is not read: it may hold an attacker's commands."""

    def __init__(self, name: str) -> None:
        self.name = name

    def command(self, statements: Sequence[str]) -> Sequence[str]:
        """Returns its command line; sshd gives a socket for a standard input, which cannot be opened by its name."""
        options = ("--batch", "--skip-column-names", "--quick", "--local-infile=0", f"--connect-timeout={CONNECT_S}")
        piped = 'cat | exec "$0" --defaults-file=/dev/stdin "$@"'
        return ("sh", "-c", piped, self.name, *options, "--execute", "; ".join(statements))

    def stdin(self, credentials: Credentials, statements: Sequence[str]) -> bytes:
        """Returns a file of options."""
        del statements
        address = credentials.address
        where = {"socket": address.socket} if address.socket else {}
        if address.is_tcp:
            where = {"host": address.host, "port": str(address.port), "protocol": "tcp"}
        given = {
            "user": credentials.user,
            "password": credentials.password,
            "database": credentials.database,
            **where,
        }
        lines = (f'{name}="{_escaped(value)}"' for name, value in given.items())
        return (
            "\n".join(("[client]", *lines, ""))
            .replace("\ndatabase=", "\n[mysql]\ndatabase=")
            .encode("utf-8", "surrogateescape")
        )


class Php:
    """PHP, which a WordPress never lacks."""

    name = "php"

    def command(self, statements: Sequence[str]) -> Sequence[str]:
        """Returns its command line; a prepended file of php.ini may be an attacker's."""
        del statements
        return ("php", "-d", "auto_prepend_file=", "-d", "auto_append_file=", "-d", "display_errors=stderr")

    def stdin(self, credentials: Credentials, statements: Sequence[str]) -> bytes:
        """Returns the script."""
        address = credentials.address
        given = {
            "host": address.host or "localhost",
            "port": address.port,
            "socket": address.socket or None,
            "user": credentials.user,
            "password": credentials.password,
            "database": credentials.database,
            "connect_s": CONNECT_S,
            "statements": list(statements),
        }
        packed = base64.b64encode(json.dumps(given, ensure_ascii=True).encode("utf-8", "surrogatepass")).decode()
        return _SCRIPT.replace("@", packed).encode()


_SCRIPT = """<?php
$given = json_decode(base64_decode('@'), true);
mysqli_report(MYSQLI_REPORT_OFF);
$link = mysqli_init();
$link->options(MYSQLI_OPT_CONNECT_TIMEOUT, $given['connect_s']);
$link->options(MYSQLI_OPT_LOCAL_INFILE, 0);
function ended($said) { file_put_contents('php://stderr', $said); exit(1); }
$link->real_connect($given['host'], $given['user'], $given['password'], $given['database'], $given['port'],
    $given['socket']) or ended(mysqli_connect_error());
foreach ($given['statements'] as $statement) {
    $result = $link->query($statement, MYSQLI_USE_RESULT);
    if ($result === false) ended($link->error);
    if ($result === true) continue;
    while ($row = $result->fetch_row())
        echo implode("\\t", array_map(function ($one) { return $one === null ? 'NULL' : $one; }, $row)), "\\n";
}
"""


class HostDatabase:
    """Fills `Database` by a program of the host, once a statement.

    Raises:
        DatabaseRefused: nobody listens there, or the account is refused.
        HostError: the host does not run it.
    """

    is_sqlite = False

    def __init__(self, host: Host, credentials: Credentials, program: Program) -> None:
        self._host = host
        self._credentials = credentials
        self._program = program
        self.way = f"by {program.name} on its host"
        self._prelude = self._bind()

    def rows(self, columns: Sequence[str], rest: str) -> Sequence[Row]:
        """Returns what is selected; see `Database`."""
        return self._rows(self._prelude, columns, rest)

    def close(self) -> None:
        """Nothing stays open."""

    def _bind(self) -> Sequence[str]:
        refusal = DatabaseRefused("it was not asked")
        for prelude in PRELUDES:
            try:
                self._rows(prelude, ("1",), "")
            except DatabaseRefused as error:
                refusal = error
                if "denied" in str(error):  # it would be denied again, and somebody counts
                    break
            else:
                return prelude
        raise refusal

    def _rows(self, prelude: Sequence[str], columns: Sequence[str], rest: str) -> Sequence[Row]:
        cells = ", ".join(f"HEX(CONCAT({column}))" for column in columns)
        statements = (*prelude, f"SELECT {cells} {rest}")
        program = self._program
        try:
            outcome = self._host.run(
                program.command(statements),
                stdin=program.stdin(self._credentials, statements),
                within_s=STATEMENT_S + 2 * CONNECT_S,
                at_most_bytes=MAX_OUTPUT_BYTES,
            )
        except HostLost:
            raise
        except HostError as error:
            raise DatabaseRefused(str(error)[:300]) from error
        if outcome.status != 0:
            said = outcome.complaints.decode("utf-8", "backslashreplace").strip()
            raise DatabaseRefused(f"{program.name}: {said[-300:]}")
        return [_row(line) for line in outcome.output.splitlines()]


def _row(line: bytes) -> Row:
    try:
        return tuple(None if cell == NULL else unhexlify(cell) for cell in line.split(b"\t"))
    except ValueError as error:
        raise DatabaseRefused("the host wrote something that is no row") from error


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")


PROGRAMS: Sequence[Program] = (MysqlClient("mariadb"), MysqlClient("mysql"), Php())
