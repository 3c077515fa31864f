"""What may happen to a store's file: another program holds it, or its disk is full."""

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Holds the store's only place for a writer, as a backup tool or a forgotten shell does."""
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def no_space_left(store: Path) -> Iterator[None]:
    """Fills the file system that the store is on to the last block (ENOSPC)."""
    ballast = store.with_name("ballast")
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass  # it is full, as wanted
        yield
        ballast.unlink()


@contextmanager
def small_file_system(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mounts a file system of its own with little room, which takes root.

    Raises:
        CalledProcessError: it may not be mounted.
    """
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
