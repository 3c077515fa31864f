"""Which sites fail together."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.grouping import (
    TOGETHER,
    Sighting,
    Tally,
    Trait,
    TraitKind,
    Wanted,
    count,
    failing_traits,
    groups,
    server_of,
    standing_traits,
    undecided,
)
from sentry.domain.result import Evidence, Reason, Status
from tests.fakes.checks import make_check, make_result
from tests.fakes.failure_reports import expired_result, good_result

SINCE = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
BEFORE, AFTER = SINCE - timedelta(seconds=20), SINCE + timedelta(seconds=20)
LATER = SINCE + timedelta(seconds=40)
SERVER = Trait(TraitKind.ADDRESS, "203.0.113.7")


def server(number: int) -> Trait:
    return Trait(TraitKind.ADDRESS, f"203.0.113.{number}")


def seen(site: int, trait: Trait, *, fails: bool) -> Sighting:
    """A site that fails since the beginning, or answered after it."""
    return Sighting(
        f"s{site}",
        frozenset({trait}),
        failed_at=SINCE if fails else None,
        answered_at=BEFORE if fails else AFTER,
        bad_at=LATER if fails else None,
    )


def counted(sightings: Iterable[Sighting]) -> dict[Trait, Tally]:
    """How the sites of each trait fared, in the order of the traits."""
    by_trait: dict[Trait, list[Sighting]] = {}
    for sighting in sightings:
        for trait in sighting.traits:
            by_trait.setdefault(trait, []).append(sighting)
    return {trait: count(found, SINCE) for trait, found in by_trait.items()}


SITES = st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=60)
"""Each site's server, and whether it fails."""


@given(SITES, st.integers(2, 5), st.randoms())
def test_group_holds_the_failing_sites_of_one_trait_of_which_nearly_none_answers(
    sites: list[tuple[int, bool]], fewest: int, chance: random.Random
) -> None:
    """No site is in two groups, none is told to be down that answers, and the order of the sites does not matter."""
    sightings = [seen(number, server(place), fails=fails) for number, (place, fails) in enumerate(sites)]
    found = groups(counted(sightings), fewest)

    members = [site for group in found for site in group.sites]
    assert len(members) == len(set(members))
    for group in found:
        fared = {f"s{number}": fails for number, (place, fails) in enumerate(sites) if server(place) == group.trait}
        failing = {site for site, fails in fared.items() if fails}
        assert group.sites == failing
        assert len(failing) >= fewest
        assert (len(fared) - len(failing)) * 10 <= len(failing)
    chance.shuffle(sightings)
    assert groups(counted(sightings), fewest) == found


@given(st.integers(3, 80), st.integers(0, 80), st.integers(0, 3))
def test_dead_server_is_one_group_whatever_else_fails(dead: int, sound: int, lone: int) -> None:
    """Sites that fail for reasons of their own on servers that answer are in no group."""
    sightings = [seen(number, server(1), fails=True) for number in range(dead)]
    sightings += [seen(100 + number, server(2), fails=number < lone) for number in range(sound + lone)]
    found = groups(counted(sightings), 3)

    assert found[0].trait == server(1) or lone >= dead
    assert {site for group in found for site in group.sites} >= {f"s{number}" for number in range(dead)}
    if sound >= 1:
        assert all(group.trait == server(1) for group in found)


def test_host_with_two_addresses_is_one_group() -> None:
    """The trait that explains the most is the one that is told; what it explains is in no other group."""
    host = Trait(TraitKind.HOST, "web1")
    sightings = [Sighting(f"s{number}", frozenset({host, server(number % 2)}), SINCE, BEFORE) for number in range(10)]
    found = groups(counted(sightings), 3)
    assert [(group.trait, len(group.sites)) for group in found] == [(host, 10)]


@pytest.mark.parametrize(
    ("failed_at", "answered_at", "place"),
    [
        (SINCE, BEFORE, "failing"),
        (AFTER, BEFORE, "failing"),
        (BEFORE, None, "failing"),
        (AFTER, AFTER + timedelta(seconds=30), "failing"),
        (BEFORE, AFTER, "answering"),
        (SINCE - TOGETHER - timedelta(seconds=1), None, "unseen"),
        (None, AFTER, "answering"),
        (None, BEFORE, "unseen"),
        (None, None, "unseen"),
    ],
    ids=["now", "later", "earlier", "recovered", "answered", "long-ago", "well", "not-yet", "never"],
)
def test_site_fared_as_its_newest_failure_and_its_newest_answer_say(
    failed_at: datetime | None, answered_at: datetime | None, place: str
) -> None:
    """Who failed in the same while belongs to it, also when it is back; who was not looked at says nothing."""
    sighting = Sighting("s", frozenset({SERVER}), failed_at, answered_at)
    other = seen(1, SERVER, fails=True)
    tally = count([sighting, other], SINCE)
    tally.failing.remove("s1")
    assert [name for name in ("failing", "answering", "unseen") if getattr(tally, name)] == [place]


def test_site_with_one_failing_check_of_several_counts_as_failing() -> None:
    """A site is one site, however many checks it has."""
    sightings = [seen(1, SERVER, fails=True), seen(1, SERVER, fails=False)] * 3
    assert count(sightings, SINCE) == Tally(failing={"s1"})


def test_site_that_is_back_fails_no_longer_with_those_that_still_do() -> None:
    """Who joins a group later joins those that are down now, and not those that were."""
    back = Sighting("s1", frozenset({SERVER}), SINCE, AFTER)
    long_down = Sighting("s2", frozenset({SERVER}), SINCE - 10 * TOGETHER, bad_at=LATER, fails=True)
    assert count([back, long_down], SINCE, lasting=True) == Tally(failing={"s2"}, answering={"s1"})


def test_site_that_answers_once_the_others_fail_no_more_says_nothing_of_what_they_share() -> None:
    """A server that was re-booted answers everybody who comes later, and was dead all the same."""
    late = Sighting("late", frozenset({SERVER}), answered_at=LATER + timedelta(seconds=1))
    dead = [seen(number, SERVER, fails=True) for number in range(3)]
    assert count([*dead, late], SINCE) == Tally({"s0", "s1", "s2"}, unseen={"late"})


@pytest.mark.parametrize(
    ("failing", "answering", "unseen", "expected"),
    [(1, 0, 79, False), (2, 0, 1, True), (2, 0, 0, False), (2, 1, 77, True), (2, 40, 38, False), (3, 0, 0, True)],
)
def test_failure_is_worth_a_wait_only_while_a_group_may_come_of_it(
    failing: int, answering: int, unseen: int, *, expected: bool
) -> None:
    """Nobody waits for a page because of neighbours that have been seen to answer, or that are too few."""
    fared = [
        {f"{name}{number}" for number in range(count)}
        for name, count in zip("fau", (failing, answering, unseen), strict=True)
    ]
    assert undecided({SERVER: Tally(*fared)}, {SERVER}, 3) is expected


def test_traits_of_a_failure_to_resolve_are_about_the_name_alone() -> None:
    """The server of a name that is not found has done nothing wrong."""
    check = replace(make_check(url="https://www.shop.example/"), host="web1")
    failed = make_result(Status.DOWN, reason=Reason.DNS_SERVER_FAILURE)
    assert failing_traits(check, failed, good_result()) == {
        Trait(TraitKind.ZONE, "shop.example"),
        Trait(TraitKind.RESOLUTION, ""),
    }


def test_traits_of_a_failed_certificate_name_it() -> None:
    """Sites on several servers may share one certificate, which expires for all."""
    traits = failing_traits(make_check(), expired_result(), None)
    assert traits == {SERVER, Trait(TraitKind.CERTIFICATE, "ab" * 32)}


def test_traits_of_a_failure_without_an_address_are_those_of_the_last_good_probe() -> None:
    """A probe that was stopped before it connected says nothing of where the site stands; the last good one does."""
    failed = make_result(Status.DOWN, reason=Reason.CONNECT_TIMEOUT)
    assert failing_traits(replace(make_check(), host="web1"), failed, good_result()) == {
        SERVER,
        Trait(TraitKind.HOST, "web1"),
    }


TRAITS = st.builds(
    Trait,
    st.sampled_from(TraitKind),
    st.sampled_from(
        ["web1", "203.0.113.7", "203.0.113.70", "2001:db8::7", "127.0.0.1:80", "ab" * 32, "shop.example", ""]
    ),
)


@given(
    st.sets(TRAITS, max_size=4),
    st.sampled_from(["", "web1", "web2"]),
    st.sampled_from(["203.0.113.7:443", "203.0.113.70", "[2001:db8::7]:443", "127.0.0.1:80", None]),
)
def test_check_that_is_passed_over_has_none_of_the_traits_looked_for(
    traits: set[Trait], host: str, address: str | None
) -> None:
    """The short look may find too much, never too little."""
    check = replace(make_check(), host=host)
    good = replace(expired_result(), evidence=replace(expired_result().evidence, address=address))
    if not Wanted(traits).may_be_of(check, good):
        assert not standing_traits(check, good) & traits


@pytest.mark.parametrize("url", ["http://203.0.113.7/", "http://[2001:db8::7]/", "http://localhost/"])
def test_traits_of_a_check_by_address_do_not_depend_on_names(url: str) -> None:
    """What is reached by its address needs no resolution."""
    good = replace(good_result(), evidence=Evidence())
    assert standing_traits(make_check(url=url), good) == set()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7:443", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("[::1]:8080", "[::1]:8080"),
        ("", ""),
    ],
)
def test_server_is_an_address_without_its_port_but_on_this_machine(address: str, expected: str) -> None:
    """All ports of a server stand and fall together; those of a loopback address may be tunnels to anywhere."""
    assert server_of(address) == expected
