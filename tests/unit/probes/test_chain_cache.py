"""What is remembered of a verified chain, and for how long."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography.hazmat.primitives.serialization import Encoding

from probes.tls_library import StandardContext, TlsContext
from probes.tls_verified import MAX_NAMES, SPREAD, VerifiedChains
from tests.fakes.clock import ManualClock
from tests.integration.authority import Authority, Identity

ROOT = Authority.root("Trusted Root")
INTERMEDIATE = ROOT.intermediate("Trusted Intermediate")
LIGHT = StandardContext(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
LIFE_S = 1000.0


def ders(identity: Identity) -> tuple[bytes, ...]:
    """The chain as the server sends it."""
    return tuple(one.public_bytes(Encoding.DER) for one in (identity.certificate, *identity.intermediates))


def path(identity: Identity) -> tuple[bytes, ...]:
    """The chain as it is verified."""
    return (*ders(identity), ROOT.certificate.public_bytes(Encoding.DER))


def remembering(clock: ManualClock, context: TlsContext | None = LIGHT) -> VerifiedChains:
    def shortcut(_verified: Sequence[bytes]) -> TlsContext | None:
        return context

    return VerifiedChains(clock, LIFE_S, shortcut)


def present() -> ManualClock:
    return ManualClock(datetime.now(UTC))


SHOP = INTERMEDIATE.leaf("shop.test")


def test_memory_of_a_name_not_verified_has_no_short_way() -> None:
    """The first probe of a name always verifies in full, and so does that of another name of the same certificate."""
    chains = remembering(present())
    assert chains.way("shop.test") is None
    chains.verified("shop.test", ders(SHOP), path(SHOP))
    assert chains.way("www.shop.test") is None
    assert chains.way("shop.test.") is None


def test_memory_of_a_verified_chain_knows_that_chain_only() -> None:
    """Another leaf, another order, a missing or a further certificate is another chain."""
    chains = remembering(present())
    chains.verified("shop.test", ders(SHOP), path(SHOP))
    memory = chains.way("shop.test")
    assert memory is not None
    assert memory.context is LIGHT
    leaf, above = ders(SHOP)
    assert memory.is_of([leaf, above])
    for other in ([above, leaf], [leaf], [leaf, above, above], [], [leaf, above[:-1]], list(path(SHOP))):
        assert not memory.is_of(other)
    assert not memory.is_of(ders(INTERMEDIATE.leaf("shop.test")))


async def test_memory_ends_with_its_life() -> None:
    """After its life, and not later, the chain is verified in full again; the lives of names differ a little."""
    clock = present()
    chains = remembering(clock)
    chains.verified("shop.test", ders(SHOP), path(SHOP))
    await clock.advance(LIFE_S * (1 - SPREAD) - 1)
    assert chains.way("shop.test") is not None
    await clock.advance(LIFE_S * SPREAD + 1)
    assert chains.way("shop.test") is None


def test_memory_ends_with_the_validity_of_any_certificate_of_the_path() -> None:
    """Once the leaf, the intermediate or the root has expired, the short way is closed within the memory's life."""
    soon, late = (-1.0, 0.005), (-1.0, 90.0)  # days; the first is 432 s
    for leaf_days, intermediate_days, root_days in (
        (soon, late, late),
        (late, soon, late),
        (late, late, soon),
    ):
        root = Authority.root(days=root_days)
        leaf = root.intermediate(days=intermediate_days).leaf("shop.test", days=leaf_days)
        clock = present()
        chains = remembering(clock)
        chains.verified("shop.test", ders(leaf), (*ders(leaf), root.certificate.public_bytes(Encoding.DER)))
        clock.jump(420)
        assert chains.way("shop.test") is not None
        clock.jump(15)
        assert chains.way("shop.test") is None


def test_memory_is_of_no_use_before_the_certificates_begin() -> None:
    """A clock that is set back behind the beginning of a certificate closes the short way until it is right."""
    clock = present()
    chains = remembering(clock)
    chains.verified("shop.test", ders(SHOP), path(SHOP))
    clock.jump(-2 * 86_400)
    assert chains.way("shop.test") is None
    clock.jump(2 * 86_400)
    assert chains.way("shop.test") is not None


async def test_doubt_sends_a_name_the_long_way_for_a_whole_life() -> None:
    """After a doubt full verifications open no short way before a life has passed, then they do."""
    clock = present()
    chains = remembering(clock)
    chains.verified("shop.test", ders(SHOP), path(SHOP))
    chains.doubt("shop.test")
    assert chains.way("shop.test") is None
    chains.verified("shop.test", ders(SHOP), path(SHOP))
    await clock.advance(LIFE_S - 1)
    assert chains.way("shop.test") is None
    await clock.advance(2)
    assert chains.way("shop.test") is None
    chains.verified("shop.test", ders(SHOP), path(SHOP))
    assert chains.way("shop.test") is not None


def test_memory_without_a_short_way_stays_on_the_long_one() -> None:
    """Where no cheaper way exists for a root, or a certificate cannot be read, every probe verifies in full."""
    chains = remembering(present(), context=None)
    chains.verified("shop.test", ders(SHOP), path(SHOP))
    assert chains.way("shop.test") is None
    unread = remembering(present())
    unread.verified("shop.test", (b"no certificate",), (b"no certificate",))
    assert unread.way("shop.test") is None
    unread.verified("other.test", ders(SHOP), ())
    assert unread.way("other.test") is None


def test_memory_of_many_names_forgets_the_oldest() -> None:
    """Redirects to ever new names do not make it grow; the name asked last is there."""
    chains = remembering(present())
    for number in range(MAX_NAMES + 5):
        chains.verified(f"shop{number}.test", ders(SHOP), path(SHOP))
    known = [number for number in range(MAX_NAMES + 5) if chains.way(f"shop{number}.test") is not None]
    assert known == list(range(5, MAX_NAMES + 5))
