"""The rules of delivery by themselves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.delivery import Verdict, back_off_s, judge, retry_at, thread_key, told, tried_channels
from sentry.domain.notice import Delivery, DeliveryState, NoticeKind
from tests.fakes.failure_reports import error_result, incident_of

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def delivery(
    kind: NoticeKind = NoticeKind.OPENED,
    *,
    opening: int = 1,
    channel: str = "mail",
    state: DeliveryState = DeliveryState.PENDING,
    fallback_of: str | None = None,
) -> Delivery:
    return Delivery(
        key=f"17:{opening}:{kind}:{channel}:",
        incident_id=17,
        opening=opening,
        kind=kind,
        channel=channel,
        recipient="",
        state=state,
        created_at=NOW,
        next_attempt_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        fallback_of=fallback_of,
    )


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_back_off_always_lies_between_half_and_whole_of_its_step(attempts: int, jitter: float) -> None:
    """The random half keeps messages that failed together apart; no waiting is longer than five minutes."""
    longest = min(300.0, 5.0 * 2.0 ** min(attempts - 1, 20))
    assert longest / 2 <= back_off_s(attempts, jitter) <= longest


@given(
    st.integers(1, 50),
    st.floats(0, 1, exclude_max=True),
    st.one_of(st.none(), st.floats(0, 1e12)),
    st.integers(-10, 7200),
)
def test_next_attempt_is_never_after_the_expiry(
    attempts: int, jitter: float, wish: float | None, into_s: int
) -> None:
    """A message gets its last attempt at the moment of expiry at the latest; from then on there is none."""
    now = NOW + timedelta(seconds=into_s)
    one = replace(delivery(), attempts=attempts)
    again = retry_at(one, now, jitter, wish)
    if now >= one.expires_at:
        assert again is None
    else:
        assert again is not None
        assert now < again <= one.expires_at
        assert again - now <= timedelta(seconds=900)


def test_judge_end_behind_a_pending_opening_waits_for_it() -> None:
    """The order of messages to one recipient is kept."""
    opening, end = delivery(), delivery(NoticeKind.RESOLVED)
    verdict = judge(end, [opening, end], incident_of(error_result()))
    assert verdict.verdict is Verdict.WAIT
    assert verdict.until == opening.next_attempt_at


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.CANCELLED])
def test_judge_end_behind_a_settled_opening_is_sent(state: DeliveryState) -> None:
    """Nothing to wait for."""
    end = delivery(NoticeKind.RESOLVED)
    assert judge(end, [delivery(state=state), end], incident_of(error_result())).verdict is Verdict.SEND


def test_judge_end_of_a_dead_opening_is_handed_to_its_heirs() -> None:
    """Who got the opening instead gets the end instead."""
    dead = delivery(state=DeliveryState.DEAD)
    heir = delivery(channel="chat", state=DeliveryState.SENT, fallback_of=dead.key)
    end = delivery(NoticeKind.RESOLVED)
    judgement = judge(end, [dead, heir, end], incident_of(error_result()))
    assert (judgement.verdict, judgement.heirs) == (Verdict.HAND_ON, (heir,))


def test_judge_end_overtaken_by_a_new_opening_is_cancelled() -> None:
    """It would say that something is over which is not."""
    end = delivery(NoticeKind.RESOLVED)
    assert judge(end, [end], incident_of(error_result(), opening=2)).verdict is Verdict.CANCEL


def test_told_counts_who_has_it_or_may_still_get_it() -> None:
    """Dead and cancelled openings reached nobody; who has the end, and openings after it, do not count."""
    sent, pending = delivery(state=DeliveryState.SENT), delivery(channel="chat")
    others = [
        delivery(channel="sms", state=DeliveryState.DEAD),
        delivery(channel="fax", state=DeliveryState.CANCELLED),
        delivery(channel="desk"),
        delivery(NoticeKind.RESOLVED, channel="desk"),
        delivery(NoticeKind.REOPENED, opening=2),
    ]
    assert told([sent, pending, *others], 1) == [sent, pending]


def test_told_of_an_earlier_opening_counts_where_later_ones_were_silent() -> None:
    """Those who heard that a site flaps are owed its end, whichever opening it ends."""
    heard = delivery(NoticeKind.REOPENED, opening=4, state=DeliveryState.SENT)
    first = [delivery(state=DeliveryState.SENT), delivery(NoticeKind.RESOLVED, state=DeliveryState.SENT)]
    assert told([*first, heard], 40) == [heard]
    assert told(first, 40) == []


def test_tried_channels_follows_the_line_of_inheritance_and_ends_in_a_circle() -> None:
    """Every channel that this message was on, also where the rows are a circle."""
    mail = delivery(fallback_of="17:1:opened:chat:")
    chat = delivery(channel="chat", fallback_of=mail.key)
    sms = delivery(channel="sms", fallback_of=chat.key)
    assert tried_channels(sms, [mail, chat, sms]) == {"sms", "chat", "mail"}


def test_thread_key_is_the_first_opening_of_the_same_recipient() -> None:
    """All messages of an incident to one recipient hang on the first."""
    assert thread_key(delivery(NoticeKind.RESOLVED, opening=3)) == "17:1:opened:mail:"
