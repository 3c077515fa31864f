"""The examiner of files: what is as it was published or was judged before is not opened, all else is judged."""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from scanners.engine import AuditedFile
from scanners.malware import Judged
from scanners.provenance import judged_by
from sentry.domain.finding import Finding, Skipped
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.ports import CleanBook, Scene

SECONDS_PER_FILE = 4.0
"""Time of one file; what is not looked at by then is listed as skipped."""

SCRIPTS = (b".php", b".phtml", b".phar", b".inc", b".asp", b".aspx", b".jsp", b".cgi", b".pl", b".py", b".sh")
"""How the names of scripts end, for files that are known and so not opened."""

Judge = Callable[[AuditedFile, Callable[[], bool]], Judged]


class FilesExaminer:
    """Looks for malware in every regular file.

    Args:
        judge: says what it thinks of one file.
        clean: which files were judged before.
    """

    name = "files"

    def __init__(self, judge: Judge, clean: CleanBook | None = None) -> None:
        self._judge = judge
        self._clean = clean

    @property
    def rules(self) -> str:
        """The SHA-256 over engines and rules."""
        return judged_by()

    def examine(self, scene: Scene) -> Iterable[Finding]:
        """Yields what is found in files; see `Examiner`."""
        files = [one for one in scene.entries if one.kind is EntryKind.FILE and one.path in scene.digests]
        unknown = [entry for entry in files if not self._is_settled(entry, scene)]
        done = len(files) - len(unknown)
        scene.told(done, len(files))
        for entry, content in scene.tree.contents(unknown, scene.manifest):
            yield from self._judged(entry, content, scene)
            done += 1
            scene.told(done, len(files))

    def _is_settled(self, entry: TreeEntry, scene: Scene) -> bool:
        """Whether it need not be opened; then it is counted here."""
        is_known = entry.path in scene.known
        if is_known or entry.path in scene.judged:
            is_script: bool | None = entry.path.lower().endswith(SCRIPTS)
        else:
            is_script = None if self._clean is None else self._clean.recall(entry.path, scene.digests[entry.path])
        if is_script is None:
            return False
        scene.manifest.known += is_known
        _count(scene, entry.size_bytes, is_script=is_script)
        return True

    def _judged(self, entry: TreeEntry, content: bytes, scene: Scene) -> Iterator[Finding]:
        ends = scene.clock.monotonic() + SECONDS_PER_FILE
        judged = self._judge(AuditedFile(entry.shown_path, content, entry), lambda: scene.clock.monotonic() > ends)
        _count(scene, len(content), is_script=judged.is_script)
        if judged.left_out is not None:
            scene.manifest.skipped.append(Skipped(entry.shown_path, judged.left_out, len(content)))
        if judged.finding is not None:
            yield judged.finding
        elif judged.left_out is None and self._clean is not None:
            # Of what was judged: since it was hashed, somebody may have put a clean file in its place.
            self._clean.keep(entry.path, hashlib.sha256(content).digest(), is_script=judged.is_script)


def _count(scene: Scene, size_bytes: int, *, is_script: bool) -> None:
    scene.manifest.files += 1
    scene.manifest.size_bytes += size_bytes
    scene.manifest.scripts += is_script
