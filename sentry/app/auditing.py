"""An audit of a tree of files on this machine: every file is looked at, nothing is executed or changed."""

from pathlib import Path

from scanners.engine import AuditedFile
from scanners.malware import Malware
from sentry.domain.finding import AuditReport, Finding, Manifest, Skipped
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.ports import Clock
from sentry.remote.local_tree import LocalTree

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
    tree = LocalTree(root)
    began_at, manifest, malware = clock.now(), Manifest(), Malware()
    entries = list(tree.entries(manifest))
    _count(entries, manifest)
    files = [entry for entry in entries if entry.kind is EntryKind.FILE]
    judged = [_judged(malware, entry, content, manifest, clock) for entry, content in tree.contents(files, manifest)]
    findings = tuple(finding for finding in judged if finding is not None)
    return AuditReport(str(root), began_at, clock.now(), manifest, findings)


def _count(entries: list[TreeEntry], manifest: Manifest) -> None:
    manifest.folders = 1 + sum(entry.kind is EntryKind.FOLDER for entry in entries)
    manifest.hidden = sum(entry.path.rpartition(b"/")[2].startswith(b".") for entry in entries)
    for entry in entries:
        if entry.kind in (EntryKind.LINK, EntryKind.OTHER):
            manifest.skipped.append(Skipped(entry.shown_path, "no regular file", 0))


def _judged(malware: Malware, entry: TreeEntry, content: bytes, manifest: Manifest, clock: Clock) -> Finding | None:
    ends = clock.monotonic() + SECONDS_PER_FILE
    judged = malware.judge(AuditedFile(entry.shown_path, content, entry), lambda: clock.monotonic() > ends)
    manifest.files += 1
    manifest.size_bytes += len(content)
    manifest.scripts += judged.is_script
    if judged.left_out is not None:
        manifest.skipped.append(Skipped(entry.shown_path, judged.left_out, len(content)))
    return judged.finding
