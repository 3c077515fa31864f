"""Files that are on disk when they are said to be, whole or not at all, and that nobody else reads."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from sentry.domain.errors import QuarantineFailed

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def make_folder(folder: Path) -> None:
    """Makes a folder of ours and those above it.

    Raises:
        QuarantineFailed: it cannot be made.
    """
    try:
        folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise QuarantineFailed(
            f"cannot make the folder {folder}: {error.strerror}; name another by --data"
        ) from error


def write_whole(file: Path, content: bytes) -> None:
    """Writes a file beside, syncs it and renames it into place.

    Raises:
        QuarantineFailed: the disk is full, or it may not be written; what was there is as it was.
    """
    beside = file.with_name(f".{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        with os.fdopen(descriptor, "wb") as part:
            part.write(content)
            part.flush()
            os.fsync(descriptor)
        beside.rename(file)
        sync_folder(file.parent)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise QuarantineFailed(f"cannot write {file}: {error.strerror}; nothing was changed at the site") from error


def sync_folder(folder: Path) -> None:
    """Makes a new name in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
