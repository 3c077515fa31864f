"""The examiner of files: what is as it was published or was judged before is not opened, all else is judged."""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from scanners.engine import AuditedFile
from scanners.malware import Judged
from scanners.provenance import judged_by
from sentry.domain.finding import Finding, Skipped
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.ports import Scene, Verdict, VerdictBook

SECONDS_PER_FILE = 4.0
"""Time of one file; what is not looked at by then is listed as skipped."""

SCRIPTS = (b".php", b".phtml", b".phar", b".inc", b".asp", b".aspx", b".jsp", b".cgi", b".pl", b".py", b".sh")
"""How the names of scripts end, for files that are known and so not opened."""

Judge = Callable[[AuditedFile, Callable[[], bool]], Judged]


class FilesExaminer:
    """Looks for malware in every regular file.

    Args:
        judge: says what it thinks of one file.
        book: what was said of files before.
        rules: the SHA-256 of all that it judges by; that of the program's own when empty.
    """

    name = "files"

    def __init__(self, judge: Judge, book: VerdictBook | None = None, rules: str = "") -> None:
        self._judge = judge
        self._book = book
        self._rules = rules

    @property
    def rules(self) -> str:
        """The SHA-256 over engines and rules."""
        return self._rules or judged_by()

    def examine(self, scene: Scene) -> Iterable[Finding]:
        """Yields what is found in files; see `Examiner`."""
        files = [one for one in scene.entries if one.kind is EntryKind.FILE and one.path in scene.digests]
        unknown: list[TreeEntry] = []
        for entry in files:
            verdict = self._settled(entry, scene)
            if verdict is None:
                unknown.append(entry)
            elif verdict.finding is not None:
                yield verdict.finding
        done = len(files) - len(unknown)
        scene.told(done, len(files))
        for entry, content in scene.tree.contents(unknown, scene.manifest):
            yield from self._judged(entry, content, scene)
            done += 1
            scene.told(done, len(files))

    def _settled(self, entry: TreeEntry, scene: Scene) -> Verdict | None:
        """Returns what is known of a file that need not be opened, and counts it; None where it must be."""
        is_known = entry.path in scene.known
        if is_known or entry.path in scene.judged:
            verdict: Verdict | None = Verdict(entry.path.lower().endswith(SCRIPTS))
        else:
            verdict = None if self._book is None else self._book.recall(entry.path, scene.digests[entry.path])
        if verdict is not None:
            scene.manifest.known += is_known
            _count(scene, entry.size_bytes, is_script=verdict.is_script)
        return verdict

    def _judged(self, entry: TreeEntry, content: bytes, scene: Scene) -> Iterator[Finding]:
        ends = scene.clock.monotonic() + SECONDS_PER_FILE
        judged = self._judge(AuditedFile(entry.shown_path, content, entry), lambda: scene.clock.monotonic() > ends)
        _count(scene, len(content), is_script=judged.is_script)
        if judged.left_out is not None:
            scene.manifest.skipped.append(Skipped(entry.shown_path, judged.left_out, len(content)))
        elif self._book is not None:
            # Of what was judged: since it was hashed, somebody may have put a clean file in its place.
            digest = hashlib.sha256(content).digest()
            self._book.keep(entry.path, digest, Verdict(judged.is_script, judged.finding))
        if judged.finding is not None:
            yield judged.finding


def _count(scene: Scene, size_bytes: int, *, is_script: bool) -> None:
    scene.manifest.files += 1
    scene.manifest.size_bytes += size_bytes
    scene.manifest.scripts += is_script
