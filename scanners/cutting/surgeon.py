"""Cuts an injection out of a file, and takes nothing for a cut that leaves anything of it, or anything broken."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from scanners.cutting.directives import cuts_of_directives
from scanners.cutting.markup import cuts_of_markup
from scanners.cutting.php import cuts_of_php, errors, is_nothing_else
from scanners.engine import AuditedFile
from scanners.malware import Malware
from scanners.php.reader import PHP_BEGINS
from sentry.domain.finding import Finding, FindingClass, Sign
from sentry.ports.clock import Clock

MOST_ATTEMPTS = 12
SECONDS_PER_FILE = 4.0
"""Of one judgement; cutting is done while a person waits."""
SETTINGS = (".htaccess", ".user.ini", "php.ini")
MARKUP = (".html", ".htm", ".xhtml", ".php", ".phtml", ".tpl", ".js", ".svg")
TOLERATED = (FindingClass.ADVICE, FindingClass.RISKY_TOOL, FindingClass.ENCODED)


@dataclass(frozen=True, slots=True)
class Excision:
    """What came of an attempt to cut.

    Attributes:
        content: of the file without the injection; None where it is not cut.
        why: what was done, or why nothing was.
        is_nothing_else: whether the file is nothing but the injection.
    """

    content: bytes | None
    why: str
    is_nothing_else: bool = False


class Surgeon:
    """Cuts exactly the injection, or not at all."""

    def __init__(self, malware: Malware, clock: Clock) -> None:
        """Judges what is left by the same engines that judged the file."""
        self._malware = malware
        self._clock = clock

    def cut(self, path: str, content: bytes, published: str = "") -> Excision:
        """Cuts the injection out of a file.

        Args:
            path: below the root, to be shown.
            content: the whole infected file.
            published: the SHA-256 of the file as it was published, where that is known.
        """
        found = self.finding(path, content)
        if found is None:
            return Excision(None, "nothing is found in it any more")
        tried = 0
        is_late = self._lateness()
        for candidate in islice(_unique(_candidates(path, content, found, is_late)), MOST_ATTEMPTS):
            tried += 1
            if self._is_whole(path, content, candidate, published):
                return Excision(candidate, f"{len(content) - len(candidate):,} bytes of injection cut out")
        if not tried and is_nothing_else(content, found.signs, is_late):
            return Excision(None, "the file is nothing but malware", is_nothing_else=True)
        if not tried:
            return Excision(None, "what belongs to the injection cannot be told from the rest for certain")
        return Excision(None, "what would be left is not clean, or not whole")

    def finding(self, path: str, content: bytes) -> Finding | None:
        """Returns what is found in a file; what cannot be judged whole is a finding."""
        judged = self._malware.judge(AuditedFile(path, content), self._lateness())
        if judged.left_out is not None:
            return judged.finding or Finding(path, FindingClass.NOT_LOOKED_AT, ())
        return None if judged.finding is not None and judged.finding.verdict in TOLERATED else judged.finding

    def _is_whole(self, path: str, before: bytes, after: bytes, published: str) -> bool:
        if published and hashlib.sha256(after).hexdigest() != published:
            return False
        broken_before, broken = (errors(one, self._lateness()) for one in (before, after))
        if broken is None or broken_before is None or broken > broken_before:
            return False
        return bool(after.strip()) and self.finding(path, after) is None

    def _lateness(self) -> Callable[[], bool]:
        ends = self._clock.monotonic() + SECONDS_PER_FILE
        return lambda: self._clock.monotonic() > ends


def _candidates(path: str, content: bytes, found: Finding, is_late: Callable[[], bool]) -> Iterator[bytes]:
    name = path.rpartition("/")[2].lower()
    signs: Sequence[Sign] = found.signs
    if name in SETTINGS:
        yield from cuts_of_directives(content, signs)
        return
    if PHP_BEGINS.search(content) is not None:
        # `Silence is golden`: a page that is empty on purpose, so that nobody sees what stands beside it.
        yield from cuts_of_php(content, signs, is_late, only_comments=name == "index.php")
    if name.endswith(MARKUP):
        yield from cuts_of_markup(content, signs)


def _unique(candidates: Iterator[bytes]) -> Iterator[bytes]:
    seen: set[bytes] = set()
    for candidate in candidates:
        if candidate not in seen:
            seen.add(candidate)
            yield candidate
