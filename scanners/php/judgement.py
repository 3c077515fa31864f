"""From signs to a verdict: one proof confirms, one suspicion or two hints are suspicious, one hint is nothing."""

from collections.abc import Callable

from scanners.engine import AuditedFile, Opinion, shown
from scanners.php.reader import PHP_BEGINS, Reading, read
from scanners.php.run import Hit
from scanners.php.signals import SIGNALS, Weight
from sentry.domain.finding import FindingClass, Sign, SourceLine

HINTS_THAT_COUNT = 2


class PhpEngine:
    """Judges PHP by what it would do; nothing is ever run."""

    name = "php"

    def judge(self, file: AuditedFile, is_late: Callable[[], bool]) -> Opinion:
        """Judges a file; see `Engine`."""
        if PHP_BEGINS.search(file.content) is None:
            return Opinion()
        reading = read(file.content, is_late)
        return Opinion(
            signs=_signs(reading),
            layers=reading.layers,
            is_script=True,
            left_out=None if reading.whole else "not looked at whole: too large or too slow",
        )


def _signs(reading: Reading) -> tuple[Sign, ...]:
    several = len({hit.signal for hit in reading.hits}) >= HINTS_THAT_COUNT
    signs = [(hit, _verdict(hit.weight, several=several)) for hit in reading.hits]
    return tuple(_sign(hit, verdict) for hit, verdict in signs if verdict is not None)


def _verdict(weight: Weight, *, several: bool) -> FindingClass | None:
    if weight is Weight.PROOF:
        return FindingClass.CONFIRMED
    return FindingClass.SUSPICIOUS if weight is Weight.SUSPICION or several else None


def _sign(hit: Hit, verdict: FindingClass) -> Sign:
    lines = [*hit.trail, (hit.line, hit.text)] if hit.text else []
    return Sign(
        rule=hit.signal,
        meaning=SIGNALS[hit.signal].meaning,
        verdict=verdict,
        evidence=SIGNALS[hit.signal].evidence,
        detail=shown(hit.detail.encode()),
        way=tuple(SourceLine(number, shown(text)) for number, text in dict.fromkeys(lines)),
        layer=hit.depth,
    )
