"""How results become verdicts: one pure step per result, with every failure confirmed before it is believed.

A failure is suspected first and confirmed by re-checks; the outage then began at the first failed probe. A recovery
is confirmed the same way and began at the first good one. Minutes seen while a turn is unconfirmed are held back and
written once it is decided, so the ledger never has to be taken back: confirmed failures are down from the first
probe, failures that vanish are blips and up.

State machine of a check:

    NEW ──good──▶ UP ──bad──▶ SUSPECT ──bad x re-checks──▶ DOWN ──good──▶ RECOVERING ──good x re-checks──▶ UP
                   ▲────────────good (blip)┘                ▲──────────────bad┘
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sentry.domain.events import Event, EventKind
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.result import Phase, ProbeResult, Reason, Status
from sentry.domain.site import Check


class HealthState(StrEnum):
    """What is believed of a check."""

    NEW = "new"
    UP = "up"
    SUSPECT = "suspect"
    DOWN = "down"
    RECOVERING = "recovering"


@dataclass(frozen=True, slots=True)
class Outage:
    """One confirmed outage of one check.

    Attributes:
        started_at: slot of the first failed probe; with the check key it identifies the outage.
        ended_at: slot of the first good probe of the confirmed recovery, None while it lasts.
    """

    check_key: str
    started_at: datetime
    confirmed_at: datetime
    reason: Reason
    failed_phase: Phase | None
    detail: str
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one check between two probes.

    Attributes:
        since: when the state was entered.
        contrary: consecutive results that contradict the standing state (UP while SUSPECT, DOWN while RECOVERING).
        turned_at: slot of the first contrary result; turn_seen_at: when that result was known.
        recheck_at: when the turn should be looked at again, None where nothing is pending.
        held: minutes seen during an unconfirmed turn, with the state they get if it is confirmed.
        covered: the minutes that the last result stands for; they reach as far as the next result.
        failure: the failed probe that began the suspected or standing outage.
        last_good: the newest result that answered, without its body.
        blips: failures that vanished before they were confirmed, ever.
    """

    check_key: str
    state: HealthState = HealthState.NEW
    since: datetime | None = None
    contrary: int = 0
    turned_at: datetime | None = None
    turn_seen_at: datetime | None = None
    recheck_at: datetime | None = None
    held: tuple[Run, ...] = ()
    covered: Run | None = None
    outage: Outage | None = None
    failure: ProbeResult | None = None
    last_good: ProbeResult | None = None
    degraded: Reason | None = None
    blips: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What one result changes: the new health, minutes for the ledger, an outage opened or closed, and events."""

    health: Health
    minutes: tuple[Run, ...] = ()
    outage: Outage | None = None
    events: tuple[Event, ...] = field(default=())


def step(health: Health, result: ProbeResult, check: Check) -> Step:
    """Takes one result into account.

    Args:
        health: what was known before.
        result: the result of a slot or of a re-check, not older than the last one.
        check: the check, for its interval and its re-checks.

    Returns:
        What changes. The minutes overlap what is already in the ledger by at most the current minute, in which
        the worse state wins.
    """
    if result.status is Status.UP and health.state is HealthState.UP and health.degraded is None:
        return _stayed_up(health, result, check)
    health, filled = _reach_until(health, result)
    if result.status is Status.UNKNOWN:
        return Step(replace(health, covered=None), minutes=filled)
    seen_at = result.started_at + timedelta(seconds=result.duration_s)
    own = _minutes_of(result, check)
    health = replace(health, covered=own)
    decided = (_answered if result.answers else _failed)(health, result, check, seen_at)
    return replace(decided, minutes=filled + decided.minutes)


def _stayed_up(health: Health, result: ProbeResult, check: Check) -> Step:
    """The way of nearly every result, without the detours of a turn: the same as below in a quarter of the time."""
    minute = int(result.scheduled_at.timestamp()) // 60
    now = Run(minute, minute + 1, MinuteState.UP)
    covered, reaches = health.covered, check.interval_s // 60
    minutes: tuple[Run, ...] = (now,)
    if covered is not None and covered.end > covered.start + 1 < minute:
        minutes = (Run(covered.start + 1, min(covered.end, minute), covered.state), now)
    stayed = Health(
        check_key=health.check_key,
        state=health.state,
        since=health.since,
        contrary=health.contrary,
        turned_at=health.turned_at,
        turn_seen_at=health.turn_seen_at,
        recheck_at=health.recheck_at,
        held=health.held,
        covered=Run(minute, minute + reaches, MinuteState.UP) if reaches > 1 else now,
        outage=health.outage,
        failure=health.failure,
        last_good=_without_body(result),
        blips=health.blips,
    )
    return Step(stayed, minutes)


def _minutes_of(result: ProbeResult, check: Check) -> Run:
    """The minutes that a result may stand for: from its own up to a whole interval, if no other result comes."""
    start = int(result.scheduled_at.timestamp()) // 60
    state = {Status.DOWN: MinuteState.DOWN, Status.DEGRADED: MinuteState.DEGRADED}.get(result.status, MinuteState.UP)
    return Run(start, start + max(1, check.interval_s // 60), state)


def _first(run: Run) -> Run:
    return replace(run, end=run.start + 1)


def _reach_until(health: Health, result: ProbeResult) -> tuple[Health, tuple[Run, ...]]:
    """Lets the last result stand for the minutes up to this one; with an interval of a minute there are none."""
    covered = health.covered
    if covered is None:
        return health, ()
    end = min(covered.end, int(result.scheduled_at.timestamp()) // 60)
    reached = Run(covered.start + 1, end, covered.state)
    if reached.minutes <= 0:
        return health, ()
    if health.state in {HealthState.SUSPECT, HealthState.RECOVERING}:
        return replace(health, held=(*health.held, reached)), ()
    return health, (reached,)


def _turn(health: Health, state: HealthState, result: ProbeResult, seen_at: datetime, own: Run) -> Health:
    """Begins or continues an unconfirmed turn: the minute is held, the contrary results are counted."""
    begins = health.state is not state
    return replace(
        health,
        state=state,
        since=result.scheduled_at if begins else health.since,
        contrary=1 if begins else health.contrary + 1,
        turned_at=result.scheduled_at if begins else health.turned_at,
        turn_seen_at=seen_at if begins else health.turn_seen_at,
        held=(_first(own),) if begins else (*health.held, _first(own)),
    )


def _settled(health: Health, state: HealthState, since: datetime) -> Health:
    return replace(
        health,
        state=state,
        since=since,
        contrary=0,
        turned_at=None,
        turn_seen_at=None,
        recheck_at=None,
        held=(),
    )


def _next_recheck(health: Health, check: Check, seen_at: datetime) -> Health:
    assert health.turn_seen_at is not None  # noqa: S101  # a turn under way always has its first sight
    wait = timedelta(seconds=check.recheck_after_s[health.contrary - 1])
    due = min(health.turn_seen_at, seen_at) + wait  # the clock may have been set back since the turn
    return replace(health, recheck_at=max(due, seen_at))


def _answered(health: Health, result: ProbeResult, check: Check, seen_at: datetime) -> Step:
    own = _minutes_of(result, check)
    health = replace(health, last_good=_without_body(result))
    if health.state in {HealthState.DOWN, HealthState.RECOVERING}:
        return _recovering(health, result, check, seen_at)
    minutes: tuple[Run, ...] = (_first(own),)
    events: list[Event] = []
    if health.state is HealthState.SUSPECT:
        minutes = (*(replace(run, state=MinuteState.UP) for run in health.held), *minutes)
        failure = health.failure
        facts = {"reason": failure.reason, "detail": failure.detail} if failure else {}
        events.append(Event(EventKind.BLIP_RECOVERED, seen_at, check.key, facts))
        health = replace(health, blips=health.blips + 1, failure=None)
    if health.state is not HealthState.UP:
        health = _settled(health, HealthState.UP, result.scheduled_at)
    health, more = _degradation(health, result, seen_at)
    return Step(health, minutes, events=(*events, *more))


def _failed(health: Health, result: ProbeResult, check: Check, seen_at: datetime) -> Step:
    own = _minutes_of(result, check)
    if health.state in {HealthState.DOWN, HealthState.RECOVERING}:
        minutes = (*(replace(run, state=MinuteState.DOWN) for run in health.held), _first(own))
        if health.state is HealthState.RECOVERING and health.outage is not None:
            health = _settled(health, HealthState.DOWN, health.outage.started_at)
        return Step(health, minutes)
    events: tuple[Event, ...] = ()
    if health.state is not HealthState.SUSPECT:
        health = replace(health, failure=result)
        events = (Event(EventKind.FAILURE_SUSPECTED, seen_at, check.key, _facts(result)),)
    health = _turn(health, HealthState.SUSPECT, result, seen_at, own)
    if health.contrary <= len(check.recheck_after_s):
        return Step(_next_recheck(health, check, seen_at), events=events)
    return _confirm_outage(health, result, events, seen_at)


def _confirm_outage(health: Health, result: ProbeResult, events: tuple[Event, ...], seen_at: datetime) -> Step:
    first = health.failure or result
    started_at = health.turned_at or result.scheduled_at
    outage = Outage(
        check_key=health.check_key,
        started_at=started_at,
        confirmed_at=seen_at,
        reason=first.reason or Reason.AGENT_ERROR,
        failed_phase=first.failed_phase,
        detail=first.detail,
    )
    facts = {**_facts(first), "started_at": started_at.isoformat()}
    confirmed = Event(EventKind.OUTAGE_CONFIRMED, seen_at, health.check_key, facts)
    down = replace(_settled(health, HealthState.DOWN, started_at), outage=outage, degraded=None)
    return Step(down, health.held, outage, (*events, confirmed))


def _recovering(health: Health, result: ProbeResult, check: Check, seen_at: datetime) -> Step:
    health = _turn(health, HealthState.RECOVERING, result, seen_at, _minutes_of(result, check))
    if health.contrary <= len(check.recheck_after_s):
        return Step(_next_recheck(health, check, seen_at))
    ended_at = health.turned_at or result.scheduled_at
    if health.outage is not None:
        ended_at = max(ended_at, health.outage.started_at)  # the clock may have been set back meanwhile
    outage = replace(health.outage, ended_at=ended_at) if health.outage else None
    ended = Event(
        EventKind.OUTAGE_ENDED,
        seen_at,
        health.check_key,
        {"started_at": outage.started_at.isoformat() if outage else None, "ended_at": ended_at.isoformat()},
    )
    up = replace(_settled(health, HealthState.UP, ended_at), outage=None, failure=None)
    up, more = _degradation(up, result, seen_at)
    return Step(up, health.held, outage, (ended, *more))


def _degradation(health: Health, result: ProbeResult, seen_at: datetime) -> tuple[Health, tuple[Event, ...]]:
    now_degraded = result.reason if result.status is Status.DEGRADED else None
    if now_degraded == health.degraded:
        return health, ()
    kind = EventKind.DEGRADED_STARTED if now_degraded else EventKind.DEGRADED_ENDED
    return replace(health, degraded=now_degraded), (Event(kind, seen_at, health.check_key, _facts(result)),)


def _facts(result: ProbeResult) -> dict[str, str | None]:
    return {"reason": result.reason, "failed_phase": result.failed_phase, "detail": result.detail}


def _without_body(result: ProbeResult) -> ProbeResult:
    """Returns a result without what only a failure needs, so that ten thousand healthy sites stay small in memory."""
    http, log = result.evidence.http, result.evidence.log
    if not log and (http is None or not http.body_head):
        return result
    lean = replace(http, body_head="") if http is not None else None
    return replace(result, evidence=replace(result.evidence, http=lean, log=()))
