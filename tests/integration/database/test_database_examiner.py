"""The database examiner before a real WordPress on a real MariaDB."""

from collections.abc import Iterator

import pytest

from scanners.database.address import Address
from scanners.database.credentials import Credentials
from scanners.database.on_host import HostDatabase, MysqlClient, Php
from scanners.database.session import Database, DatabaseRefused
from scanners.database.tunnelled import TunnelledDatabase
from sentry.domain.finding import FindingClass, Place
from sentry.remote.local_host import LocalHost
from tests.integration.database.infections import INFECTIONS, PROGRAMS, Infection
from tests.integration.database.scene import Looked, look
from tests.integration.servers.loopback import LOOPBACK
from tests.integration.servers.wordpress import ADMIN, DATABASE, PASSWORD, USER, WordPress, wordpress_kit

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def site() -> Iterator[WordPress]:
    """A site that no test changes."""
    with wordpress_kit().site() as site:
        yield site


def test_database_when_clean_has_nothing_above_advice(site: WordPress) -> None:
    """What WordPress itself writes is no finding, and every row is counted."""
    looked = look(site.docroot, url=site.url, known_admins=[ADMIN])
    assert looked.above_advice == []
    assert looked.manifest.skipped == []
    counted = site.sql(
        "SELECT SUM(n) FROM (SELECT COUNT(*) AS n FROM wp_users UNION ALL SELECT COUNT(*) FROM wp_usermeta"
        " UNION ALL SELECT COUNT(*) FROM wp_posts UNION ALL SELECT COUNT(*) FROM wp_postmeta"
        " UNION ALL SELECT COUNT(*) FROM wp_options UNION ALL SELECT COUNT(*) FROM wp_comments"
        " UNION ALL SELECT COUNT(*) FROM wp_terms UNION ALL SELECT COUNT(*) FROM wp_term_taxonomy"
        " UNION ALL SELECT COUNT(*) FROM wp_termmeta UNION ALL SELECT COUNT(*) FROM wp_links) AS t"
    )
    assert looked.manifest.rows == int(counted)
    assert "tables of wp_" in looked.manifest.parts["database"]


def test_database_when_an_admin_is_not_among_the_known_says_so(site: WordPress) -> None:
    """Who keeps a list of administrators hears of every other one."""
    looked = look(site.docroot, url=site.url, known_admins=["somebody@example.org"])
    assert looked.of("db_admin_unknown").verdict is FindingClass.SUSPICIOUS


def _ways(site: WordPress) -> dict[str, Database]:
    host = LocalHost()
    socket = Credentials(DATABASE, USER, PASSWORD, Address("localhost", socket=str(site.database.socket)))
    tcp = Credentials(DATABASE, USER, PASSWORD, Address(LOOPBACK, site.database.port))
    return {
        "tunnel": TunnelledDatabase(host, tcp),
        "client": HostDatabase(host, socket, MysqlClient("mariadb")),
        "client over TCP": HostDatabase(host, tcp, MysqlClient("mariadb")),
        "php": HostDatabase(host, socket, Php()),
    }


def test_database_by_every_way_reads_the_same_and_cannot_write(site: WordPress) -> None:
    """Quotes in the password, empty values, NULL, tabs and bytes that are no text come over as they are."""
    columns = ("NULL", "''", "'a\tb\nc'", "X'00FF0A5C'", "ID", "user_login")
    for name, database in _ways(site).items():
        row = database.rows(columns, "FROM wp_users ORDER BY ID LIMIT 1")
        assert row == [(None, b"", b"a\tb\nc", b"\x00\xff\n\\", b"1", ADMIN.encode())], name
        with pytest.raises(DatabaseRefused):
            database.rows(("nothing",), "FROM wp_users")
        with pytest.raises(DatabaseRefused):
            database.rows(("1",), "INTO OUTFILE '/tmp/never'")
        database.close()


def test_database_with_a_wrong_password_is_refused_without_showing_it(site: WordPress) -> None:
    """The reason is told, the password is not."""
    wrong = Credentials(DATABASE, USER, "open sesame", Address(LOOPBACK, site.database.port))
    for way in (
        lambda: TunnelledDatabase(LocalHost(), wrong),
        lambda: HostDatabase(LocalHost(), wrong, MysqlClient("mariadb")),
        lambda: HostDatabase(LocalHost(), wrong, Php()),
    ):
        with pytest.raises(DatabaseRefused, match=r"(?i)denied") as refused:
            way()
        assert "sesame" not in str(refused.value)


def test_database_account_from_settings_is_used_and_what_it_may_not_see_is_said(site: WordPress) -> None:
    """An account that may only read is enough; that it sees no triggers is no reason to think that there are none."""
    site.database.sql(
        f"CREATE OR REPLACE USER reader@localhost IDENTIFIED BY 'r'; GRANT SELECT ON {DATABASE}.* TO reader@localhost"
    )
    looked = look(site.docroot, url=site.url, account=("reader", "r"))
    assert looked.above_advice == []
    assert looked.manifest.rows > 100
    assert any("TRIGGER" in skipped.why for skipped in looked.manifest.skipped)
    refused = look(site.docroot, url=site.url, account=("reader", "wrong"))
    assert "not looked at" in refused.manifest.parts["database"]
    assert refused.manifest.skipped


@pytest.fixture(scope="module")
def infected() -> Iterator[Looked]:
    """One look at a site that has everything."""
    with wordpress_kit().site() as site:
        # What the configuration sets would stand above the addresses of the database.
        source = (site.docroot / "wp-config.php").read_text()
        kept = [line for line in source.splitlines() if "WP_HOME" not in line and "WP_SITEURL" not in line]
        site.write("wp-config.php", "\n".join(kept))
        for infection in INFECTIONS:
            site.sql(infection.sql)
        for program in PROGRAMS:
            site.sql(f"DELIMITER ;;\n{program.sql};;")
        yield look(site.docroot, url=site.url)


@pytest.mark.parametrize("infection", [*INFECTIONS, *PROGRAMS], ids=lambda one: one.name)
def test_database_when_infected_finds_it_with_its_class(infected: Looked, infection: Infection) -> None:
    """Each of the things that intruders leave in a database."""
    found = [
        one
        for one in infected.findings
        if one.path.startswith(infection.place) and any(sign.rule == infection.rule for sign in one.signs)
    ]
    assert [one.verdict for one in found][:1] == [infection.verdict], [
        (one.path, one.verdict, [sign.rule for sign in one.signs]) for one in infected.findings
    ]
    assert found[0].place is Place.DATABASE


def test_database_when_infected_says_nothing_of_what_is_clean(infected: Looked) -> None:
    """WordPress' own first post, page and comment are not among the findings."""
    clean = ("wp_posts ID=1 ", "wp_posts ID=2 ", "wp_comments ", "wp_users ID=1 ")
    assert [one.path for one in infected.findings if one.path.startswith(clean)] == []
