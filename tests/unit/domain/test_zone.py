"""When the records of a zone have drifted."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.zone import STABLE_FOR, RecordState, next_state, spelled
from tests.fakes.results import START

OLD, NEW, NEWER = ("ns1.",), ("ns9.",), ("ns8.",)
HOUR = timedelta(hours=1)


def test_first_look_is_what_shall_be() -> None:
    """Nothing is known before it, so nothing has changed."""
    assert next_state(None, OLD, START, accepted=False) == RecordState(OLD, OLD, START)


@pytest.mark.parametrize(("hours", "drifts"), [(1, True), (24 * 7 - 1, True), (24 * 7, False)])
def test_change_drifts_until_it_has_been_so_for_a_week(hours: int, drifts: bool) -> None:
    """What nobody takes back for a week is how it shall be."""
    changed = next_state(RecordState(OLD, OLD, START), NEW, START, accepted=False)
    assert changed == RecordState(OLD, NEW, START)
    assert next_state(changed, NEW, START + hours * HOUR, accepted=False).drifts is drifts


def test_change_that_is_accepted_or_taken_back_drifts_no_more() -> None:
    """A person has seen it, or it was undone."""
    changed = RecordState(OLD, NEW, START)
    assert next_state(changed, NEW, START + HOUR, accepted=True) == RecordState(NEW, NEW, START + HOUR)
    assert next_state(changed, OLD, START + HOUR, accepted=False) == RecordState(OLD, OLD, START + HOUR)
    assert next_state(changed, NEWER, START + HOUR, accepted=True) == RecordState(OLD, NEWER, START + HOUR)


@given(st.lists(st.tuples(st.sampled_from([OLD, NEW, NEWER]), st.integers(1, 200)), max_size=20))
def test_drift_ends_only_by_return_or_by_a_week(looks: list[tuple[tuple[str, ...], int]]) -> None:
    """Whatever is seen in between, the base changes only to what has stood for a week."""
    state, now = RecordState(OLD, OLD, START), START
    for found, hours in looks:
        before, now = state, now + hours * HOUR
        state = next_state(before, found, now, accepted=False)
        assert state.seen == found
        if state.base != before.base:
            assert found == before.seen
            assert now - before.since >= STABLE_FOR
    assert RecordState.of_facts(state.facts()) == state


def test_configured_records_are_spelled_as_the_dns_does() -> None:
    """People write names without the last dot, in any order and case."""
    assert spelled("NS", ["NS2.example.com", "ns1.example.com."]) == ("ns1.example.com.", "ns2.example.com.")
    assert spelled("MX", ["10  Mail.example.com"]) == ("10 mail.example.com.",)
    assert spelled("CAA", ['0 issue "letsencrypt.org"']) == ('0 issue "letsencrypt.org"',)
