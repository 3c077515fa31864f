"""From signs to a verdict: one proof confirms, one suspicion or two hints are suspicious, one hint is nothing."""

from collections.abc import Callable

from scanners.php.reader import PHP_BEGINS, Reading, read
from scanners.php.run import Hit
from scanners.php.signals import SIGNALS, Weight
from sentry.domain.finding import FindingClass, Sign, SourceLine

HINTS_THAT_COUNT = 2
LAYER_CHARS = 200


def is_php(source: bytes) -> bool:
    """Whether a server would find PHP in it."""
    return PHP_BEGINS.search(source) is not None


def judge(source: bytes, is_late: Callable[[], bool]) -> tuple[FindingClass | None, Reading]:
    """Judges a file.

    Args:
        source: its bytes.
        is_late: whether the time of this file is over.

    Returns:
        The verdict, None where there is nothing to say; and what it rests on.
    """
    reading = read(source, is_late)
    if reading.weight is Weight.PROOF:
        return FindingClass.CONFIRMED, reading
    if reading.weight is Weight.SUSPICION or len({hit.signal for hit in reading.hits}) >= HINTS_THAT_COUNT:
        return FindingClass.SUSPICIOUS, reading
    return None, reading


def signs_of(reading: Reading) -> tuple[Sign, ...]:
    """Returns what a reading found, in the words of a finding."""
    return tuple(_sign(hit) for hit in reading.hits)


def layers_of(reading: Reading) -> tuple[str, ...]:
    """Returns how each hidden text begins."""
    return tuple(shown(layer[:LAYER_CHARS]) for layer in reading.layers)


def shown(text: bytes) -> str:
    """Returns a stranger's bytes as a text without line ends and control characters."""
    readable = text.decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else " " for one in readable)


def _sign(hit: Hit) -> Sign:
    lines = [*hit.trail, (hit.line, hit.text)] if hit.text else []
    way = tuple(SourceLine(number, shown(text)) for number, text in dict.fromkeys(lines))
    return Sign(hit.signal, SIGNALS[hit.signal].meaning, shown(hit.detail.encode()), way, hit.depth)
