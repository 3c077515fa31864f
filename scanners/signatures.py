"""Rules of YARA over files and over what was hidden in them; our own, which say what malware does, not its name."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yara  # type: ignore[import-not-found]  # a module in C, of which mypy sees nothing

from sentry.domain.finding import FindingClass

RULES = Path(__file__).parent / "rules"
MATCH_WITHIN_S = 10
"""A file on which the rules take longer is not judged by them, and says so."""


class SignatureError(Exception):
    """The rules could not be applied to a file; that is no verdict."""


@dataclass(frozen=True, slots=True)
class Match:
    """One rule that fits.

    Attributes:
        line: of the first text that made it fit, from 1.
        text: that text, a stranger's bytes.
        explains: the class of other signs of the same file that this one accounts for, None for none.
    """

    rule: str
    verdict: FindingClass
    meaning: str
    author: str
    licence: str
    line: int
    text: bytes
    explains: FindingClass | None = None


class Signatures:
    """Compiled rules."""

    def __init__(self, folder: Path = RULES) -> None:
        """Compiles every `*.yar` of a folder.

        Raises:
            SignatureError: a rule cannot be compiled, or has no class.
        """
        files = {path.stem: str(path) for path in sorted(folder.glob("*.yar"))}
        try:
            self._rules = yara.compile(filepaths=files, includes=False)
        except yara.Error as error:
            raise SignatureError(f"the rules in {folder} cannot be compiled: {error}") from None

    def matches(self, content: bytes) -> list[Match]:
        """Returns the rules that fit.

        Raises:
            SignatureError: it took too long.
        """
        try:
            found = self._rules.match(data=content, timeout=MATCH_WITHIN_S)
        except yara.Error as error:
            raise SignatureError(str(error)) from None
        return list(_told(found, content))


def _told(found: "list[yara.Match]", content: bytes) -> Iterator[Match]:
    for match in found:
        instances = [instance for string in match.strings for instance in string.instances]
        first = min(instances, key=lambda instance: instance.offset, default=None)
        text = (
            b"" if first is None else first.matched_data.lstrip()
        )  # a rule for a line's beginning takes its end before
        offset = 0 if first is None else first.offset + len(first.matched_data) - len(text)
        yield Match(
            rule=match.rule,
            verdict=FindingClass(match.meta["class"]),
            meaning=match.meta["meaning"],
            author=match.meta["author"],
            licence=match.meta["license"],
            line=content.count(b"\n", 0, offset) + 1,
            text=text,
            explains=FindingClass(match.meta["explains"]) if "explains" in match.meta else None,
        )
