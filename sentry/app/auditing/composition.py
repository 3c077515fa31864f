"""An audit from end to end: the scene, every examiner in turn, and the report. Nothing is executed or changed."""

import atexit
import posixpath
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cache, partial
from pathlib import Path

from scanners.account.examiner import AccountExaminer
from scanners.components.examiner import ComponentsExaminer
from scanners.components.feeds import Feeds
from scanners.database.examiner import DatabaseExaminer
from scanners.exposure.examiner import ExposureExaminer
from scanners.files import FilesExaminer
from scanners.foreign_rules import ForeignRules
from scanners.integrity.examiner import IntegrityExaminer
from scanners.isolation import Isolation
from scanners.judges import judge_by
from scanners.outside.examiner import OutsideExaminer
from scanners.provenance import judged_by_both
from scanners.web.answer import Web
from scanners.web.client import HttpWeb
from scanners.web.visitors import plain
from sentry.app.auditing.memory import Memory
from sentry.app.auditing.order import AuditOrder
from sentry.app.auditing.reach import reached
from sentry.clock import SystemClock
from sentry.domain.audit_outcome import put_together
from sentry.domain.audit_policy import SiteAudit
from sentry.domain.errors import HostError
from sentry.domain.finding import AuditReport, Finding, Manifest, Skipped
from sentry.domain.rule_folder import RuleSource
from sentry.domain.site import Site
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.ports import Clock, Examiner, Host, Scene, Tree

Make = Callable[[AuditOrder, Memory], Examiner | None]


@cache
def _rules_of_others(sources: tuple[RuleSource, ...]) -> ForeignRules:
    return ForeignRules(sources)


@cache
def _judges(sources: tuple[RuleSource, ...]) -> Isolation:
    """Returns what judges files, for every examiner that has some judged: in a process that lives as long as ours."""
    isolation = Isolation(SystemClock(), partial(judge_by, sources))
    atexit.register(isolation.close)
    return isolation


def _files(order: AuditOrder, memory: Memory) -> Examiner:
    rules = judged_by_both(_rules_of_others(order.rules).sha256)
    return FilesExaminer(_judges(order.rules).judge, memory.verdicts(rules), rules)


EXAMINERS: Sequence[Make] = (
    lambda order, _memory: IntegrityExaminer(order.packs.shelf(), _judges(order.rules).judge),
    _files,
    lambda order, _memory: AccountExaminer(_audit_of(order.site).known_keys),
    lambda order, _memory: _database(order),
    lambda order, _memory: ComponentsExaminer(Feeds(order.feeds, Path(order.home), Path(order.cache))),
    lambda order, _memory: ExposureExaminer(_web(order), plain(order.user_agent)),
    lambda order, _memory: OutsideExaminer(_web(order), _judges(order.rules).judge, order.visits.pages),
)
"""Makes the examiners, in the order in which they look; None where an order gives one nothing to do.

What recognises known files stands before what opens files.
"""

Progress = Callable[[str, int, int], None]
"""What is told of progress: the name of the part, how many are done, and of how many."""


def audit(order: AuditOrder, clock: Clock, told: Progress) -> AuditReport:
    """Audits what is ordered.

    Args:
        order: what.
        clock: times the audit and each file.
        told: hears of progress.

    Raises:
        NotFound: there is no such folder.
        HostError: the host cannot be reached, or the link broke.
    """
    with reached(order) as (host, tree), closing(Memory(order, clock)) as memory:
        return _audited(order, host, tree, clock, memory, told)


def _audited(order: AuditOrder, host: Host, tree: Tree, clock: Clock, memory: Memory, told: Progress) -> AuditReport:
    began_at, manifest = clock.now(), Manifest()
    told("listing", 0, 0)
    entries = list(tree.entries(manifest))
    _count(entries, tree, manifest)
    files = [entry for entry in entries if entry.kind is EntryKind.FILE]
    digests = memory.digests(host, tree, files, manifest, partial(told, "hashing"))
    manifest.failures += _rules_of_others(order.rules).problems
    examiners = [examiner for make in EXAMINERS if (examiner := make(order, memory)) is not None]
    known, judged = set[bytes](), set[bytes]()
    findings: list[Finding] = []
    for examiner in examiners:
        teller = _teller(told, examiner.name)
        scene = Scene(order.site, host, tree, entries, manifest, clock, teller, digests, known, judged)
        findings.extend(_examined(examiner, scene))
    return AuditReport(
        root=tree.root.decode("utf-8", "backslashreplace"),
        began_at=began_at,
        ended_at=clock.now(),
        manifest=manifest,
        findings=put_together(findings, manifest),
        site_key=order.site.key if order.site else "",
        rules={examiner.name: examiner.rules for examiner in examiners if examiner.rules},
    )


def _examined(examiner: Examiner, scene: Scene) -> Iterator[Finding]:
    """What an examiner found until its end, or until it failed: that is said, and is no verdict."""
    try:
        yield from examiner.examine(scene)
    except HostError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a stranger's site brings an examiner to
        scene.manifest.failures.append(f"{examiner.name} failed: {type(error).__name__}: {error}"[:500])


def _database(order: AuditOrder) -> Examiner | None:
    site = order.site
    if site is None:
        return None
    account = site.access.database if site.access is not None else None
    given = (account.user, account.password.get_secret_value()) if account is not None else None
    return DatabaseExaminer(_judges(order.rules).judge, given, _audit_of(site).known_admins)


def _audit_of(site: Site | None) -> SiteAudit:
    return site.audit if site is not None and site.audit is not None else SiteAudit()


def _web(order: AuditOrder) -> Callable[[Site], Web] | None:
    """What opens a site over the web, None where that is not wanted."""
    return (
        (lambda site: HttpWeb(str(site.url), order.visits, SystemClock().monotonic)) if order.visits.enabled else None
    )


def _teller(told: Progress, part: str) -> Callable[[int, int], None]:
    return lambda done, whole: told(part, done, whole)


def _count(entries: Sequence[TreeEntry], tree: Tree, manifest: Manifest) -> None:
    manifest.folders = 1 + sum(entry.kind is EntryKind.FOLDER for entry in entries)
    manifest.hidden = sum(entry.path.rpartition(b"/")[2].startswith(b".") for entry in entries)
    for entry in entries:
        if entry.kind is EntryKind.OTHER:
            manifest.skipped.append(Skipped(entry.shown_path, "a pipe, a socket or a device", 0))
        elif entry.kind is EntryKind.LINK and not _stays_inside(entry, tree.root):
            manifest.skipped.append(Skipped(entry.shown_path, "a link that leads out of the folder", 0))


def _stays_inside(link: TreeEntry, root: bytes) -> bool:
    """Whether what a link leads to, as written, is looked at by its own name."""
    beside = posixpath.join(root, posixpath.dirname(link.path))
    leads_to = posixpath.normpath(posixpath.join(beside, link.target))
    return leads_to == root or leads_to.startswith(root.rstrip(b"/") + b"/")
