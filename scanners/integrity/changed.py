"""Judges a file that was changed by what was changed in it: what its author wrote is nobody's infection."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from scanners.engine import AuditedFile
from scanners.integrity.difference import Difference, Nature
from scanners.malware import Judged
from sentry.domain.finding import WORST_FIRST, Evidence, Finding, FindingClass, Sign

Judge = Callable[[AuditedFile, Callable[[], bool]], Judged]
PHP_TAG = b"<?"
PHP_ENDINGS = (".php", ".inc", ".phtml", ".module")


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that is not as it was published.

    Attributes:
        published_by: of which component, as people call it.
        pristine: as it was published.
    """

    file: AuditedFile
    published_by: str
    pristine: bytes
    difference: Difference


def judged(changed: ChangedFile, judge: Judge, is_late: Callable[[], bool]) -> Judged:
    """Judges a changed file; what is found in it as it was published does not count.

    Args:
        changed: with its difference.
        judge: looks for malware.
        is_late: whether the time of this file is over.
    """
    sign = modified(changed.published_by, changed.difference)
    if sign.verdict is FindingClass.ADVICE:
        return Judged(_finding(changed.file, (sign,), ()), is_script=False)
    whole = judge(changed.file, is_late)
    before = judge(replace(changed.file, content=changed.pristine), is_late)
    found = _without(_signs(whole), _signs(before))
    seen = {one.rule for one in found}
    added = judge(replace(changed.file, content=_alone(changed)), is_late)
    found += [
        replace(one, detail=f"{one.detail + '; ' if one.detail else ''}in what was added")
        for one in _signs(added)
        if one.rule not in seen and one.evidence in (Evidence.BEHAVIOUR, Evidence.SIGNATURE)
    ]
    layers = whole.finding.layers if whole.finding else ()
    return Judged(_finding(changed.file, (sign, *found), layers), is_script=whole.is_script, left_out=whole.left_out)


def modified(published_by: str, difference: Difference) -> Sign:
    """Returns what a difference says by itself."""
    is_plain = difference.nature is not Nature.CODE
    meaning = f"differs from what {published_by} was published with"
    return Sign(
        rule="modified_known_file",
        meaning=f"{meaning}, in {difference.nature} only" if is_plain else meaning,
        verdict=FindingClass.ADVICE if is_plain else FindingClass.MODIFIED,
        evidence=Evidence.INTEGRITY,
        detail=f"{difference.added:,} lines added, {difference.removed:,} removed" if difference.lines else "",
        way=difference.lines,
    )


def _alone(changed: ChangedFile) -> bytes:
    """What was added, as a file of its own."""
    text = changed.difference.text
    is_php = changed.file.path.lower().endswith(PHP_ENDINGS)
    return b"<?php " + text if is_php and PHP_TAG not in text else text


def _signs(judged: Judged) -> list[Sign]:
    return [] if judged.finding is None else list(judged.finding.signs)


def _without(signs: Iterable[Sign], others: Iterable[Sign]) -> list[Sign]:
    counted, kept = Counter((one.rule, one.detail) for one in others), []
    for sign in signs:
        key = sign.rule, sign.detail
        if counted[key]:
            counted[key] -= 1
        else:
            kept.append(sign)
    return kept


def _finding(file: AuditedFile, signs: Iterable[Sign], layers: tuple[str, ...]) -> Finding:
    ranked = sorted(signs, key=lambda sign: WORST_FIRST.index(sign.verdict))
    return Finding(
        path=file.path,
        verdict=ranked[0].verdict,
        signs=tuple(ranked),
        layers=layers,
        size_bytes=len(file.content),
    )
