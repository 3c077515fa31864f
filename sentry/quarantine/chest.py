"""Contents by their hash: compressed behind a header of our own, so that nothing runs, serves or indexes them."""

import hashlib
import re
import zlib
from pathlib import Path

from sentry.domain.errors import NotFound, QuarantineDamaged
from sentry.quarantine.disk import make_folder, write_whole

HEADER = b"online-sentry quarantine 1: zlib of what was found; never serve or run it\n"
MAX_CONTENT_BYTES = 64_000_000
_NAME = re.compile(r"[0-9a-f]{64}")


class FolderChest:
    """Fills `Chest` with a folder."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder where it is missing.

        Raises:
            QuarantineFailed: it cannot be made.
        """
        self._folder = folder
        make_folder(folder)

    def put(self, content: bytes) -> str:
        """Keeps a content; see `Chest`."""
        name = hashlib.sha256(content).hexdigest()
        file = self._file(name)
        if not self._is_whole(name):
            make_folder(file.parent)
            write_whole(file, HEADER + zlib.compress(content))
        return name

    def get(self, sha256: str) -> bytes:
        """Returns a content; see `Chest`."""
        if _NAME.fullmatch(sha256) is None:
            raise NotFound(f"there is no content '{sha256[:80]}' in quarantine")
        file = self._file(sha256)
        try:
            kept = file.read_bytes()
        except FileNotFoundError:
            raise NotFound(f"the content {sha256} is not in quarantine any more ({file})") from None
        except OSError as error:
            raise QuarantineDamaged(f"{file} cannot be read: {error.strerror}") from error
        content = _content(kept)
        if content is None or hashlib.sha256(content).hexdigest() != sha256:
            raise QuarantineDamaged(f"{file} is damaged: it is not what was put there; restore it from a backup")
        return content

    def _is_whole(self, name: str) -> bool:
        try:
            self.get(name)
        except (NotFound, QuarantineDamaged):
            return False
        return True

    def _file(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}.kept"


def _content(kept: bytes) -> bytes | None:
    if not kept.startswith(HEADER):
        return None
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(kept[len(HEADER) :], MAX_CONTENT_BYTES)
    except zlib.error:
        return None
    return content if unpacking.eof else None
