"""Puts the database examiner before the real WordPress of the kit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from scanners.database.examiner import DatabaseExaminer
from scanners.malware import Malware
from sentry.clock import SystemClock
from sentry.domain.finding import WORST_FIRST, Finding, FindingClass, Manifest
from sentry.domain.site import Site
from sentry.ports import Host, Scene
from sentry.remote.local_host import LocalHost
from sentry.remote.local_tree import LocalTree

SITE: TypeAdapter[Site] = TypeAdapter(Site)
MALWARE = Malware()


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look at a database brought."""

    findings: Sequence[Finding]
    manifest: Manifest

    def of(self, rule: str) -> Finding:
        """Returns the finding that has a sign of this rule."""
        found = [one for one in self.findings if any(sign.rule == rule for sign in one.signs)]
        assert found, f"no {rule} among {[(one.path, [s.rule for s in one.signs]) for one in self.findings]}"
        return found[0]

    @property
    def above_advice(self) -> Sequence[tuple[str, FindingClass]]:
        """What would need somebody's attention."""
        advice = WORST_FIRST.index(FindingClass.ADVICE)
        return [(one.path, one.verdict) for one in self.findings if WORST_FIRST.index(one.verdict) < advice]


def look(
    docroot: Path,
    *,
    url: str | None = None,
    host: Host | None = None,
    account: tuple[str, str] | None = None,
    known_admins: Sequence[str] = (),
) -> Looked:
    """Looks at the database of the site that stands there."""
    site = SITE.validate_python({"key": "shop", "url": url, "checks": [{"kind": "http"}]}) if url else None
    manifest, tree = Manifest(), LocalTree(docroot)
    entries = list(tree.entries(manifest))
    scene = Scene(site, host or LocalHost(), tree, entries, manifest, SystemClock(), lambda _done, _whole: None)
    examiner = DatabaseExaminer(MALWARE.judge, account, known_admins)
    return Looked(list(examiner.examine(scene)), manifest)
