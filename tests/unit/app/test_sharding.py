"""Which worker gets which check: evenly, for good, and with the cap of a host kept over all workers together."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.app.workers.sharding import shards, share
from sentry.domain.site import Check
from tests.fakes.checks import make_check


def checks_of(count: int, *, hosts: int = 0, host_cap: int = 8) -> list[Check]:
    """So many checks, each on a host of its own or spread over so many."""
    return [
        make_check(f"site{number}/http", host_group=f"host{number % hosts if hosts else number}", host_cap=host_cap)
        for number in range(count)
    ]


def homes(checks: list[Check], workers: int) -> dict[str, int]:
    """The worker of each check."""
    return {check.key: number for number, part in enumerate(shards(checks, workers)) for check in part}


@pytest.mark.promise("001-29")
@pytest.mark.parametrize("workers", [2, 3, 8])
@pytest.mark.parametrize("hosts", [0, 1, 40])
def test_ten_thousand_checks_are_spread_evenly(workers: int, hosts: int) -> None:
    """No worker has more than a tenth above its part, also where all sites stand on one server."""
    sizes = [len(part) for part in shards(checks_of(10_000, hosts=hosts), workers)]
    assert sum(sizes) == 10_000
    assert max(sizes) < 1.1 * 10_000 / workers


def test_hosts_with_a_cap_of_one_are_spread_evenly() -> None:
    """A host that may be asked by one probe at a time belongs to one worker, and hosts spread over all."""
    parts = shards(checks_of(2000, hosts=500, host_cap=1), 4)
    owners = Counter(check.host_group for part in parts for check in {c.host_group: c for c in part}.values())
    assert set(owners.values()) == {1}
    assert max(len(part) for part in parts) < 1.2 * 500


def test_adding_and_removing_checks_moves_no_other() -> None:
    """A reload reshuffles nothing that did not change."""
    checks = checks_of(1000, hosts=50)
    before = homes(checks, 4)
    after = homes([*checks[100:], *(make_check(f"new{number}/http") for number in range(300))], 4)
    assert all(after[check.key] == before[check.key] for check in checks[100:])


def test_changing_a_check_moves_it_nowhere() -> None:
    """Only the key decides: an interval, a plan or another address leave a check where it is."""
    checks = checks_of(200)
    changed = [replace(check, interval_s=5, url="http://other.example/") for check in checks]
    assert homes(checks, 3) == homes(changed, 3)


@given(
    caps=st.lists(st.integers(1, 20), min_size=1, max_size=12),
    workers=st.integers(1, 9),
    count=st.integers(1, 80),
)
def test_cap_of_a_host_holds_over_all_workers(caps: list[int], workers: int, count: int) -> None:
    """What the workers may ask of a host at once adds up to no more than its cap, and each can ask at all."""
    checks = [
        make_check(f"s{number}/http", host_group=f"h{number % len(caps)}", host_cap=caps[number % len(caps)])
        for number in range(count)
    ]
    asked: Counter[str] = Counter()
    for part in shards(checks, workers):
        for host, cap in {check.host_group: check.host_cap for check in part}.items():
            assert cap >= 1
            assert {check.host_cap for check in part if check.host_group == host} == {cap}
            asked[host] += cap
    assert all(asked[f"h{number}"] <= cap for number, cap in enumerate(caps))


def test_one_worker_gets_every_check_as_it_is() -> None:
    """Nothing changes with one worker, down to the objects."""
    checks = checks_of(20)
    (part,) = shards(checks, 1)
    assert all(one is other for one, other in zip(part, checks, strict=True))


@given(total=st.integers(1, 10_000), of=st.integers(1, 64))
def test_shares_are_equal_and_add_up(total: int, of: int) -> None:
    """Parts of a whole differ by at most one."""
    parts = [share(total, number, of) for number in range(of)]
    assert sum(parts) == total
    assert max(parts) - min(parts) <= 1
