"""Carries a plan out, file by file, so that a crash at any point is finished by whoever comes next.

Where a file stands is decided by what it is, not by what the journal remembers: it is still what it was, already what
it should become, or something else, and then it is left and named. So each step may be taken twice.
"""

import hashlib
from collections.abc import Callable

from sentry.domain.cleaning import (
    ENDS,
    Authority,
    Cleaned,
    CleaningPlan,
    FileFacts,
    FileOutcome,
    KeptFile,
    PlannedFile,
    Remedy,
    Step,
    shown_path,
    undo_of,
)
from sentry.domain.errors import HostError, HostLost, NotFound, QuarantineDamaged, TransitionRefused
from sentry.ports.cleaning import Chest, Hears, Journal, Journals, Register
from sentry.ports.clock import Clock
from sentry.ports.hosts import Host
from sentry.services.cleaning_lock import CleaningLock
from sentry.services.site_files import SiteFiles


class FileChanged(HostError):  # noqa: N818  # reads as a state, as in the tree of errors
    """A file is neither what was planned for nor what it was to become."""


class Cleanings:
    """Cleans, gives back, and goes on with what was broken off.

    Args:
        host: the machine that the site stands on.
        told: hears of each step.
    """

    def __init__(
        self,
        *,
        host: Host,
        journals: Journals,
        chest: Chest,
        register: Register,
        clock: Clock,
        told: Hears = lambda _file, _step, _note: None,
    ) -> None:
        self._host = host
        self._journals = journals
        self._chest = chest
        self._register = register
        self._clock = clock
        self._told = told

    def clean(self, plan: CleaningPlan) -> Cleaned:
        """Carries a plan out.

        Raises:
            TransitionRefused: another cleaning of the folder is under way.
            HostLost: the link broke; `resume` goes on.
            QuarantineFailed: what is to be kept cannot be; nothing was written since.
        """
        lock = self._lock(plan)
        with lock.held():
            journal = self._journals.begin(plan)
            try:
                return self._carry_out(journal, lock)
            finally:
                journal.close()

    def resume(self, is_mine: Callable[[CleaningPlan], bool]) -> list[Cleaned]:
        """Goes on with every plan of this host that was broken off.

        Raises:
            TransitionRefused: another cleaning of the folder is under way.
            HostLost: the link broke.
        """
        found = []
        for journal in self._journals.unfinished():
            try:
                if is_mine(journal.plan):
                    lock = self._lock(journal.plan)
                    with lock.held():
                        found.append(self._carry_out(journal, lock))
            finally:
                journal.close()
        return found

    def undo(self, kept: KeptFile, key: str, authority: Authority, *, force: bool = False) -> Cleaned:
        """Gives a file back from quarantine, as it was to the byte and the nanosecond.

        Args:
            kept: the file.
            key: of this undoing, unique.
            authority: the person who wants it back.
            force: also where what stands there now is not what the cleaning left.

        Raises:
            TransitionRefused: something else stands there now, or a cleaning is under way.
            NotFound: its content is not kept any more.
            QuarantineDamaged: its content is not what was kept.
        """
        if kept.facts is None:
            raise TransitionRefused(f"{kept.key} stands for no file: before it there was none")
        self._chest.get(kept.before)
        found = SiteFiles(self._host, kept.root).digest(kept.path)
        if found != kept.after and not force:
            raise TransitionRefused(
                f"{shown_path(kept.path)} has changed since it was cleaned; with --force it is kept and replaced"
            )
        file = undo_of(kept, found, authority)
        return self.clean(CleaningPlan(key, self._host.name, kept.root, self._clock.now(), (file,), kept.site_key))

    def _lock(self, plan: CleaningPlan) -> CleaningLock:
        return CleaningLock(self._host, plan.root, plan.key, self._clock)

    def _carry_out(self, journal: Journal, lock: CleaningLock) -> Cleaned:
        files = SiteFiles(self._host, journal.plan.root)
        outcomes = []
        for number, file in enumerate(journal.plan.files):
            if not file.writes:
                outcomes.append(FileOutcome(file, Step.LEFT, file.why))
                continue
            if journal.step(number)[0] not in ENDS:
                lock.renew()
                self._treat(journal, number, files)
            step, note = journal.step(number)
            outcomes.append(FileOutcome(file, step, note))
        return Cleaned(journal.plan, outcomes)

    def _treat(self, journal: Journal, number: int, files: SiteFiles) -> None:
        file = journal.plan.files[number]
        try:
            self._write(journal, number, file, files)
            self._note(journal, number, Step.VERIFIED)
        except HostLost:
            raise
        except (HostError, NotFound, QuarantineDamaged) as error:
            self._note(journal, number, Step.LEFT, str(error))

    def _write(self, journal: Journal, number: int, file: PlannedFile, files: SiteFiles) -> None:
        files.sweep(file.path)
        found = files.digest(file.path)
        if found == file.before != file.after:
            after = self._chest.get(file.after) if file.after else None
            facts = self._keep(journal, number, file, files)
            self._note(journal, number, Step.KEPT)
            if files.digest(file.path) != file.before:
                raise FileChanged("it changed while it was being cleaned")
            if after is None:
                files.remove(file.path)
            else:
                staged = hashlib.sha256(f"{journal.plan.key}-{number}".encode()).hexdigest()[:16].encode()
                files.put(file.path, after, facts, times=file.remedy is Remedy.UNDO, staged=staged)
            self._note(journal, number, Step.WRITTEN)
            found = files.digest(file.path)
        if found != file.after:
            raise FileChanged("it is not what the plan was made for; it was left as it is")

    def _keep(self, journal: Journal, number: int, file: PlannedFile, files: SiteFiles) -> FileFacts:
        """Puts a file into quarantine as it is; returns the facts that its successor gets."""
        plan, facts = journal.plan, files.facts(file.path)
        content = files.read(file.path) if facts is not None else None
        if content is not None and self._chest.put(content) != file.before:
            raise FileChanged("it changed while it was being cleaned")
        self._register.add(
            KeptFile(
                key=f"{plan.key}-{number}",
                site_key=plan.site_key,
                host=plan.host,
                root=plan.root,
                path=file.path,
                before=file.before,
                after=file.after,
                facts=facts,
                at=self._clock.now(),
                remedy=file.remedy,
                why=file.why,
                verdict=file.verdict,
                rules=file.rules,
                authority=file.authority,
            )
        )
        wanted = file.facts or facts
        if wanted is None:
            raise FileChanged("it is not there any more")
        return wanted

    def _note(self, journal: Journal, number: int, step: Step, note: str = "") -> None:
        journal.note(number, step, note)
        self._told(journal.plan.files[number], step, note)
