"""The order of versions, as PHP, Composer and npm have it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanners.components.versions import Ecosystem, version_key

NUMBERS = st.lists(st.integers(0, 3_000), min_size=1, max_size=4)
ANYTHING = st.one_of(st.text(max_size=30), st.from_regex(r"v?[0-9]+(\.[0-9a-z]+){0,4}(-[a-z0-9.]+)?", fullmatch=True))
ECOSYSTEMS = st.sampled_from(list(Ecosystem))

RISING = {
    # From the manual of version_compare: any string < dev < alpha = a < beta = b < RC = rc < # < pl = p.
    Ecosystem.WORDPRESS_PLUGIN: (
        *("1.0-odd", "1.0-dev", "1.0-alpha1", "1.0b2", "1.0-RC1", "1.0", "1.0pl1"),
        *("1.0.0.0.1", "1.0.0.1", "1.0.2", "1.0.10", "1.2-beta", "1.2", "5.9.9", "2021.03.01"),
    ),
    Ecosystem.PACKAGIST: (
        *("v1.0.0-dev", "1.0.0-alpha.1", "1.0.0-alpha2", "v1.0.0-beta1", "1.0.0-RC1", "1.0.0-rc2", "1.0.0"),
        *("1.0.0-patch1", "1.0.1", "v1.0.10", "1.10.0"),
    ),
    # From semver.org, section 11.
    Ecosystem.NPM: (
        *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"),
        *("1.0.0-rc.1", "1.0.0", "2.0.0", "2.1.0", "2.1.1", "10.0.0"),
    ),
}
EQUAL = (
    (Ecosystem.WORDPRESS_PLUGIN, "1.0-alpha1", "1.0a1"),
    (Ecosystem.WORDPRESS_PLUGIN, "1.0-RC1", "1.0.rc.1"),
    (Ecosystem.WORDPRESS_PLUGIN, "3.2", "3.2.0"),
    (Ecosystem.WORDPRESS_CORE, "6.1", "6.1.0.0"),
    (Ecosystem.PACKAGIST, "v1.2", "1.2.0"),
    (Ecosystem.PACKAGIST, "1.0.0-b1", "1.0.0-beta.1"),
    (Ecosystem.PACKAGIST, "1.0.0+build", "1.0.0"),
    (Ecosystem.NPM, "1.0.0+build.1", "1.0.0+build.2"),
    (Ecosystem.NPM, "v1.2", "1.2.0"),
)
NOT_IN_ORDER = (
    (Ecosystem.WORDPRESS_PLUGIN, ""),
    (Ecosystem.WORDPRESS_PLUGIN, "trunk"),
    (Ecosystem.PACKAGIST, "dev-master"),
    (Ecosystem.PACKAGIST, "2.1.x-dev"),
    (Ecosystem.NPM, "github:someone/something"),
)


@pytest.mark.parametrize("ecosystem", RISING)
def test_versions_of_the_specifications_rise(ecosystem: Ecosystem) -> None:
    """Each is later than the one before it."""
    for earlier, later in pairwise(RISING[ecosystem]):
        first, second = version_key(ecosystem, earlier), version_key(ecosystem, later)
        assert first is not None
        assert second is not None
        assert first < second, (earlier, later)


@pytest.mark.parametrize(("ecosystem", "one", "other"), EQUAL)
def test_versions_that_are_the_same_are_equal(ecosystem: Ecosystem, one: str, other: str) -> None:
    """However they are written."""
    assert version_key(ecosystem, one) == version_key(ecosystem, other)


@pytest.mark.parametrize(("ecosystem", "version"), NOT_IN_ORDER)
def test_what_has_no_place_among_versions_has_no_key(ecosystem: Ecosystem, version: str) -> None:
    """A branch is no version; nobody guesses."""
    assert version_key(ecosystem, version) is None


@given(ECOSYSTEMS, NUMBERS, NUMBERS)
def test_plain_versions_are_ordered_as_their_numbers(ecosystem: Ecosystem, one: list[int], other: list[int]) -> None:
    """In every ecosystem; a missing number is nought. npm has three of them."""
    length = 3 if ecosystem is Ecosystem.NPM else 4
    padded = [(numbers + [0] * 4)[:length] for numbers in (one, other)]
    keys = [version_key(ecosystem, ".".join(map(str, numbers))) for numbers in (one, other)]
    assert keys[0] is not None
    assert keys[1] is not None
    assert (keys[0] < keys[1]) is (padded[0] < padded[1])
    assert (keys[0] == keys[1]) is (padded[0] == padded[1])


@given(ECOSYSTEMS, NUMBERS, st.sampled_from(["alpha", "beta", "rc"]), st.integers(0, 99))
def test_what_comes_before_a_release_is_below_it(
    ecosystem: Ecosystem, numbers: list[int], form: str, count: int
) -> None:
    """A hole that 2.0 mends is still in 2.0-rc1."""
    release = ".".join(map(str, [*numbers, 0, 0][:3]))
    before, after = version_key(ecosystem, f"{release}-{form}{count}"), version_key(ecosystem, release)
    assert before is not None
    assert after is not None
    assert before < after


@given(ECOSYSTEMS, ANYTHING, ANYTHING, ANYTHING)
def test_order_is_an_order(ecosystem: Ecosystem, first: str, second: str, third: str) -> None:
    """Whatever a stranger writes as a version: two keys can always be compared, and the order is transitive."""
    keys = [key for one in (first, second, third) if (key := version_key(ecosystem, one)) is not None]
    ordered = sorted(keys)
    assert all(not later < earlier for earlier, later in pairwise(ordered))
