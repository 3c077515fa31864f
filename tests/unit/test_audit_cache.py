"""What audits remember of files, and what becomes of it when its file is damaged, locked or old."""

import hashlib
import multiprocessing
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sentry.audit_cache import FILE_NAME, FORGOTTEN_AFTER_DAYS, AuditCache
from sentry.domain.finding import Evidence, Finding, FindingClass, Sign, SourceLine
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.ports import Verdict
from tests.fakes.clock import ManualClock

FILE = TreeEntry(b"a\xff.php", EntryKind.FILE, 5, 0o644, "shop", "shop", 1.5, 2.25, 77)
OTHER = replace(FILE, path=b"b.php", inode=78)
SCRIPT = Verdict(is_script=True)
LINE = SourceLine(3, "eval('\u2028')")
SIGN = Sign("rule", "it does", FindingClass.CONFIRMED, Evidence.BEHAVIOUR, "eval", (LINE,), 1, "ana", "MIT")
BAD = Verdict(is_script=True, finding=Finding("a\\xff.php", FindingClass.CONFIRMED, (SIGN,), ("layer",), sha256="00"))
DIGEST, OTHER_DIGEST = hashlib.sha256(b"1").digest(), hashlib.sha256(b"2").digest()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still."""
    return ManualClock()


@pytest.fixture
def cache(tmp_path: Path, clock: ManualClock) -> Iterator[AuditCache]:
    """An empty one."""
    cache = AuditCache(tmp_path, clock)
    yield cache
    cache.close()


def reopened(cache: AuditCache, folder: Path, clock: ManualClock) -> AuditCache:
    """Returns the cache of the next audit."""
    cache.close()
    return AuditCache(folder, clock)


def test_verdict_is_known_to_the_next_audit_by_the_same_rules(
    cache: AuditCache, tmp_path: Path, clock: ManualClock
) -> None:
    """Whichever site it is of, and all that was found; other rules, place or content judge anew."""
    cache.verdicts("rules").keep(b"a.php", DIGEST, SCRIPT)
    cache.verdicts("rules").keep(b"bad.php", DIGEST, BAD)
    cache.verdicts("rules").keep(b"a.txt", DIGEST, Verdict(is_script=False))

    after = reopened(cache, tmp_path, clock)
    book = after.verdicts("rules")

    assert book.recall(b"a.php", DIGEST) == SCRIPT
    assert book.recall(b"a.txt", DIGEST) == Verdict(is_script=False)
    assert book.recall(b"bad.php", DIGEST) == BAD
    assert book.recall(b"b.php", DIGEST) is None
    assert book.recall(b"a.php", OTHER_DIGEST) is None
    assert after.verdicts("other rules").recall(b"a.php", DIGEST) is None
    after.close()


def test_digest_is_recalled_while_the_file_is_unchanged(
    cache: AuditCache, tmp_path: Path, clock: ManualClock
) -> None:
    """Time of change, size and inode must all be the same, in the same tree."""
    cache.tree_digests("shop").keep([FILE, OTHER], {FILE.path: DIGEST, OTHER.path: OTHER_DIGEST})
    after = reopened(cache, tmp_path, clock)
    digests = after.tree_digests("shop")

    assert digests.recall([FILE, OTHER]) == {FILE.path: DIGEST, OTHER.path: OTHER_DIGEST}
    touched = replace(FILE, modified_at=9.0, mode=0o600)
    assert digests.recall([touched]) == {FILE.path: DIGEST}
    for changed in ({"changed_at": 2.250000001}, {"size_bytes": 6}, {"inode": 79}, {"path": b"c.php"}):
        assert digests.recall([replace(FILE, **changed)]) == {}
    assert after.tree_digests("blog").recall([FILE]) == {}
    after.close()


def test_only_what_was_kept_last_is_recalled(cache: AuditCache) -> None:
    """So a tree never takes more room than it has files."""
    digests = cache.tree_digests("shop")
    digests.keep([FILE, OTHER], {FILE.path: DIGEST, OTHER.path: DIGEST})
    digests.keep([FILE, OTHER], {OTHER.path: OTHER_DIGEST})

    assert digests.recall([FILE, OTHER]) == {OTHER.path: OTHER_DIGEST}


def test_file_without_an_inode_is_never_recalled(cache: AuditCache) -> None:
    """A host that tells no inode tells no time of change either."""
    unsure = replace(FILE, inode=0)
    cache.tree_digests("shop").keep([unsure], {unsure.path: DIGEST})

    assert cache.tree_digests("shop").recall([unsure]) == {}


def test_damaged_file_is_set_aside_and_made_anew(cache: AuditCache, tmp_path: Path, clock: ManualClock) -> None:
    """What is in it is not believed; it stays for whoever wants to know why."""
    cache.close()
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 1_000)

    after = AuditCache(tmp_path, clock)
    book = after.verdicts("rules")
    assert book.recall(b"a.php", DIGEST) is None
    book.keep(b"a.php", DIGEST, SCRIPT)
    assert book.recall(b"a.php", DIGEST) == SCRIPT
    assert (tmp_path / "files.damaged").read_bytes().startswith(b"no database")
    after.close()


def test_damage_that_shows_later_is_mended_as_well(cache: AuditCache, tmp_path: Path, clock: ManualClock) -> None:
    """A page in the middle of the file; and digests that are no digests."""
    for number in range(2_000):
        cache.verdicts("rules").keep(b"%d" % number, DIGEST, SCRIPT)
    cache.write("INSERT INTO trees VALUES ('shop', ?, 'nonsense'), ('blog', ?, x'00')", cache.today, cache.today)
    assert cache.tree_digests("shop").recall([FILE]) == cache.tree_digests("blog").recall([FILE]) == {}
    cache.write("UPDATE verdicts SET verdict = 'nonsense'")
    assert cache.verdicts("rules").recall(b"1", DIGEST) is None
    cache.close()
    with (tmp_path / FILE_NAME).open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xff" * 60_000)

    after = AuditCache(tmp_path, clock)
    book = after.verdicts("rules")
    book.keep(b"a.php", DIGEST, SCRIPT)
    assert book.recall(b"a.php", DIGEST) == SCRIPT
    after.close()


def test_file_of_another_version_is_made_anew(cache: AuditCache, tmp_path: Path, clock: ManualClock) -> None:
    """No migration: all that is lost is time."""
    cache.close()
    other = sqlite3.connect(tmp_path / FILE_NAME)
    other.executescript("DROP TABLE verdicts; CREATE TABLE verdicts (other); PRAGMA user_version = 99")
    other.close()

    after = AuditCache(tmp_path, clock)
    after.verdicts("rules").keep(b"a.php", DIGEST, SCRIPT)
    assert after.verdicts("rules").recall(b"a.php", DIGEST) == SCRIPT
    after.close()


def test_folder_that_cannot_be_written_is_no_error(tmp_path: Path, clock: ManualClock) -> None:
    """Nothing is remembered, and the audit goes on."""
    (tmp_path / "taken").write_bytes(b"a file")

    cache = AuditCache(tmp_path / "taken" / "cache", clock)
    cache.verdicts("rules").keep(b"a.php", DIGEST, SCRIPT)

    assert cache.verdicts("rules").recall(b"a.php", DIGEST) is None
    cache.close()


def test_what_is_not_met_for_long_is_forgotten(cache: AuditCache, tmp_path: Path, clock: ManualClock) -> None:
    """What is met now and then stays."""
    cache.verdicts("rules").keep(b"old.php", DIGEST, SCRIPT)
    cache.verdicts("rules").keep(b"met.php", DIGEST, SCRIPT)
    cache.tree_digests("gone").keep([FILE], {FILE.path: DIGEST})
    clock.jump(timedelta(days=FORGOTTEN_AFTER_DAYS - 10).total_seconds())
    middle = reopened(cache, tmp_path, clock)
    assert middle.verdicts("rules").recall(b"met.php", DIGEST)
    clock.jump(timedelta(days=20).total_seconds())

    after = reopened(middle, tmp_path, clock)

    assert after.verdicts("rules").recall(b"met.php", DIGEST)
    assert after.verdicts("rules").recall(b"old.php", DIGEST) is None
    assert after.tree_digests("gone").recall([FILE]) == {}
    after.close()


def _keep_many(folder: Path, name: bytes) -> None:
    cache = AuditCache(folder, ManualClock())
    for number in range(200):
        cache.verdicts("rules").keep(b"%s%d" % (name, number), DIGEST, SCRIPT)
    cache.close()


def test_two_audits_at_once_lose_nothing(cache: AuditCache, tmp_path: Path) -> None:
    """Each is a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    others = [spawn.Process(target=_keep_many, args=(tmp_path, name)) for name in (b"one", b"two")]
    for other in others:
        other.start()
    for other in others:
        other.join()

    book = cache.verdicts("rules")
    names = [b"%s%d" % (name, number) for name in (b"one", b"two") for number in range(200)]
    assert all(book.recall(name, DIGEST) for name in names)
