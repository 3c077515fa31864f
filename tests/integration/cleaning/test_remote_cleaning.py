"""Cleaning over a real SSH connection, as an account without privileges."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentry.domain.cleaning import Authority, CleaningPlan, Step
from sentry.domain.finding import Manifest
from sentry.remote.remote_tree import RemoteTree
from sentry.services.cleaning_plans import CleaningPlans, Wishes
from sentry.services.site_files import SiteFiles
from tests.contract.hosts import Ground, opened
from tests.fakes.cleaning import EVIL, Bench, Published, Scissors, proven
from tests.integration.servers.sshd import Sshd

CLEAN = b"<?php // a part of the site\n"
NAMES = (b"plain.php", b"with\nnewline.php", b"no utf-8 \xff\xfe.php", b"-dash 'quote' $HOME.php")
PERSON = Authority("ana", "it was the client's")


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path / "sshd") as server:
        yield server


@pytest.fixture
def ground(request: pytest.FixtureRequest, sshd: Sshd, tmp_path: Path) -> Iterator[Ground]:
    with opened("ssh", request, tmp_path) as one:
        yield one


def _facts(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    return status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, path.read_bytes()


@pytest.mark.promise("001-41")
@pytest.mark.timeout(120)
def test_cleaning_over_ssh_writes_keeps_and_gives_back(ground: Ground, bench: Bench) -> None:
    """Files of any name are cleaned and come back to the byte, with mode, owner and nanoseconds."""
    for number, name in enumerate(NAMES):
        file = Path(os.fsdecode(ground.put(os.fsdecode(name), EVIL + CLEAN, 0o604 + number)))
        os.utime(file, ns=(1_600_000_000_123_456_789, 1_500_000_000_987_654_321))
    files = [ground.folder / os.fsdecode(name) for name in NAMES]
    before, root = [_facts(file) for file in files], bytes(ground.folder)
    entries = list(RemoteTree(ground.host, root).entries(Manifest()))
    paths = {entry.shown_path: entry.path for entry in entries}
    plans = CleaningPlans(SiteFiles(ground.host, root), Published(), Scissors(), bench.chest)
    planned = plans.files([proven(shown) for shown in paths], paths, Wishes())
    cleanings = bench.cleanings(ground.host)

    cleaned = cleanings.clean(CleaningPlan("remote", ground.host.name, root, bench.clock.now(), planned))
    contents = [file.read_bytes() for file in files]
    for number, kept in enumerate(list(bench.register.all())):
        cleanings.undo(kept, f"undo-{number}", PERSON)

    assert {one.step for one in cleaned.outcomes} == {Step.VERIFIED}
    assert contents == [CLEAN] * len(NAMES)
    assert [_facts(file) for file in files] == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can own what another account cannot write")
@pytest.mark.timeout(60)
def test_cleaning_over_ssh_without_permission_leaves_the_file(ground: Ground, bench: Bench) -> None:
    """A folder that the account may not write is named with its file; the others are cleaned."""
    for name in ("mine/a.php", "theirs/b.php"):
        ground.put(name, EVIL + CLEAN)
    os.chown(ground.folder / "theirs", 0, 0)
    root = bytes(ground.folder)
    paths = {"mine/a.php": b"mine/a.php", "theirs/b.php": b"theirs/b.php"}
    plans = CleaningPlans(SiteFiles(ground.host, root), Published(), Scissors(), bench.chest)
    planned = plans.files([proven(shown) for shown in paths], paths, Wishes())

    cleaned = bench.cleanings(ground.host).clean(
        CleaningPlan("remote", ground.host.name, root, bench.clock.now(), planned)
    )

    assert [one.step for one in cleaned.outcomes] == [Step.VERIFIED, Step.LEFT]
    assert "permission" in cleaned.left[0].note.lower()
    assert (ground.folder / "theirs" / "b.php").read_bytes() == EVIL + CLEAN
