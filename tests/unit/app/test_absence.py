"""The slots of a worker that is gone: each told of once, none invented."""

from hypothesis import given
from hypothesis import strategies as st

from sentry.app.workers.absence import Absence
from sentry.wheel import next_slot, phase_of
from tests.fakes.checks import make_check

NOW = 1_793_610_000.0


def test_slots_since_the_last_seen_one_are_told_of_once() -> None:
    """Three minutes without a worker are three slots, in one piece; a further look finds nothing new."""
    check = make_check("shop/http", interval_s=60)
    seen = next_slot(NOW, phase_of(check.key, 60), 60)
    absence = Absence({check.key: check}, {check.key: seen})
    assert list(absence.passed(seen + 59.9)) == []
    (missed,) = absence.passed(seen + 181)
    assert (missed.check, missed.first, missed.count) == (check, seen + 60, 3)
    assert list(absence.passed(seen + 181)) == []
    assert [(one.first, one.count) for one in absence.passed(seen + 240)] == [(seen + 240, 1)]


def test_check_that_is_gone_has_no_slots() -> None:
    """What was removed by a reload is not missed."""
    assert list(Absence({}, {"shop/http": NOW}).passed(NOW + 1000)) == []


@given(
    intervals=st.lists(st.sampled_from([1, 2, 5, 60, 300]), min_size=1, max_size=5),
    looks=st.lists(st.floats(0.1, 400), min_size=1, max_size=20),
)
def test_every_slot_is_told_of_exactly_once(intervals: list[int], looks: list[float]) -> None:
    """However often one looks, the slots found are those that passed, in their order."""
    checks = {check.key: check for n, s in enumerate(intervals) for check in [make_check(f"s{n}/http", interval_s=s)]}
    absence = Absence(checks, dict.fromkeys(checks, NOW))
    found: dict[str, list[float]] = {key: [] for key in checks}
    end = NOW
    for look in looks:
        end += look
        for missed in absence.passed(end):
            interval_s = missed.check.interval_s
            found[missed.check.key] += [missed.first + n * interval_s for n in range(missed.count)]
    for key, check in checks.items():
        expected, slot = [], next_slot(NOW, phase_of(key, check.interval_s), check.interval_s)
        while slot <= end:
            expected.append(slot)
            slot = next_slot(slot, phase_of(key, check.interval_s), check.interval_s)
        assert [round(at, 3) for at in found[key]] == [round(at, 3) for at in expected]
