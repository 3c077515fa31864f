"""An audit of a tree of files on this machine: every file is looked at, nothing is executed or changed."""

from pathlib import Path

from scanners.docroot import DocrootFile, walk
from scanners.malware import Malware
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
    began_at, manifest, malware = clock.now(), Manifest(), Malware()
    judged = [_judged(malware, file, manifest, clock) for file in walk(root, manifest)]
    findings = tuple(finding for finding in judged if finding is not None)
    return AuditReport(str(root), began_at, clock.now(), manifest, findings)


def _judged(malware: Malware, file: DocrootFile, manifest: Manifest, clock: Clock) -> Finding | None:
    ends = clock.monotonic() + SECONDS_PER_FILE
    judged = malware.judge(file.path, file.content, lambda: clock.monotonic() > ends)
    manifest.scripts += judged.is_script
    if judged.left_out is not None:
        manifest.skipped.append(Skipped(file.path, judged.left_out, len(file.content)))
    return judged.finding
