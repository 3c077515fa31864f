"""Cleaning on a real file system: what is written, what is kept, what is given back, and what is left alone."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from sentry.domain.cleaning import Authority, Cleaned, CleaningPlan, Remedy, Step
from sentry.domain.errors import HostError, QuarantineDamaged, TransitionRefused
from sentry.domain.finding import Finding
from sentry.ports import Host
from sentry.quarantine.chest import HEADER
from sentry.services.cleaning_lock import LEASE, CleaningLock
from sentry.services.cleaning_plans import CleaningPlans, Wishes
from sentry.services.site_files import SiteFiles
from tests.fakes.cleaning import EVIL, Bench, Published, Scissors, proven, suspected
from tests.fakes.clock import ManualClock

PERSON = Authority("ana", "the client asked for it")
CLEAN = b"<?php // a part of the site\n"
STRANGE = (b"plain.php", b"with\nnewline.php", b"no utf-8 \xff\xfe.php", b"-dash 'quote'.php")


def _plan(host: Host, bench: Bench, site: Path, wishes: Wishes | None = None, **found: object) -> CleaningPlan:
    root = os.fsencode(site)
    paths = {repr(path): path for path in (os.fsencode(one.name) for one in site.iterdir())}
    findings = found.get("findings") or [proven(shown) for shown in sorted(paths)]
    known = found.get("known") or Published()
    assert isinstance(findings, list)
    assert isinstance(known, Published)
    files = CleaningPlans(SiteFiles(host, root), known, Scissors(), bench.chest).files(
        findings, paths, wishes or Wishes()
    )
    return CleaningPlan("20261122-1", host.name, root, bench.clock.now(), files)


def _facts(path: bytes) -> tuple[object, ...]:
    status = os.lstat(path)
    names = sorted(os.listxattr(path))
    attributes = tuple((name, os.getxattr(path, name)) for name in names)
    with open(path, "rb") as file:  # noqa: PTH123  # the name is bytes
        content = file.read()
    return status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, attributes, content


def _steps(cleaned: Cleaned) -> Mapping[bytes, Step]:
    return {one.file.path: one.step for one in cleaned.outcomes}


@pytest.mark.promise("001-41")
def test_undo_of_strange_names_gives_back_every_byte_and_fact(host: Host, bench: Bench, site: Path) -> None:
    """Names with newlines and invalid UTF-8, modes, attributes, owner and nanoseconds come back as they were."""
    before = {}
    for number, name in enumerate(STRANGE):
        path = os.path.join(os.fsencode(site), name)  # noqa: PTH118  # the name is bytes
        with open(path, "wb") as file:  # noqa: PTH123  # as above
            file.write(EVIL + (CLEAN if number % 2 else b""))
        os.chmod(path, 0o604 + number)  # noqa: PTH101  # as above
        os.setxattr(path, "user.note", b"\x00\xff kept")
        if os.geteuid() == 0:
            os.chown(path, 33, 34)
        os.utime(path, ns=(1_600_000_000_123_456_789, 1_500_000_000_987_654_321))
        before[name] = _facts(path)

    cleaned = bench.cleanings(host).clean(_plan(host, bench, site))
    after = {name: (site / os.fsdecode(name)) for name in STRANGE}
    assert set(_steps(cleaned).values()) == {Step.VERIFIED}
    assert [path.exists() for path in after.values()] == [False, True, False, True]
    assert all(path.read_bytes() == CLEAN for path in after.values() if path.exists())
    for number, kept in enumerate(bench.register.all()):
        bench.cleanings(host).undo(kept, f"undo-{number}", PERSON)

    assert {name: _facts(os.path.join(os.fsencode(site), name)) for name in STRANGE} == before  # noqa: PTH118  # as above
    assert not [one for one in site.iterdir() if one.name.startswith(".online-sentry")]


def test_cleaned_file_keeps_owner_and_mode_and_looks_new(host: Host, bench: Bench, site: Path) -> None:
    """A cleaned file has the facts of the old one, but for its time: a cache of PHP must not keep the old code."""
    (site / "a.php").write_bytes(EVIL + CLEAN)
    (site / "a.php").chmod(0o4750)
    os.utime(site / "a.php", ns=(10**18, 10**18))

    bench.cleanings(host).clean(_plan(host, bench, site))

    status = (site / "a.php").stat()
    assert status.st_mode & 0o7777 == 0o4750
    assert status.st_mtime_ns > 10**18


def test_plan_known_file_is_restored_from_what_was_published(host: Host, bench: Bench, site: Path) -> None:
    """Where the pristine bytes are known, these are what the file becomes."""
    (site / "a.php").write_bytes(b"whatever was made of it")
    plan = _plan(host, bench, site, known=Published({b"a.php": CLEAN}))

    bench.cleanings(host).clean(plan)

    assert plan.files[0].remedy is Remedy.RESTORE
    assert (site / "a.php").read_bytes() == CLEAN


@pytest.mark.promise("001-41")
def test_plan_one_kind_of_evidence_needs_a_person(host: Host, bench: Bench, site: Path) -> None:
    """Nothing is written for one kind of evidence, unless a person says so with a reason; that is kept."""
    (site / "a.php").write_bytes(EVIL + CLEAN)
    findings: list[Finding] = [suspected("b'a.php'")]

    alone = _plan(host, bench, site, findings=findings)
    nameless = _plan(host, bench, site, Wishes(Authority("ana", "")), findings=findings)
    said = _plan(host, bench, site, Wishes(PERSON), findings=findings)
    bench.cleanings(host).clean(said)

    assert [one.files[0].remedy for one in (alone, nameless, said)] == [Remedy.PROPOSE, Remedy.PROPOSE, Remedy.CUT]
    assert next(bench.register.all()).authority == PERSON


def test_plan_file_changed_since_the_audit_is_left(host: Host, bench: Bench, site: Path) -> None:
    """A file that is not the one that was judged is named and not touched."""
    (site / "a.php").write_bytes(EVIL + CLEAN)

    plan = _plan(host, bench, site, findings=[proven("b'a.php'", hashlib.sha256(b"as it was").hexdigest())])

    assert plan.files[0].remedy is Remedy.PROPOSE
    assert "changed since" in plan.files[0].why


def test_cleaning_file_changed_since_the_plan_is_left(host: Host, bench: Bench, site: Path) -> None:
    """Between plan and cleaning, too, and the others are cleaned."""
    for name in "ab":
        (site / f"{name}.php").write_bytes(EVIL + CLEAN)
    plan = _plan(host, bench, site)
    (site / "a.php").write_bytes(b"somebody's work")

    cleaned = bench.cleanings(host).clean(plan)

    assert _steps(cleaned) == {b"a.php": Step.LEFT, b"b.php": Step.VERIFIED}
    assert (site / "a.php").read_bytes() == b"somebody's work"


def test_cleaning_folder_that_became_a_link_is_refused(host: Host, bench: Bench, site: Path, tmp_path: Path) -> None:
    """What is reached through a link that was put in place of a folder is not the site's."""
    (site / "sub").mkdir()
    (site / "sub" / "a.php").write_bytes(EVIL + CLEAN)
    root = os.fsencode(site)
    files = CleaningPlans(SiteFiles(host, root), Published(), Scissors(), bench.chest).files(
        [proven("sub/a.php")], {"sub/a.php": b"sub/a.php"}, Wishes()
    )
    (site / "sub").rename(tmp_path / "elsewhere")
    (site / "sub").symlink_to(tmp_path / "elsewhere")

    cleaned = bench.cleanings(host).clean(CleaningPlan("link", "h", root, bench.clock.now(), files))

    assert _steps(cleaned) == {b"sub/a.php": Step.LEFT}
    assert (tmp_path / "elsewhere" / "a.php").read_bytes() == EVIL + CLEAN


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_cleaning_full_disk_at_the_client_leaves_the_file_whole(host: Host, bench: Bench, site: Path) -> None:
    """A disk without room leaves the file as it was, names it, and leaves nothing beside it."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(site)], check=True)
    try:
        infected = EVIL + CLEAN + b"//" + os.urandom(20_000).hex().encode()
        (site / "a.php").write_bytes(infected)
        cleaned = bench.cleanings(host).clean(_plan(host, bench, site))
        found, names = (site / "a.php").read_bytes(), [one.name for one in site.iterdir()]
    finally:
        subprocess.run(["umount", str(site)], check=True)

    assert _steps(cleaned) == {b"a.php": Step.LEFT}
    assert "space" in cleaned.left[0].note.lower()
    assert found == infected
    assert names == ["a.php"]


def test_undo_changed_file_is_refused_unless_forced(host: Host, bench: Bench, site: Path) -> None:
    """What was written since the cleaning is not lost: it is refused, and when forced it is kept as well."""
    (site / "a.php").write_bytes(EVIL + CLEAN)
    bench.cleanings(host).clean(_plan(host, bench, site))
    (site / "a.php").write_bytes(b"newer work")
    (kept,) = bench.register.all()

    with pytest.raises(TransitionRefused, match="--force"):
        bench.cleanings(host).undo(kept, "undo-1", PERSON)
    bench.cleanings(host).undo(kept, "undo-2", PERSON, force=True)

    assert (site / "a.php").read_bytes() == EVIL + CLEAN
    assert b"newer work" in [bench.chest.get(one.before) for one in bench.register.all()]


def test_undo_damaged_quarantine_is_noticed(host: Host, bench: Bench, site: Path) -> None:
    """A flipped bit in quarantine is found by the hash, and nothing is written."""
    (site / "a.php").write_bytes(EVIL + CLEAN)
    bench.cleanings(host).clean(_plan(host, bench, site))
    (kept,) = bench.register.all()
    file = next(one for one in (bench.data / "objects").rglob("*.kept") if kept.before in one.name)
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)

    with pytest.raises(QuarantineDamaged):
        bench.cleanings(host).undo(kept, "undo", PERSON)

    assert (site / "a.php").read_bytes() == CLEAN


def test_quarantine_holds_nothing_that_runs(host: Host, bench: Bench, site: Path) -> None:
    """What is kept cannot be run, served or read by others."""
    (site / "a.php").write_bytes(EVIL * 50)
    bench.cleanings(host).clean(_plan(host, bench, site))

    for file in (bench.data / "objects").rglob("*.kept"):
        assert file.read_bytes().startswith(HEADER)
        assert EVIL not in file.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o600


def test_lock_second_cleaning_is_refused_until_the_lease_ends(host: Host, site: Path) -> None:
    """Two cleanings at once on one site are refused; one whose process died is taken over when its lease is over."""
    clock, root = ManualClock(), os.fsencode(site)
    first = CleaningLock(host, root, "first", clock)
    second = CleaningLock(host, root, "second", clock)

    with first.held():
        with pytest.raises(TransitionRefused, match="under way"), second.held():
            pass
        clock._now += LEASE
        with second.held(), pytest.raises(TransitionRefused, match="ran out"):
            first.renew()
    with second.held():
        second.renew()


def test_lock_is_gone_when_the_cleaning_ends(host: Host, bench: Bench, site: Path, home: Path) -> None:
    """A cleaning leaves nothing behind on the host."""
    (site / "a.php").write_bytes(EVIL + CLEAN)

    bench.cleanings(host).clean(_plan(host, bench, site))

    assert list((home / ".online-sentry").iterdir()) == []


def test_files_link_and_folder_are_not_read(host: Host, site: Path) -> None:
    """A link, a folder and a path that leads out are no files of a site."""
    (site / "link").symlink_to("/etc/passwd")
    (site / "folder").mkdir()
    files = SiteFiles(host, os.fsencode(site))

    for path in (b"link", b"folder", b"../site/folder", b"/etc/passwd"):
        with pytest.raises(HostError):
            files.read(path)


@pytest.mark.skipif(shutil.which("php") is None, reason="php8.2-cli is missing")
def test_files_php_of_the_host_reads_a_source_without_running_it(host: Host, site: Path, tmp_path: Path) -> None:
    """The host's PHP says whether it could read a source."""
    files, made = SiteFiles(host, os.fsencode(site)), tmp_path / "made"

    assert files.php_accepts(f"<?php touch('{made}');".encode()) is True
    assert files.php_accepts(b"<?php function (") is False
    assert not made.exists()
