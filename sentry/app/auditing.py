"""An audit of a tree of files on this machine: every file is looked at, nothing is executed or changed."""

from pathlib import Path

from scanners.docroot import DocrootFile, walk
from scanners.php.judgement import is_php, judge, layers_of, signs_of
from sentry.domain.errors import NotFound
from sentry.domain.finding import AuditReport, Finding, Manifest, Skipped
from sentry.ports import Clock

SECONDS_PER_FILE = 4.0
"""Time of one file; what is not looked at by then is listed as skipped."""


def audit_folder(root: Path, clock: Clock) -> AuditReport:
    """Audits a folder.

    Args:
        root: the folder.
        clock: times the audit and each file.

    Raises:
        NotFound: there is no such folder.
    """
    if not root.is_dir():
        raise NotFound(f"{root} is no folder; give the folder that the site is served from")
    began_at, manifest = clock.now(), Manifest()
    judged = [_judged(file, manifest, clock) for file in walk(root, manifest)]
    findings = tuple(finding for finding in judged if finding is not None)
    return AuditReport(str(root), began_at, clock.now(), manifest, findings)


def _judged(file: DocrootFile, manifest: Manifest, clock: Clock) -> Finding | None:
    if not is_php(file.content):
        return None
    manifest.scripts += 1
    ends = clock.monotonic() + SECONDS_PER_FILE
    verdict, reading = judge(file.content, lambda: clock.monotonic() > ends)
    if not reading.whole:
        manifest.skipped.append(Skipped(file.path, "not looked at whole: too large or too slow", len(file.content)))
    if verdict is None:
        return None
    return Finding(file.path, verdict, signs_of(reading), layers_of(reading))
