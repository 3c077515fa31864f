"""Who answers for the minutes of an outage: every word said of it, which one counts, and which minutes it leaves out.

Source: the contract. Minutes that the client or a third party caused are left out of the promise; whatever nobody
has classified counts against the provider. Nothing that was said is ever taken back: a later word is added.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sentry.domain.failure_report import Attribution
from sentry.domain.ledger import MinuteState, Run

AGENT = "online-sentry"
"""Who guesses."""

MAX_REASON_CHARS = 500
MAX_NAME_CHARS = 80


@dataclass(frozen=True, slots=True)
class AttributionEntry:
    """One word on whose side an incident was.

    Attributes:
        opening: of the incident when it was said; a person speaks of all openings up to this one.
        by: who said so.
        basis: the code of the fact that the agent's guess rests on; empty where a person speaks.
        reason: why, in a person's words; empty where the agent guesses.
    """

    at: datetime
    side: Attribution
    opening: int
    by: str
    basis: str = ""
    reason: str = ""

    @property
    def is_of_person(self) -> bool:
        """Whether a person said it: that stands over any guess."""
        return bool(self.reason)


@dataclass(frozen=True, slots=True)
class AttributedSpan:
    """The minutes [start, end) of one incident, and the side that counts."""

    incident_id: int
    start: int
    end: int
    side: Attribution


def said_by_person(side: Attribution, opening: int, by: str, reason: str, at: datetime) -> AttributionEntry:
    """Returns the entry of a person, its texts on one line.

    Raises:
        ValueError: the reason or the name is empty or too long; the message says which and how to mend it.
    """
    name, why = _line(by), _line(reason)
    if not why or len(why) > MAX_REASON_CHARS:
        raise ValueError(f"reason: say in 1 to {MAX_REASON_CHARS} characters what shows whose side it was on")
    if not name or len(name) > MAX_NAME_CHARS:
        raise ValueError(f"by: name who says so, in 1 to {MAX_NAME_CHARS} characters")
    return AttributionEntry(at, side, opening, name, reason=why)


def standing_side(entries: Iterable[AttributionEntry]) -> Attribution:
    """Returns the side that counts.

    The newest word counts, a person's over the agent's. Openings of one incident that were on different sides are on
    none: nobody has said how the minutes are shared out.

    Args:
        entries: all of one incident, oldest first.
    """
    sides: dict[int, Attribution] = {}
    settled = 0
    for entry in entries:
        if entry.is_of_person:
            settled = max(settled, entry.opening)
            sides = {opening: side for opening, side in sides.items() if opening > settled} | {settled: entry.side}
        elif entry.opening > settled:
            sides[entry.opening] = entry.side
    found = set(sides.values())
    return found.pop() if len(found) == 1 else Attribution.UNKNOWN


@dataclass(frozen=True, slots=True)
class AttributedRun:
    """Down minutes of one incident; `span` is None where no incident tells of them."""

    run: Run
    span: AttributedSpan | None


def attributed_runs(runs: Iterable[Run], spans: Sequence[AttributedSpan]) -> tuple[AttributedRun, ...]:
    """Shares the down minutes out to the incidents that tell of them.

    Args:
        runs: ordered, without overlap.
        spans: of the site's incidents; where two of them hold a minute it is the earlier one's.
    """
    ordered = sorted(spans, key=lambda span: (span.start, span.incident_id))
    found: list[AttributedRun] = []
    for run in runs:
        if run.state is not MinuteState.DOWN:
            continue
        reached = run.start
        for span in ordered:
            start, end = max(span.start, reached), min(span.end, run.end)
            if start >= end:
                continue
            if reached < start:
                found.append(AttributedRun(Run(reached, start, run.state), None))
            found.append(AttributedRun(Run(start, end, run.state), span))
            reached = end
        if reached < run.end:
            found.append(AttributedRun(Run(reached, run.end, run.state), None))
    return tuple(found)


def left_out(runs: Iterable[AttributedRun], sides: Collection[Attribution]) -> tuple[Run, ...]:
    """Returns the down minutes that a contract leaves out.

    Args:
        runs: every down minute with its incident.
        sides: those whose minutes the contract leaves out.
    """
    return tuple(each.run for each in runs if each.span is not None and each.span.side in sides)


def _line(text: str) -> str:
    """One line without control characters: it is shown on pages, in tables and in reports."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
