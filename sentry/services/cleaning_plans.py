"""Plans what is done to each file that an audit found. Nothing is written; what files are to become is kept."""

import hashlib
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sentry.domain.cleaning import Authority, PlannedFile, Remedy
from sentry.domain.errors import HostError, HostLost
from sentry.domain.finding import Evidence, Finding, FindingClass, Place
from sentry.ports.cleaning import Chest, Cutter, KnownGood
from sentry.services.site_files import SiteFiles

CLEANED = (FindingClass.CONFIRMED, FindingClass.SUSPICIOUS, FindingClass.MODIFIED)
"""Classes of which something can be done by writing; every other one is for people."""

FOREIGN = (Evidence.PLACE, Evidence.INTEGRITY)
"""What says that a file should not be there at all, where it is not a known file that differs."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person says beforehand.

    Attributes:
        authority: who says it, and why; without it only what has two kinds of evidence is written.
        paths: those that are meant, as the audit shows them; all where there are none.
        remove: those of them that are to go whole, though something of the site's may be in them.
    """

    authority: Authority = field(default_factory=Authority)
    paths: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()


class CleaningPlans:
    """Decides for each file, by what is known of it."""

    def __init__(self, files: SiteFiles, known: KnownGood, cutter: Cutter, chest: Chest) -> None:
        """Keeps in the chest what files are to become."""
        self._files = files
        self._known = known
        self._cutter = cutter
        self._chest = chest

    def files(
        self, findings: Sequence[Finding], paths: Mapping[str, bytes | None], wishes: Wishes
    ) -> Sequence[PlannedFile]:
        """Returns what is to be done to each file.

        Args:
            findings: of an audit.
            paths: what each shown path is on the host; None where two look alike.
            wishes: of a person.

        Raises:
            HostLost: the link broke.
        """
        wanted = [one for one in findings if one.place is Place.FILE and one.verdict in CLEANED]
        if wishes.paths:
            wanted = [one for one in wanted if one.path in wishes.paths]
        return [self._file(finding, paths.get(finding.path), wishes) for finding in wanted]

    def _file(self, finding: Finding, path: bytes | None, wishes: Wishes) -> PlannedFile:
        if path is None:
            return _proposed(finding, b"", "there is no one file of this name any more")
        try:
            content = self._files.read(path)
        except HostLost:
            raise
        except HostError as error:
            return _proposed(finding, path, str(error))
        if content is None:
            return _proposed(finding, path, "it is not there any more")
        if finding.sha256 and hashlib.sha256(content).hexdigest() != finding.sha256:
            return _proposed(finding, path, "it has changed since the audit")
        remedy, why, after = self._remedy(finding, path, content, wishes)
        if remedy is not Remedy.PROPOSE and not (finding.may_be_acted_upon or wishes.authority.is_person):
            why = f"would {remedy}: {why}; but only one kind of evidence speaks against it: a person must say so"
            return _proposed(finding, path, why)
        authority = wishes.authority if wishes.authority.is_person else Authority()
        return PlannedFile(
            path=path,
            remedy=remedy,
            why=why,
            before=finding.sha256 or hashlib.sha256(content).hexdigest(),
            after=self._chest.put(after) if after is not None else "",
            verdict=finding.verdict,
            rules=tuple(sign.rule for sign in finding.signs),
            authority=authority,
        )

    def _remedy(
        self, finding: Finding, path: bytes, content: bytes, wishes: Wishes
    ) -> tuple[Remedy, str, bytes | None]:
        if finding.path in wishes.remove and wishes.authority.is_person:
            return Remedy.REMOVE, f"{wishes.authority.by} wants it removed whole", None
        pristine = self._known.pristine(path)
        if pristine is not None:
            return Remedy.RESTORE, "it becomes what its package was published with", pristine
        excised = self._cutter.cut(finding.path, content, self._known.published_sha256(path))
        if excised.content is not None:
            if self._is_accepted(path, content, excised.content):
                return Remedy.CUT, excised.why, excised.content
            return Remedy.PROPOSE, "the host's own PHP does not accept what would be left", None
        if excised.is_nothing_else or _is_foreign(finding):
            return Remedy.REMOVE, "nothing of it is the site's", None
        return Remedy.PROPOSE, excised.why, None

    def _is_accepted(self, path: bytes, before: bytes, after: bytes) -> bool:
        """Asks the host's PHP; where that cannot read the infected file either, it has the last word all the same."""
        if b"<?" not in before or posixpath.basename(path) in (b".htaccess", b".user.ini", b"php.ini"):
            return True
        return self._files.php_accepts(after) is not False


def _is_foreign(finding: Finding) -> bool:
    """Whether evidence says that no such file belongs there."""
    if finding.verdict is not FindingClass.CONFIRMED:
        return False
    return any(sign.evidence in FOREIGN and sign.verdict is not FindingClass.MODIFIED for sign in finding.signs)


def _proposed(finding: Finding, path: bytes, why: str) -> PlannedFile:
    return PlannedFile(
        path=path or finding.path.encode(),
        remedy=Remedy.PROPOSE,
        why=why,
        before=finding.sha256,
        verdict=finding.verdict,
        rules=tuple(sign.rule for sign in finding.signs),
    )
