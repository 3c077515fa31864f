"""Reading a tree over a real SSH server that misbehaves."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentry.domain.errors import HostError, HostLost
from sentry.domain.finding import Manifest
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.remote.local_host import LocalHost
from sentry.remote.remote_tree import RemoteTree
from sentry.remote.resumption import TRIES
from sentry.remote.sftp_tree import SftpTree
from sentry.remote.ssh_host import RemoteHost
from sentry.remote.trees import tree_of
from tests.contract.hosts import access_to
from tests.integration.servers.sshd import SFTP_ONLY, Sshd

pytestmark = pytest.mark.integration
FILES = 300
FILE_BYTES = 100_000


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A server that a test may do harm to, with a site."""
    with Sshd(tmp_path / "sshd") as server:
        site = server.home / "site"
        site.mkdir()
        for number in range(FILES):
            (site / f"{number:04}.php").write_bytes(os.urandom(FILE_BYTES))
        server.own(site)
        yield server


@pytest.fixture
def pauses() -> list[float]:
    """How long was waited, attempt by attempt."""
    return []


@pytest.fixture
def tree(sshd: Sshd, pauses: list[float]) -> Iterator[RemoteTree]:
    """The site."""
    host = RemoteHost(access_to(sshd))
    yield RemoteTree(host, bytes(sshd.home / "site"), wait=pauses.append)
    host.close()


def files_of(tree: RemoteTree) -> list[TreeEntry]:
    """Returns the regular files."""
    return [entry for entry in tree.entries(Manifest()) if entry.kind is EntryKind.FILE]


def commands_in(folder: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> RemoteTree:
    """Returns a tree of this machine, whose programs are other ones."""
    programs = folder / "bin"
    programs.mkdir()
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return RemoteTree(LocalHost(), bytes(folder), wait=lambda _: None)


def test_reading_goes_on_after_each_cut(sshd: Sshd, tree: RemoteTree, pauses: list[float]) -> None:
    """Every file comes once and whole, and only what had not come is asked for again."""
    files, manifest, came = files_of(tree), Manifest(), []

    for number, (entry, content) in enumerate(tree.contents(files, manifest)):
        came.append(entry.path)
        assert content == (sshd.home / "site" / os.fsdecode(entry.path)).read_bytes()
        if number in (10, 100, 200):
            sshd.cut()

    assert sorted(came) == [entry.path for entry in files]
    assert manifest == Manifest()
    assert len(pauses) >= 1


def test_sftp_goes_on_after_each_cut(sshd: Sshd, pauses: list[float]) -> None:
    """As over commands."""
    host = RemoteHost(access_to(sshd))
    tree = SftpTree(host, bytes(sshd.home / "site"), pauses.append)
    files = [entry for entry in tree.entries(Manifest()) if entry.kind is EntryKind.FILE]
    came = []

    for number, (entry, _) in enumerate(tree.contents(files, Manifest())):
        came.append(entry.path)
        if number in (10, 200):
            sshd.cut()

    assert sorted(came) == [entry.path for entry in files]
    assert len(came) == FILES
    assert pauses
    host.close()


def test_tree_of_a_host_is_read_in_the_way_that_it_allows(sshd: Sshd, tmp_path: Path) -> None:
    """By commands, or by SFTP where the account may run none."""
    host = RemoteHost(access_to(sshd))
    assert isinstance(tree_of(host, b"/", None), RemoteTree)
    host.close()
    with Sshd(tmp_path / "sftp", SFTP_ONLY) as server:
        host = RemoteHost(access_to(server))
        (server.home / "x.php").write_bytes(b"1")
        tree = tree_of(host, bytes(server.home), None)
        assert isinstance(tree, SftpTree)
        assert b"x.php" in [entry.path for entry in tree.entries(Manifest())]
        with pytest.raises(HostError, match="/no/such/folder cannot be looked into"):
            list(tree_of(host, b"/no/such/folder", None).entries(Manifest()))
        host.close()


def test_hashing_and_listing_go_on_after_a_cut(sshd: Sshd, tree: RemoteTree) -> None:
    """The connection that stood is gone before each of them."""
    sshd.cut()
    files = files_of(tree)
    sshd.cut()

    assert {entry.path for entry, _ in tree.hashes(files, Manifest())} == {entry.path for entry in files}
    assert len(files) == FILES


def test_host_that_does_not_come_back_is_given_up(sshd: Sshd, tree: RemoteTree, pauses: list[float]) -> None:
    """After a few attempts, each later than the one before."""
    files = files_of(tree)
    sshd.stop()

    with pytest.raises(HostLost):
        list(tree.contents(files, Manifest()))

    assert len(pauses) == TRIES - 1
    assert pauses == sorted(set(pauses))


def test_root_that_is_not_there_is_named(sshd: Sshd) -> None:
    """It is the docroot of the settings."""
    host = RemoteHost(access_to(sshd))
    with pytest.raises(HostError, match="/no/such/folder cannot be looked into"):
        list(RemoteTree(host, b"/no/such/folder").entries(Manifest()))
    host.close()


def test_root_behind_a_link_is_read(sshd: Sshd) -> None:
    """As where each release has a folder of its own, and a link names the current one."""
    (sshd.home / "current").symlink_to(sshd.home / "site")
    host = RemoteHost(access_to(sshd))
    tree = RemoteTree(host, bytes(sshd.home / "current"))

    assert len([*tree.contents(files_of(tree), Manifest())]) == FILES
    host.close()


def test_find_that_cannot_print_is_told_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As BusyBox has it."""
    tree = commands_in(tmp_path, monkeypatch, find='echo "find: unrecognized: -printf" >&2; exit 1')

    with pytest.raises(HostError, match="install that of GNU findutils"):
        list(tree.entries(Manifest()))


def test_listing_that_is_cut_off_is_not_taken_for_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is out of memory kills what it likes."""
    (tmp_path / "x.php").touch()
    tree = commands_in(tmp_path, monkeypatch, find='/usr/bin/find "$@"; kill -9 $$')

    with pytest.raises(HostLost, match="find was killed"):
        list(tree.entries(Manifest()))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("head -c 5000 /dev/urandom", "no archive"),
        ("exit 127", "tar did not run"),
        ("kill -9 $$", "was killed"),
        ("cat /dev/zero | tr '\\0' x", "no archive"),
    ],
)
def test_archive_that_is_none_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    """A hostile host, or one without tar."""
    (tmp_path / "x.php").touch()
    tree = commands_in(tmp_path, monkeypatch, tar=script)

    with pytest.raises(HostError, match=message):
        list(tree.contents(files_of(tree), Manifest()))


@pytest.mark.parametrize(
    "script", ["head -c 5000 /dev/zero", "yes no hash | tr '\\n' '\\0' | head -c 999", "yes | tr -d '\\n'"]
)
def test_hashes_that_are_none_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Nothing that the host writes is taken on trust or kept without bound."""
    (tmp_path / "x.php").touch()
    tree = commands_in(tmp_path, monkeypatch, sha256sum=script)

    with pytest.raises(HostError, match=r"no hash|longer than any"):
        list(tree.hashes(files_of(tree), Manifest()))


def test_heavy_commands_let_everything_else_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the host has the programs for that."""
    tree = commands_in(
        tmp_path, monkeypatch, tar='exec sh -c \'nice >seen; ionice -p $$ >>seen; exec /bin/tar "$@"\' sh "$@"'
    )
    (tmp_path / "x.php").touch()

    list(tree.contents(files_of(tree), Manifest()))

    assert (tmp_path / "seen").read_text().split() == ["19", "idle"]


def test_reading_waits_while_the_load_is_too_high(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that stays busy is left alone, with a message; one that does not tell its load is read."""
    (tmp_path / "x.php").touch()
    commands_in(tmp_path, monkeypatch, cat='echo "${LOAD-5.00 4.00 3.00 1/100 1}"')
    waited: list[float] = []

    def calm(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            monkeypatch.setenv("LOAD", "1.99 4.00 3.00 1/100 1")

    tree = RemoteTree(LocalHost(), bytes(tmp_path), 2.0, calm)
    assert len(files_of(tree)) == 1 + len(["cat"])
    assert len(waited) == 3

    monkeypatch.delenv("LOAD")
    with pytest.raises(HostError, match="load stays above 4"):
        files_of(RemoteTree(LocalHost(), bytes(tmp_path), 4.0, lambda _: None))
    monkeypatch.setenv("LOAD", "")
    assert files_of(RemoteTree(LocalHost(), bytes(tmp_path), 4.0, calm))
