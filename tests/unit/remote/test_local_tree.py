"""The walk through a tree of files: all of it, nothing outside of it, and nothing silently left out."""

import hashlib
import os
from pathlib import Path

import pytest

from sentry.domain.errors import NotFound
from sentry.domain.finding import Manifest
from sentry.domain.tree_entry import EntryKind
from sentry.remote.local_tree import LocalTree
from sentry.remote.skipping import MAX_FILE_BYTES


def walked(root: Path) -> tuple[dict[str, bytes], Manifest]:
    """Returns every file's content by its path, and the manifest."""
    tree, manifest = LocalTree(root), Manifest()
    files = [entry for entry in tree.entries(manifest) if entry.kind is EntryKind.FILE]
    contents = {entry.shown_path: content for entry, content in tree.contents(files, manifest)}
    digests = {entry.shown_path: digest for entry, digest in tree.hashes(files, Manifest())}
    assert digests == {path: hashlib.sha256(content).digest() for path, content in contents.items()}
    return contents, manifest


def test_walk_sees_every_file(tmp_path: Path) -> None:
    """Hidden files and folders are looked at like any other."""
    (tmp_path / "a" / ".b").mkdir(parents=True)
    (tmp_path / "index.php").write_bytes(b"one")
    (tmp_path / "a" / ".b" / ".htaccess").write_bytes(b"two")

    files, _ = walked(tmp_path)

    assert files == {"index.php": b"one", "a/.b/.htaccess": b"two"}


def test_walk_follows_no_link(tmp_path: Path) -> None:
    """Neither a loop nor a way out of the tree; links are listed with where they lead."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.php").write_bytes(b"secret")
    (root / "loop").symlink_to(root)
    (root / "out.php").symlink_to(tmp_path / "outside.php")

    files, _ = walked(root)

    assert files == {}
    entries = {entry.path: (entry.kind, entry.target) for entry in LocalTree(root).entries(Manifest())}
    assert entries == {
        b"loop": (EntryKind.LINK, os.fsencode(root)),
        b"out.php": (EntryKind.LINK, os.fsencode(tmp_path / "outside.php")),
    }


def test_walk_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    """Nobody writes into it, and nobody may hold the audit up."""
    os.mkfifo(tmp_path / "pipe.php")

    manifest = Manifest()
    (entry,) = LocalTree(tmp_path).entries(manifest)
    contents = list(LocalTree(tmp_path).contents([entry], manifest))

    assert entry.kind is EntryKind.OTHER
    assert contents == []
    assert [skipped.why for skipped in manifest.skipped] == ["is no regular file any more"]


def test_walk_names_a_file_that_is_too_large(tmp_path: Path) -> None:
    """A sparse file of two gigabytes costs nothing, and is told with its size."""
    with (tmp_path / "huge.php").open("wb") as file:
        file.truncate(2_000_000_000)

    files, manifest = walked(tmp_path)

    assert files == {}
    assert manifest.skipped[0].size_bytes == 2_000_000_000 > MAX_FILE_BYTES


def test_walk_takes_any_name(tmp_path: Path) -> None:
    """A name may hold line ends and bytes that are no text; neither breaks a line of the report."""
    (tmp_path / "a\nb.php").write_bytes(b"1")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/c\xff.php")).write_bytes(b"2")

    files, _ = walked(tmp_path)

    assert files == {"a\\nb.php": b"1", "c\\xff.php": b"2"}


def test_tree_of_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    """And what to give instead."""
    with pytest.raises(NotFound, match="give the folder that the site is served from"):
        LocalTree(tmp_path / "gone")
