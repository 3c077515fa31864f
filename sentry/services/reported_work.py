"""The maintenance of a month as a client reads it: what was announced, how it counted, and what went on too long."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sentry.domain.client_report import WorkEntry
from sentry.domain.ledger import MinuteState, Run, clip
from sentry.domain.maintenance import Judgement, Work
from sentry.domain.month import local_time
from sentry.services.reckoning import SiteMonth


def work_entries(reckoned: SiteMonth) -> tuple[WorkEntry, ...]:
    """Returns all announced work that touches what is accounted for of a month, in order of time."""
    budget = reckoned.budget
    within = [
        replace(piece, start=max(piece.start, budget.start), end=min(piece.end, budget.until))
        for piece in reckoned.site.work
    ]
    pieces = sorted(_joined(one for one in within if one.start < one.end), key=lambda piece: piece.start)
    return tuple(_entry(piece, reckoned) for piece in pieces)


def _joined(pieces: Iterable[Work]) -> Iterator[Work]:
    """Puts together what only a change of words has cut apart."""
    last: dict[str, Work] = {}
    for piece in pieces:
        former = last.get(piece.window)
        if former and former.end == piece.start and former.judgement is piece.judgement:
            last[piece.window] = replace(former, end=piece.end, reason=piece.reason)
            continue
        if former:
            yield former
        last[piece.window] = piece
    yield from last.values()


def _entry(piece: Work, reckoned: SiteMonth) -> WorkEntry:
    zone, seen = reckoned.site.zone, [one.run for one in reckoned.explained]
    announced = piece.announced_at.astimezone(zone)
    return WorkEntry(
        start=local_time(piece.start, zone).isoformat(timespec="minutes"),
        end=local_time(piece.end, zone).isoformat(timespec="minutes"),
        minutes=piece.end - piece.start,
        reason=piece.reason,
        judgement=piece.judgement.value,
        announced_at=announced.isoformat(timespec="minutes"),
        down=sum(run.minutes for run in clip(seen, piece.start, piece.end) if run.state is MinuteState.DOWN),
        overrun=_overrun(piece, reckoned.runs),
    )


def _overrun(piece: Work, runs: Iterable[Run]) -> int:
    """The down minutes that follow at once on the end of work that was taken out of the account."""
    if piece.judgement is not Judgement.EXCLUDED:
        return 0
    return sum(run.minutes for run in runs if run.start == piece.end and run.state is MinuteState.DOWN)
