"""Findings of a database in one line."""

from scanners.engine import shown
from sentry.domain.finding import WORST_FIRST, Evidence, Finding, FindingClass, Place, Sign, SourceLine

SHOWN_BYTES = 160


def sign(
    rule: str, meaning: str, verdict: FindingClass, evidence: Evidence, detail: str | bytes = "", source: bytes = b""
) -> Sign:
    """Returns a sign; a stranger's bytes in it are cut and made readable."""
    written = shown((detail.encode() if isinstance(detail, str) else detail)[:SHOWN_BYTES])
    way = (SourceLine(1, shown(source[:SHOWN_BYTES])),) if source else ()
    return Sign(rule, meaning, verdict, evidence, written, way)


def finding(place: str, *signs: Sign, verdict: FindingClass | None = None) -> Finding:
    """Returns what its signs say of a place; their worst verdict, unless they say more together."""
    ordered = tuple(sorted(signs, key=lambda one: WORST_FIRST.index(one.verdict)))
    worst = ordered[0].verdict if verdict is None else verdict
    return Finding(place, worst, ordered, place=Place.DATABASE)
