from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.own_fault import (
    EXPLAINS,
    SITE_NETWORK_BITS,
    Examination,
    FaultCause,
    OwnFault,
    Voice,
    VoiceKind,
    excused,
    judge,
    network_of,
)
from sentry.domain.result import AGENT_REASONS, Reason, Status
from tests.fakes.checks import START, make_result

NETWORK, RESOLVERS, CLOCK, LOOP = FaultCause
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def anchor(name: str, *, answers: bool, network: str = "") -> Voice:
    return Voice(VoiceKind.ANCHOR, name, network or name, answers)


def resolver(name: str, *, answers: bool, outside: bool = True) -> Voice:
    return Voice(VoiceKind.RESOLVER, name, name, answers, outside)


def gateway(*, answers: bool) -> Voice:
    return Voice(VoiceKind.GATEWAY, "gateway", "gateway", answers, outside=False)


def seen(*voices: Voice, usual: bool = True, **facts: object) -> Examination:
    """An examination of voices that all used to answer, or none of them."""
    names = frozenset(one.name for one in voices) if usual else frozenset[str]()
    return Examination(NOON, NOON, voices, names, **facts)  # type: ignore[arg-type]  # as the test says


A, B = anchor("a", answers=False), anchor("b", answers=False)

CASES: dict[str, tuple[Examination, frozenset[FaultCause]]] = {
    "nobody to ask": (seen(), frozenset()),
    "both anchors silent": (seen(A, B), frozenset({NETWORK})),
    "one anchor of two dead": (seen(A, anchor("b", answers=True)), frozenset()),
    "anchors that have never answered": (seen(A, B, usual=False), frozenset()),
    "two anchors of one network": (
        seen(anchor("a", answers=False, network="n"), anchor("b", answers=False, network="n")),
        frozenset(),
    ),
    "two anchors of one network and the gateway": (
        seen(
            anchor("a", answers=False, network="n"),
            anchor("b", answers=False, network="n"),
            gateway(answers=False),
        ),
        frozenset({NETWORK}),
    ),
    "anchors silent but a site outside answers": (seen(A, B, proved=True), frozenset()),
    "gateway alone silent": (seen(gateway(answers=False)), frozenset()),
    "gateway and the sites silent": (seen(gateway(answers=False), failing_networks=3), frozenset({NETWORK})),
    "gateway that never answered pings": (seen(gateway(answers=False), usual=False, failing_networks=3), frozenset()),
    "all sites silent, nobody else to ask": (seen(failing_networks=6), frozenset({NETWORK})),
    "all sites of one provider silent": (seen(failing_networks=1), frozenset()),
    "sites silent but a resolver outside answers": (
        seen(resolver("r", answers=True), failing_networks=9),
        frozenset(),
    ),
    "sites silent, and only a resolver inside answers": (
        seen(resolver("r", answers=True, outside=False), failing_networks=9),
        frozenset({NETWORK}),
    ),
    "the only resolver dead": (
        seen(resolver("r", answers=False), anchor("a", answers=True)),
        frozenset({RESOLVERS}),
    ),
    "line cut, and with it the resolvers": (
        seen(A, B, resolver("r", answers=False), gateway(answers=False)),
        frozenset({NETWORK}),
    ),
    "one resolver of two newly dead": (
        seen(resolver("r", answers=False), resolver("s", answers=True)),
        frozenset({RESOLVERS}),
    ),
    "one resolver of two known to be dead": (
        seen(resolver("r", answers=False), resolver("s", answers=True), known_silent=frozenset({"r"})),
        frozenset(),
    ),
    "clock set back ten minutes": (seen(clock_jump_s=-600.0), frozenset({CLOCK})),
    "clock slewed a little": (seen(clock_jump_s=0.5), frozenset()),
    "loop stood still": (seen(lag_s=5.0), frozenset({LOOP})),
}


@pytest.mark.parametrize("name", CASES)
def test_judge_of_what_was_seen_names_the_causes(name: str) -> None:
    """The table of the judgement: what was seen, and which faults of ours that proves."""
    examination, causes = CASES[name]

    assert judge(examination) == causes


voices = st.builds(
    Voice,
    st.sampled_from(VoiceKind),
    st.text("abcdef", min_size=1, max_size=2),
    st.sampled_from("nmo"),
    st.booleans(),
    st.booleans(),
)
examinations = st.builds(
    Examination,
    st.just(NOON),
    st.just(NOON),
    st.lists(voices, max_size=6).map(tuple),
    st.frozensets(st.text("abcdef", min_size=1, max_size=2), max_size=6),
    st.booleans(),
    st.integers(0, 12),
)


@given(examinations)
def test_judge_where_anybody_outside_answers_never_accuses_the_network(examination: Examination) -> None:
    """One anchor that answers, or one site, is a way out."""
    heard = examination.proved or any(one.answers for one in examination.voices if one.kind is VoiceKind.ANCHOR)

    assert not (heard and NETWORK in judge(examination))


@given(examinations)
def test_judge_without_a_voter_accuses_nobody(examination: Examination) -> None:
    """Zero voters are no agreement: who never answered is not missed, and no network of sites fails."""
    mute = tuple(one for one in examination.voices if not one.answers)
    nobody = Examination(NOON, NOON, mute, frozenset(), examination.proved, 0)

    assert judge(nobody) == frozenset()


def test_every_cause_explains_failures_and_no_fault_of_the_agent_is_among_them() -> None:
    """What already accuses the agent needs no excuse."""
    assert all(EXPLAINS[cause] and not EXPLAINS[cause] & AGENT_REASONS for cause in FaultCause)


@pytest.mark.parametrize(
    ("begins_s", "takes_s", "is_void"),
    [(-60, 10, False), (-5, 10, True), (30, 1, True), (60, 1, True), (61, 1, False)],
)
def test_fault_voids_the_probes_that_met_it(begins_s: float, takes_s: float, is_void: bool) -> None:  # a case
    """A probe that was under way in any part of the span says nothing of its site."""
    fault = OwnFault(NETWORK, NOON, NOON + timedelta(seconds=60))
    began = NOON + timedelta(seconds=begins_s)

    assert fault.voids(began, takes_s, Reason.CONNECT_TIMEOUT) is is_void
    assert not fault.voids(began, takes_s, Reason.HTTP_SERVER_ERROR)


def test_excused_failure_is_unknown_and_says_what_was_seen() -> None:
    """The raw evidence stays: which failure it was, and that it was ours."""
    failed = make_result(Status.DOWN, reason=Reason.CONNECT_TIMEOUT)

    result = excused(failed, [OwnFault(NETWORK, START)])

    assert (result.status, result.reason) == (Status.UNKNOWN, Reason.AGENT_NETWORK)
    assert "connect_timeout as the test says" in result.detail
    assert excused(make_result(Status.UP), [OwnFault(NETWORK, START)]).status is Status.UP


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("9.9.9.9:443", "9.9.0.0/16"),
        ("9.9.9.9", "9.9.0.0/16"),
        ("[2620:fe::fe]:443", "2620:fe::/32"),
        ("2620:fe::fe", "2620:fe::/32"),
        ("127.0.0.1:80", None),
        ("192.168.1.1:80", None),
        ("no address", None),
        (None, None),
    ],
)
def test_network_of_an_address_is_none_inside(address: str | None, network: str | None) -> None:
    """What answers on this machine or in its own network proves no way out."""
    assert network_of(address, SITE_NETWORK_BITS) == network
