"""Journals of cleanings: a plan, then a line for each step, each synced before the step after it is taken."""

import fcntl
import os
from collections.abc import Sequence
from io import BufferedRandom
from pathlib import Path

from pydantic import TypeAdapter

from sentry.domain.cleaning import ENDS, CleaningPlan, Step
from sentry.domain.errors import QuarantineDamaged, QuarantineFailed
from sentry.quarantine.disk import FILE_MODE, make_folder, sync_folder, write_whole
from sentry.quarantine.documents import read, written

PLAN: TypeAdapter[CleaningPlan] = TypeAdapter(CleaningPlan)
STEP: TypeAdapter[tuple[int, Step, str]] = TypeAdapter(tuple[int, Step, str])


class FileJournal:
    """Fills `Journal` with a file that it holds a lock on: two processes never go on with the same one."""

    def __init__(self, file: Path) -> None:
        """Opens a journal.

        Raises:
            QuarantineFailed: somebody else is at it, or it cannot be opened.
            QuarantineDamaged: it has no plan.
        """
        self._name = str(file)
        try:
            self._file: BufferedRandom = os.fdopen(os.open(file, os.O_RDWR | os.O_CLOEXEC, FILE_MODE), "r+b")
        except OSError as error:
            raise QuarantineFailed(f"cannot open {file}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise QuarantineFailed(f"another process is at the cleaning of {file}") from error
        self._steps: dict[int, tuple[Step, str]] = {}
        self.plan = self._read()

    def step(self, number: int) -> tuple[Step, str]:
        """Returns how far a file has come; see `Journal`."""
        return self._steps.get(number, (Step.PLANNED, ""))

    def note(self, number: int, step: Step, note: str = "") -> None:
        """Writes a step down; see `Journal`."""
        try:
            self._file.write(written(STEP, (number, step, note[:500])))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise QuarantineFailed(f"cannot write {self._name}: {error.strerror}") from error
        self._steps[number] = (step, note)

    def close(self) -> None:
        """Lets others have it."""
        self._file.close()

    @property
    def is_finished(self) -> bool:
        """Whether every file has come to its end."""
        return all(self.step(number)[0] in ENDS for number, file in enumerate(self.plan.files) if file.writes)

    def _read(self) -> CleaningPlan:
        lines = self._file.read().split(b"\n")
        plan = read(PLAN, lines[0], self._name)
        good = len(lines[0]) + 1
        for line in lines[1:-1]:
            try:
                number, step, note = read(STEP, line, self._name)
            except QuarantineDamaged:
                break
            self._steps[number] = (step, note)
            good += len(line) + 1
        # What a crash cut off in the middle of a line was never relied on.
        self._file.truncate(good)
        self._file.seek(good)
        return plan


class FolderJournals:
    """Fills `Journals` with a folder."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder where it is missing.

        Raises:
            QuarantineFailed: it cannot be made.
        """
        self._folder = folder
        make_folder(folder)

    def begin(self, plan: CleaningPlan) -> FileJournal:
        """Writes a plan down; see `Journals`."""
        file = self._folder / f"{plan.key}.jsonl"
        write_whole(file, written(PLAN, plan))
        sync_folder(self._folder)
        return FileJournal(file)

    def unfinished(self) -> Sequence[FileJournal]:
        """Returns those that are not finished; see `Journals`."""
        found = []
        for file in sorted(self._folder.glob("*.jsonl")):
            try:
                journal = FileJournal(file)
            except (QuarantineFailed, QuarantineDamaged):
                continue
            if journal.is_finished:
                journal.close()
            else:
                found.append(journal)
        return found
