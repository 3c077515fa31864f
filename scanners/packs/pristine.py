"""The pristine files of a pack: kept beside it under their SHA-256, and proven by it each time one is read."""

import hashlib
import zipfile
import zlib
from pathlib import Path

MAX_PRISTINE_BYTES = 20_000_000
"""A larger file is neither compared nor restored from here."""


class PristineFiles:
    """Reads what `pack build` kept.

    Args:
        path: of the archive; one that is not there holds nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._archive: zipfile.ZipFile | None = None

    def read(self, digest: bytes) -> bytes | None:
        """Returns the content with this SHA-256, None where it is not kept, or is no longer what it was."""
        try:
            if self._archive is None:
                self._archive = zipfile.ZipFile(self._path)
            with self._archive.open(digest.hex()) as file:
                content = file.read(MAX_PRISTINE_BYTES + 1)
        except (OSError, KeyError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError):
            return None
        return content if hashlib.sha256(content).digest() == digest else None

    def close(self) -> None:
        """Closes the archive."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None
