"""What is in quarantine: one document an entry."""

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter

from sentry.domain.cleaning import KeptFile
from sentry.domain.errors import NotFound, QuarantineDamaged
from sentry.quarantine.disk import make_folder, write_whole
from sentry.quarantine.documents import read, written

KEPT: TypeAdapter[KeptFile] = TypeAdapter(KeptFile)
_KEY = re.compile(r"[0-9a-z-]{1,80}")


class FolderRegister:
    """Fills `Register` with a folder."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder where it is missing.

        Raises:
            QuarantineFailed: it cannot be made.
        """
        self._folder = folder
        make_folder(folder)

    def add(self, kept: KeptFile) -> None:
        """Adds an entry; see `Register`."""
        write_whole(self._folder / f"{kept.key}.json", written(KEPT, kept))

    def get(self, key: str) -> KeptFile:
        """Returns an entry; see `Register`."""
        file = self._folder / f"{key}.json"
        if _KEY.fullmatch(key) is None or not file.is_file():
            raise NotFound(f"'{key[:80]}' is not in quarantine; `online-sentry quarantine list` shows what is")
        try:
            return read(KEPT, file.read_bytes(), str(file))
        except OSError as error:
            raise QuarantineDamaged(f"{file} cannot be read: {error.strerror}") from error

    def all(self) -> Iterator[KeptFile]:
        """Yields every entry that can be read; see `Register`."""
        for file in sorted(self._folder.glob("*.json")):
            try:
                yield self.get(file.stem)
            except (NotFound, QuarantineDamaged):
                continue
