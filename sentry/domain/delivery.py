"""The rules of delivery: keys, order, back-off, expiry and succession. Pure.

A recipient hears of each opening of an incident once, and of its end once, in this order. A message that cannot be
delivered is tried until it expires, and once more at that moment, however long the agent itself was away; then its
channel's fall-back inherits it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sentry.domain.errors import DeliveryReason
from sentry.domain.incident import Incident
from sentry.domain.notice import Delivery, DeliveryState, NoticeKind

FIRST_RETRY_S = 5.0
"""Waiting after the first failure: three more attempts fit into the 90 seconds of promise 001-31."""

MAX_RETRY_S = 300.0
"""Longest waiting between two attempts: a mail server that is back is found within five minutes."""

MAX_RETRY_AFTER_S = 900.0
"""Longest waiting that the other side may ask for (Retry-After); an alert must not wait for longer than that."""

MENDABLE = frozenset({DeliveryReason.AUTHENTICATION, DeliveryReason.MISCONFIGURED})
"""Permanent failures that an administrator can end; without a fall-back they are tried again, slowly."""


def delivery_key(incident_id: int, opening: int, kind: NoticeKind, channel: str, recipient: str) -> str:
    """Returns what makes a message to one recipient the same message."""
    return f"{incident_id}:{opening}:{kind}:{channel}:{recipient}"


def thread_key(delivery: Delivery) -> str:
    """Returns the key of the first message of the incident to the recipient; its thread hangs on it."""
    return delivery_key(delivery.incident_id, 1, NoticeKind.OPENED, delivery.channel, delivery.recipient)


_HEARD = frozenset({DeliveryState.SENT, DeliveryState.PENDING})


def back_off_s(attempts: int, jitter: float) -> float:
    """Returns the seconds to wait after a number of failed attempts: exponential, the upper half of it random.

    Args:
        attempts: failed attempts so far, at least 1.
        jitter: a random number in [0, 1); spreads messages that failed together ("equal jitter").
    """
    longest = min(MAX_RETRY_S, FIRST_RETRY_S * 2.0 ** min(attempts - 1, 16))
    return longest / 2 * (1 + jitter)


def retry_at(delivery: Delivery, now: datetime, jitter: float, retry_after_s: float | None) -> datetime | None:
    """Returns when a failed delivery is tried again, None where it has expired.

    Args:
        delivery: with the failed attempt already counted.
        now: when it failed.
        jitter: a random number in [0, 1).
        retry_after_s: what the other side asked for; never shortens the waiting and is bounded.
    """
    if now >= delivery.expires_at:
        return None
    asked_s = min(retry_after_s or 0.0, MAX_RETRY_AFTER_S)
    wait_s = max(back_off_s(delivery.attempts, jitter), asked_s)
    return min(now + timedelta(seconds=wait_s), delivery.expires_at)


class Verdict(StrEnum):
    """What to do with a delivery that is due."""

    SEND = "send"
    WAIT = "wait"
    HAND_ON = "hand_on"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, why, and for `WAIT` until when; for `HAND_ON` who heard of the opening instead."""

    verdict: Verdict
    why: str = ""
    until: datetime | None = None
    heirs: tuple[Delivery, ...] = ()


SEND = Judgement(Verdict.SEND)


def judge(delivery: Delivery, siblings: Sequence[Delivery], incident: Incident) -> Judgement:
    """Decides on a delivery that is due.

    Args:
        delivery: the one that is due.
        siblings: every delivery of the incident.
        incident: as it stands now.

    Returns:
        - `CANCEL` for an end that a new opening has overtaken before anyone heard of it: for them it never ended.
        - `WAIT` while an earlier message to the same recipient is pending.
        - `HAND_ON` for an end whose opening died here: it goes to those who inherited the opening.
        - `SEND` otherwise.
    """
    is_end = delivery.kind is NoticeKind.RESOLVED
    if is_end and incident.opening > delivery.opening:
        return Judgement(Verdict.CANCEL, "the incident was re-opened before this was delivered")
    before = [one for one in siblings if _same_recipient(one, delivery) and _rank(one) < _rank(delivery)]
    pending = [one for one in before if one.state is DeliveryState.PENDING]
    if pending:
        return Judgement(Verdict.WAIT, until=max(one.next_attempt_at for one in pending))
    dead = [one for one in before if one.opening == delivery.opening and one.state is DeliveryState.DEAD]
    if is_end and dead:
        heirs = tuple(one for one in siblings if one.fallback_of == dead[0].key)
        return Judgement(Verdict.HAND_ON, "the opening never arrived here", heirs=heirs)
    return SEND


def told(siblings: Iterable[Delivery], opening: int) -> list[Delivery]:
    """Returns the newest opening that each recipient has heard of or still may, and has not heard the end of.

    Args:
        siblings: every delivery of the incident.
        opening: later ones do not count. An earlier one does: of those of a flapping incident nobody is told.
    """
    newest: dict[tuple[str, str], Delivery] = {}
    for one in siblings:
        if one.opening <= opening and one.state in _HEARD:
            place = (one.channel, one.recipient)
            newest[place] = max(newest.get(place, one), one, key=_rank)
    return [one for one in newest.values() if one.kind is not NoticeKind.RESOLVED]


def tried_channels(delivery: Delivery, siblings: Iterable[Delivery]) -> set[str]:
    """Returns the channels of a delivery and of all it was inherited from; a fall-back never goes back to these."""
    by_key: Mapping[str, Delivery] = {one.key: one for one in siblings}
    tried: set[str] = set()
    one: Delivery | None = delivery
    while one is not None and one.channel not in tried:
        tried.add(one.channel)
        one = by_key.get(one.fallback_of) if one.fallback_of else None
    return tried


def _same_recipient(one: Delivery, other: Delivery) -> bool:
    return one.channel == other.channel and one.recipient == other.recipient


def _rank(delivery: Delivery) -> tuple[int, bool]:
    return delivery.opening, delivery.kind is NoticeKind.RESOLVED
