"""What every kind of `Tree` keeps to."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from sentry.domain.finding import Manifest
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.ports.hosts import Tree
from sentry.remote.local_tree import LocalTree
from sentry.remote.remote_tree import RemoteTree
from sentry.remote.sftp_tree import SftpTree
from sentry.remote.skipping import MAX_FILE_BYTES
from sentry.remote.ssh_host import RemoteHost
from tests.contract.hosts import Ground, opened

TREES: dict[str, tuple[str, Callable[[Ground], Tree]]] = {
    "local": ("local", lambda ground: LocalTree(ground.folder)),
    "commands": ("local", lambda ground: RemoteTree(ground.host, bytes(ground.folder))),
    "ssh": ("ssh", lambda ground: RemoteTree(ground.host, bytes(ground.folder))),
    "sftp": ("ssh", lambda ground: SftpTree(cast("RemoteHost", ground.host), bytes(ground.folder))),
}
HOSTILE_NAMES = (
    b"a\nb.php",
    b"c\xff\xfe.php",
    b"-rf",
    b"back\\nslash",
    b" ",
    b'"',
    b"'",
    b"$(id)",
    b"\\",
    b"*",
    b"@x",
    b"\t\r",
)
RUNS_AS_ROOT = os.geteuid() == 0


@pytest.fixture(params=TREES)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of tree in turn."""
    name: str = request.param
    return name


@pytest.fixture
def ground(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    """A folder that the tree is of."""
    with opened(TREES[kind][0], request, tmp_path) as ground:
        yield ground


@pytest.fixture
def tree(kind: str, ground: Ground) -> Tree:
    """The tree."""
    return TREES[kind][1](ground)


def files_of(tree: Tree, manifest: Manifest) -> list[TreeEntry]:
    """Returns the regular files."""
    return [entry for entry in tree.entries(manifest) if entry.kind is EntryKind.FILE]


def skipped(manifest: Manifest) -> dict[str, str]:
    """Returns what was not looked at, and why."""
    return {one.path: one.why for one in manifest.skipped}


def test_entry_tells_all_that_an_audit_asks(kind: str, ground: Ground, tree: Tree) -> None:
    """As the kernel has it, to the fraction of a second."""
    path = Path(os.fsdecode(ground.put("a/.hidden/x.php", b"12345", mode=0o4755)))
    (ground.folder / "link").symlink_to("a/elsewhere")
    ground.give()
    path.chmod(0o4755)
    os.utime(path, ns=(1, 1_700_000_000_250_000_000))

    entries = {entry.path: entry for entry in tree.entries(Manifest())}

    assert sorted(entries) == [b"a", b"a/.hidden", b"a/.hidden/x.php", b"link"]
    status, file = path.stat(), entries[b"a/.hidden/x.php"]
    # SFTP has no time of change; then there is no inode either, so that nobody takes the file for unchanged.
    told = file.inode != 0
    assert file == TreeEntry(
        path=b"a/.hidden/x.php",
        kind=EntryKind.FILE,
        size_bytes=5,
        mode=0o4755,
        owner=path.owner(),
        group=path.group(),
        modified_at=1_700_000_000.25 if told else 1_700_000_000,
        changed_at=file.changed_at,
        inode=status.st_ino * told,
    )
    assert file.changed_at == pytest.approx(status.st_ctime * told, abs=1e-6)
    assert told is (kind != "sftp")
    assert entries[b"a"].kind is EntryKind.FOLDER
    assert (entries[b"link"].kind, entries[b"link"].target) == (EntryKind.LINK, b"a/elsewhere")


def test_unchanged_file_has_the_same_entry_again(ground: Ground, tree: Tree) -> None:
    """That is what it is known again by."""
    ground.put("x.php", b"1")

    assert list(tree.entries(Manifest())) == list(tree.entries(Manifest()))


def test_names_of_any_bytes_are_listed_hashed_and_read(ground: Ground, tree: Tree) -> None:
    """Line ends, invalid UTF-8, and all that a shell or an option would understand."""
    whole = {name: b"content of " + name for name in HOSTILE_NAMES}
    for name, content in whole.items():
        for path in (name, b"x" + name + b"y/" + name):
            ground.put(os.fsdecode(path), content)
    manifest = Manifest()

    files = files_of(tree, manifest)

    wanted = whole | {b"x" + name + b"y/" + name: content for name, content in whole.items()}
    assert {entry.path: content for entry, content in tree.contents(files, manifest)} == wanted
    digests = {entry.path: digest for entry, digest in tree.hashes(files, manifest)}
    assert digests == {path: hashlib.sha256(content).digest() for path, content in wanted.items()}
    assert manifest.skipped == []


def test_contents_of_all_sizes_come_whole(ground: Ground, tree: Tree) -> None:
    """Around every border of blocks and chunks; long names; a file that has two of them."""
    whole = {f"{size}": os.urandom(size) for size in (0, 1, 511, 512, 513, 262_143, 262_144, 1_000_000, 5_000_001)}
    whole |= {"n" * 99: b"99", "n" * 100: b"100", "n" * 101: b"101", f"{'d' * 200}/{'n' * 250}": b"far"}
    for name, content in whole.items():
        ground.put(name, content)
    (ground.folder / "second").hardlink_to(ground.folder / "513")
    manifest = Manifest()

    contents = {entry.path.decode(): content for entry, content in tree.contents(files_of(tree, manifest), manifest)}

    assert contents == whole | {"second": whole["513"]}
    assert manifest.skipped == []


def test_links_are_not_followed(ground: Ground, tree: Tree) -> None:
    """Neither a loop nor a way out of the tree."""
    (ground.folder / "sub").mkdir()
    (ground.folder / "sub" / "loop").symlink_to(ground.folder)
    (ground.folder / "out").symlink_to("/etc")
    (ground.folder / "dangling").symlink_to("nowhere")
    ground.give()
    manifest = Manifest()

    entries = list(tree.entries(manifest))

    assert [entry.path for entry in entries] == [b"dangling", b"out", b"sub", b"sub/loop"]
    assert manifest.skipped == []


def test_link_replaces_a_file_and_is_not_followed(ground: Ground, tree: Tree) -> None:
    """Somebody who knows when we come could make us read what lies outside."""
    path = Path(os.fsdecode(ground.put("x.php", b"1")))
    manifest = Manifest()
    files = files_of(tree, manifest)
    path.unlink()
    path.symlink_to("/etc/passwd")

    assert list(tree.contents(files, manifest)) == []
    assert skipped(manifest) == {"x.php": "is no regular file any more"}


def test_sparse_file_of_two_gigabytes_costs_nothing(ground: Ground, tree: Tree) -> None:
    """It is told with its size, and what is beside it is read."""
    with (ground.folder / "huge.php").open("wb") as file:
        file.truncate(2_000_000_000)
    ground.put("small.php", b"1")
    manifest = Manifest()
    files = files_of(tree, manifest)

    assert [entry.path for entry, _ in tree.contents(files, manifest)] == [b"small.php"]
    assert [(one.path, one.size_bytes) for one in manifest.skipped] == [("huge.php", 2_000_000_000)]
    assert [entry.path for entry, _ in tree.hashes(files, Manifest())] == [b"small.php"]


def test_file_that_grows_without_bound_does_not_hold_up_the_others(ground: Ground, tree: Tree) -> None:
    """It was small when it was listed."""
    for name in ("a.php", "b.log", "c.php"):
        ground.put(name, b"1")
    manifest = Manifest()
    files = files_of(tree, manifest)
    with (ground.folder / "b.log").open("r+b") as file:
        file.truncate(2_000_000_000)

    contents = {entry.path: len(content) for entry, content in tree.contents(files, manifest)}

    assert contents.pop(b"b.log", 0) <= MAX_FILE_BYTES
    assert contents == {b"a.php": 1, b"c.php": 1}
    assert list(skipped(manifest)) == ["b.log"]


def test_file_that_changes_or_vanishes_is_told(ground: Ground, tree: Tree) -> None:
    """What was written to since it was listed may be half old and half new; what is gone may have been anything."""
    for name in ("gone.php", "same.php", "written.php"):
        ground.put(name, b"before")
    manifest = Manifest()
    files = files_of(tree, manifest)
    (ground.folder / "gone.php").unlink()
    (ground.folder / "written.php").write_bytes(b"after")

    contents = {entry.path: content for entry, content in tree.contents(files, manifest)}

    assert contents == {b"same.php": b"before", b"written.php": b"after"}
    assert skipped(manifest) == {
        "gone.php": "cannot be read: No such file or directory",
        "written.php": "changed while it was looked at",
    }


def test_vanished_file_has_no_hash_and_is_told(ground: Ground, tree: Tree) -> None:
    """The others have theirs."""
    for name in ("gone.php", "same.php"):
        ground.put(name, b"before")
    manifest = Manifest()
    files = files_of(tree, manifest)
    (ground.folder / "gone.php").unlink()

    assert [entry.path for entry, _ in tree.hashes(files, manifest)] == [b"same.php"]
    assert skipped(manifest) == {"gone.php": "cannot be read: No such file or directory"}


def test_what_is_not_permitted_is_told(ground: Ground, tree: Tree) -> None:
    """A file and a folder; a read-only account sees less than a web server."""
    if RUNS_AS_ROOT and not ground.account:
        pytest.skip("root may read everything")
    ground.put("closed.php", b"1", mode=0o000)
    ground.put("open.php", b"2")
    ground.put("folder/inside.php", b"3")
    (ground.folder / "folder").chmod(0o000)
    manifest = Manifest()

    files = files_of(tree, manifest)
    contents = [entry.path for entry, _ in tree.contents(files, manifest)]
    (ground.folder / "folder").chmod(0o755)

    assert contents == [b"open.php"]
    assert skipped(manifest) == {
        "closed.php": "cannot be read: Permission denied",
        "folder": "folder cannot be read: Permission denied",
    }


def test_pipe_is_listed_and_not_waited_for(ground: Ground, tree: Tree) -> None:
    """Nobody writes into it."""
    os.mkfifo(ground.folder / "pipe.php")
    ground.give()
    manifest = Manifest()

    (entry,) = tree.entries(manifest)

    assert entry.kind is EntryKind.OTHER
    assert list(tree.contents([entry], manifest)) == []


def test_empty_tree_and_nothing_asked_are_no_error(tree: Tree) -> None:
    """A folder that nobody has filled yet."""
    manifest = Manifest()

    assert list(tree.entries(manifest)) == []
    assert [*tree.hashes([], manifest), *tree.contents([], manifest)] == []
    assert manifest == Manifest()
