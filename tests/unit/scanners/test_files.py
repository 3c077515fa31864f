"""Which files the examiner opens, and what it makes of those that it does not."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from scanners.engine import AuditedFile
from scanners.files import FilesExaminer
from scanners.malware import Judged
from sentry.domain.finding import Evidence, Finding, FindingClass, Manifest, Sign
from sentry.ports import Scene, Verdict
from sentry.remote.local_tree import LocalTree
from tests.fakes.clock import ManualClock

SIGN = Sign("rule", "it does", FindingClass.SUSPICIOUS, Evidence.BEHAVIOUR)


@dataclass
class Book:
    """Fills `VerdictBook`."""

    kept: dict[tuple[bytes, bytes], Verdict] = field(default_factory=dict)

    def recall(self, path: bytes, digest: bytes) -> Verdict | None:
        return self.kept.get((path, digest))

    def keep(self, path: bytes, digest: bytes, verdict: Verdict) -> None:
        self.kept[path, digest] = verdict


@dataclass
class Judge:
    """Finds something in whatever says `bad`, gives up on `slow`, and remembers what it was shown."""

    seen: list[str] = field(default_factory=list)

    def __call__(self, file: AuditedFile, is_late: Callable[[], bool]) -> Judged:
        self.seen.append(file.path)
        found = Finding(file.path, FindingClass.SUSPICIOUS, (SIGN,)) if file.content == b"bad" else None
        return Judged(found, is_script=True, left_out="too slow" if file.content == b"slow" else None)


def _scene(root: Path, known: set[bytes], files: dict[str, bytes]) -> Scene:
    for name, content in files.items():
        (root / name).write_bytes(content)
    tree, manifest = LocalTree(root), Manifest()
    entries = list(tree.entries(manifest))
    digests = {name.encode(): hashlib.sha256(content).digest() for name, content in files.items()}
    return Scene(None, None, tree, entries, manifest, ManualClock(), lambda _done, _whole: None, digests, known)


def test_known_file_is_counted_and_not_opened(tmp_path: Path) -> None:
    """What is as its package was published needs no judgement, whatever it holds."""
    judge = Judge()
    scene = _scene(tmp_path, {b"core.php"}, {"core.php": b"bad", "own.php": b"good"})

    assert list(FilesExaminer(judge).examine(scene)) == []
    assert judge.seen == ["own.php"]
    assert (scene.manifest.files, scene.manifest.known, scene.manifest.scripts) == (2, 1, 2)


def test_file_that_was_judged_whole_is_not_judged_again_at_the_next_audit(tmp_path: Path) -> None:
    """Of the same content at the same place; what was found stays found, and what was left out is tried again."""
    book, files = Book(), {"good.php": b"good", "bad.php": b"bad", "slow.php": b"slow"}
    assert len(list(FilesExaminer(Judge(), book).examine(_scene(tmp_path, set(), files)))) == 1

    judge, scene = Judge(), _scene(tmp_path, set(), files)
    (finding,) = FilesExaminer(judge, book).examine(scene)

    assert finding.path == "bad.php"
    assert judge.seen == ["slow.php"]
    assert scene.manifest.files == 3
    assert [skipped.path for skipped in scene.manifest.skipped] == ["slow.php"]


def test_clean_file_that_changed_is_judged_anew(tmp_path: Path) -> None:
    """Its digest is another one."""
    book = Book()
    list(FilesExaminer(Judge(), book).examine(_scene(tmp_path, set(), {"a.php": b"good"})))

    (finding,) = FilesExaminer(Judge(), book).examine(_scene(tmp_path, set(), {"a.php": b"bad"}))

    assert finding.path == "a.php"


def test_file_that_is_swapped_between_hashing_and_reading_is_not_remembered_as_clean(tmp_path: Path) -> None:
    """Whoever shows us a good file where a bad one was hashed must not have the bad one passed for ever."""
    book = Book()
    scene = _scene(tmp_path, set(), {"a.php": b"bad"})
    (tmp_path / "a.php").write_bytes(b"good")
    assert list(FilesExaminer(Judge(), book).examine(scene)) == []

    (finding,) = FilesExaminer(Judge(), book).examine(_scene(tmp_path, set(), {"a.php": b"bad"}))

    assert finding.path == "a.php"
