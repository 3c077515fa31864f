"""Looks at the database of a site through its host alone: nothing is installed there, and nothing is written."""

from collections.abc import Iterable, Iterator, Sequence

from scanners.database.contents import judge_contents
from scanners.database.installation import Installation, installations, other_system, with_account
from scanners.database.opening import opened
from scanners.database.options import host_of, judge_options
from scanners.database.people import judge_people
from scanners.database.programs import judge_programs
from scanners.database.schedule import code_searcher, judge_schedule
from scanners.database.schema import Schema
from scanners.database.session import Database, DatabaseRefused
from scanners.database.texts import Judge, TextJudge
from sentry.domain.finding import Finding, Skipped
from sentry.domain.tree_entry import EntryKind
from sentry.ports.audits import Scene
from sentry.ports.hosts import Host


class DatabaseExaminer:
    """Fills `Examiner` for the databases of the WordPress sites below the root.

    Args:
        judge: the engines for files, which also judge what a database holds.
        account: user and password of an account that may only read; the site's own when absent.
        known_admins: logins or e-mail addresses of who may administer; empty where nobody said.
    """

    name = "database"
    rules = ""

    def __init__(
        self, judge: Judge, account: tuple[str, str] | None = None, known_admins: Sequence[str] = ()
    ) -> None:
        self._judge = judge
        self._account = account
        self._known_admins = known_admins

    def examine(self, scene: Scene) -> Iterable[Finding]:
        """Yields what is found in the databases; see `Examiner`."""
        if scene.host is None or scene.site is None:
            # A folder may come from anywhere: what its wp-config.php names is not to be connected to from here.
            scene.manifest.parts[self.name] = "not looked at: a folder is audited, not a site with its server"
            return
        told: list[str] = []
        for installation in installations(scene, scene.host):
            try:
                yield from self._examined(scene, scene.host, installation, told)
            except DatabaseRefused as error:
                told.append(f"{installation.shown}: not looked at: {error}")
                scene.manifest.skipped.append(Skipped(f"database of {installation.shown}", str(error), 0))
        if not told:
            told.append(_without_wordpress(scene, scene.host))
        scene.manifest.parts[self.name] = "; ".join(told)

    def _examined(self, scene: Scene, host: Host, installation: Installation, told: list[str]) -> Iterator[Finding]:
        if self._account is not None:
            installation = with_account(installation, *self._account)
        database = opened(host, installation, scene.clock.monotonic)
        try:
            before = scene.manifest.rows
            schema = Schema(database, scene.manifest, installation.prefix)
            if not schema.prefixes:
                raise DatabaseRefused("there are no tables of WordPress in it")
            yield from self._judged(scene, host, installation, database, schema)
            rows = scene.manifest.rows - before
            told.append(f"{installation.shown}: {rows:,} rows in tables of {_listed(schema)}, {database.way}")
        finally:
            database.close()

    def _judged(
        self, scene: Scene, host: Host, installation: Installation, database: Database, schema: Schema
    ) -> Iterator[Finding]:
        own = _own_hosts(scene, installation)
        judge = TextJudge(self._judge, scene.clock, own)
        paths = frozenset(entry.path for entry in scene.entries if entry.kind is EntryKind.FILE)
        in_code = code_searcher(host, scene.tree.root)
        yield from judge_programs(schema, database)
        yield from judge_people(schema, schema.prefixes[0], self._known_admins)
        for done, prefix in enumerate(schema.prefixes):
            scene.told(done, len(schema.prefixes))
            yield from judge_options(schema, prefix, installation, own if done == 0 else frozenset(), paths)
            yield from judge_schedule(schema, prefix, judge, in_code)
            yield from judge_contents(schema, prefix, judge)
        scene.told(len(schema.prefixes), len(schema.prefixes))


def _own_hosts(scene: Scene, installation: Installation) -> frozenset[str]:
    """Returns what the site may be called: by the settings and by its own configuration."""
    addresses = [installation.constants.get(name, "") for name in ("WP_HOME", "WP_SITEURL")]
    addresses += [str(scene.site.url)] if scene.site is not None else []
    return frozenset(host for host in map(host_of, addresses) if host)


def _listed(schema: Schema) -> str:
    return ", ".join(prefix or "no prefix" for prefix in schema.prefixes[:5])


def _without_wordpress(scene: Scene, host: Host) -> str:
    system = other_system(scene, host)
    if not system:
        return "no WordPress was found, and no sign of another system with a database"
    why = f"the database of {system} cannot be looked at yet, only that of WordPress"
    scene.manifest.skipped.append(Skipped("database", why, 0))
    return why
