from hypothesis import given
from hypothesis import strategies as st

from probes.turns import MAX_NAMES, Turns

FOUR = ("192.0.2.4", "192.0.2.1", "192.0.2.3", "192.0.2.2")


def order(turns: Turns, addresses: tuple[str, ...] = FOUR) -> list[str]:
    return list(turns.order("site.test", 80, addresses))


@given(st.permutations(FOUR), st.integers(1, 12))
def test_turns_whatever_the_resolver_puts_first_each_address_is_first_in_its_turn(
    given_order: list[str], rounds: int
) -> None:
    """Also where the resolver turns its answers itself."""
    turns = Turns()
    for number in range(rounds):
        tried = order(turns, tuple(given_order[number % 4 :] + given_order[: number % 4]))
        assert tried[0] == sorted(FOUR)[number % 4]
        assert sorted(tried) == sorted(FOUR)


def test_turns_dead_address_comes_first_until_it_is_mended() -> None:
    """What a dead one says of the site must not depend on whose turn it is."""
    turns = Turns()
    order(turns)
    turns.note("site.test", 80, {"192.0.2.3": "refused"})
    assert [order(turns)[0] for _ in range(5)] == ["192.0.2.3"] * 5
    turns.note("site.test", 80, {})
    assert {order(turns)[0] for _ in range(4)} == set(FOUR)


def test_turns_family_that_the_resolver_prefers_stays_first() -> None:
    """Which of IPv4 and IPv6 this machine should use, the resolver knows."""
    turns = Turns()
    both = ("2001:db8::2", "2001:db8::1", "192.0.2.1")
    assert [order(turns, both)[0] for _ in range(3)] == ["2001:db8::1", "2001:db8::2", "2001:db8::1"]
    assert order(turns, both)[-1] == "192.0.2.1"


def test_turns_one_address_has_none_and_names_are_bounded() -> None:
    """A site that redirects to ever new names must not make the agent grow."""
    turns = Turns()
    assert turns.order("one.test", 80, ("192.0.2.1",)) == ("192.0.2.1",)
    for number in range(MAX_NAMES + 10):
        turns.order(f"{number}.test", 80, FOUR)
    assert len(turns._turns) == MAX_NAMES
