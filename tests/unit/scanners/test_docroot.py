"""The walk through a tree of files: all of it, nothing outside of it, and nothing silently left out."""

import os
from pathlib import Path

from scanners.docroot import MAX_FILE_BYTES, walk
from sentry.domain.finding import Manifest


def walked(root: Path) -> tuple[dict[str, bytes], Manifest]:
    """Returns every file's content by its path, and the manifest."""
    manifest = Manifest()
    return {file.path: file.content for file in walk(root, manifest)}, manifest


def test_walk_sees_every_file_and_counts_hidden_ones(tmp_path: Path) -> None:
    """Hidden files and folders are looked at like any other."""
    (tmp_path / "a" / ".b").mkdir(parents=True)
    (tmp_path / "index.php").write_bytes(b"one")
    (tmp_path / "a" / ".b" / ".htaccess").write_bytes(b"two")

    files, manifest = walked(tmp_path)

    assert files == {"index.php": b"one", "a/.b/.htaccess": b"two"}
    assert (manifest.files, manifest.hidden, manifest.folders, manifest.size_bytes) == (2, 2, 3, 6)


def test_walk_follows_no_link(tmp_path: Path) -> None:
    """Neither a loop nor a way out of the tree; links are named as not looked at."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.php").write_bytes(b"secret")
    (root / "loop").symlink_to(root)
    (root / "out.php").symlink_to(tmp_path / "outside.php")

    files, manifest = walked(root)

    assert files == {}
    assert {skipped.path for skipped in manifest.skipped} == {"loop", "out.php"}


def test_walk_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    """Nobody writes into it, and nobody may hold the audit up."""
    os.mkfifo(tmp_path / "pipe.php")

    files, manifest = walked(tmp_path)

    assert files == {}
    assert [(skipped.path, skipped.why) for skipped in manifest.skipped] == [("pipe.php", "no regular file")]


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


def test_walk_of_a_folder_that_is_gone_says_so(tmp_path: Path) -> None:
    """Nothing is left out without a word."""
    _, manifest = walked(tmp_path / "gone")

    assert [skipped.why for skipped in manifest.skipped] == ["folder cannot be read: No such file or directory"]
