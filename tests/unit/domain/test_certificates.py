"""What is said of certificates that still work."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.certificates import expiry, first_to_end, judged_by_strength, misplaced_issuer, weakest, weakness
from sentry.domain.result import Certificate, Phase, Reason, Status, TlsEvidence
from sentry.domain.severity import Severity
from sentry.domain.site import Plan
from tests.fakes.results import START, a_certificate, a_good_result

DAYS = (30, 14, 7, 1)


def signed(subject: str, issuer: str) -> Certificate:
    """A certificate of a name, issued by another."""
    return replace(a_certificate(subject=subject), issuer=issuer)


LEAF, LOWER, UPPER = signed("leaf", "lower"), signed("lower", "upper"), signed("upper", "root")
ROOT = signed("root", "root")


@pytest.mark.promise("002-08")
@pytest.mark.parametrize(
    ("left", "days", "severity"),
    [
        (30.01, None, None),
        (30, 30, Severity.SEV4),
        (14.01, 30, Severity.SEV4),
        (14, 14, Severity.SEV3),
        (7, 7, Severity.SEV3),
        (1.01, 7, Severity.SEV3),
        (1, 1, Severity.SEV2),
        (0, 1, Severity.SEV2),
        (-3, 1, Severity.SEV2),
    ],
)
def test_expiry_at_each_threshold_tells_the_least_one_reached(
    left: float, days: int | None, severity: Severity | None
) -> None:
    """Thresholds are reached to the second, and the nearer the end, the worse."""
    found = expiry(START + timedelta(days=left), START, DAYS)
    assert (found.days if found else None) == days
    assert (found.severity if found else None) == severity


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=6),
    st.floats(-10, 400),
    st.floats(0, 100),
)
def test_expiry_as_time_goes_by_never_gets_less_urgent(thresholds: list[int], left: float, later: float) -> None:
    """A threshold once reached stays reached, and only nearer ones replace it."""
    ends_at = START + timedelta(days=left)
    before = expiry(ends_at, START, thresholds)
    after = expiry(ends_at, START + timedelta(days=later), thresholds)
    if before is not None:
        assert after is not None
        assert after.days <= before.days


@pytest.mark.promise("002-08")
@pytest.mark.parametrize(
    ("key", "signature", "why"),
    [
        ("RSA 2048", "sha256WithRSAEncryption", None),
        ("RSA 1024", "sha256WithRSAEncryption", "has a key of RSA 1024"),
        ("EC secp256r1", "ecdsa-with-SHA256", None),
        ("EC secp224r1", "ecdsa-with-SHA256", None),
        ("EC secp192r1", "ecdsa-with-SHA256", "has a key of EC secp192r1"),
        ("EC sect163k1", "ecdsa-with-SHA256", "has a key of EC sect163k1"),
        ("DSA 2048", "dsa-with-sha256", "has a DSA key"),
        ("Ed25519", "ed25519", None),
        ("1.2.3.4", "1.2.3.5", None),
        ("RSA 4096", "md5WithRSAEncryption", "is signed with md5WithRSAEncryption"),
        ("RSA 4096", "sha1WithRSAEncryption", "is signed with sha1WithRSAEncryption"),
        ("EC secp256r1", "ecdsa-with-SHA1", "is signed with ecdsa-with-SHA1"),
    ],
)
def test_weakness_of_key_or_signature_is_named(key: str, signature: str, why: str | None) -> None:
    """Small keys, DSA and broken hashes are weak; what nobody here knows is not accused."""
    assert weakness(replace(a_certificate(), key=key, signature=signature)) == why


def test_weakness_of_a_roots_own_signature_is_none() -> None:
    """Nobody verifies what a root says of itself, so old roots may keep SHA-1."""
    old_root = replace(ROOT, key="RSA 2048", signature="sha1WithRSAEncryption")
    assert weakness(old_root) is None
    assert weakest((LEAF, old_root)) is None
    weak = replace(LOWER, signature="sha1WithRSAEncryption")
    assert weakest((LEAF, weak, old_root)) == (weak, "is signed with sha1WithRSAEncryption")


@pytest.mark.promise("002-08")
@pytest.mark.parametrize(
    ("chain", "misplaced"),
    [
        ((LEAF,), None),
        ((LEAF, LOWER, UPPER), None),
        ((LEAF, LOWER, UPPER, ROOT), None),
        ((LEAF, UPPER, LOWER), LOWER),
        ((LEAF, ROOT, LOWER), LOWER),
        ((LEAF, LEAF, LOWER), LOWER),
        ((LEAF, LOWER, ROOT), None),
        ((LEAF, LOWER, signed("stranger", "nobody")), None),
        ((ROOT, LEAF), None),
    ],
)
def test_misplaced_issuer_is_the_one_sent_out_of_order(
    chain: tuple[Certificate, ...], misplaced: Certificate | None
) -> None:
    """Order is what RFC 5246 asks for; a missing or a superfluous certificate is no disorder."""
    assert misplaced_issuer(chain) == misplaced


def test_first_to_end_may_be_an_intermediate() -> None:
    """The chain lasts as long as its first certificate to end."""
    ending = replace(LOWER, not_after=START + timedelta(days=3))
    assert first_to_end((LEAF, ending, UPPER)) is ending


@pytest.mark.promise("002-08")
@pytest.mark.parametrize(("setting", "status"), [("warn", Status.UP), ("down", Status.DOWN)])
def test_weak_certificate_that_was_accepted_is_down_where_the_plan_says_so(
    setting: Literal["warn", "down"], status: Status
) -> None:
    """The TLS library of the machine may be milder than the promise."""
    weak = replace(LOWER, signature="sha1WithRSAEncryption")
    result = a_good_result()
    shown = replace(result, evidence=replace(result.evidence, tls=TlsEvidence(chain=(LEAF, weak), verified=True)))

    judged = judged_by_strength(shown, Plan(weak_certificate=setting))

    assert judged.status is status
    if status is Status.DOWN:
        assert (judged.reason, judged.failed_phase) == (Reason.TLS_WEAK, Phase.TLS)
        assert judged.detail == "certificate lower is signed with sha1WithRSAEncryption, which is no longer safe"
    assert judged_by_strength(result, Plan(weak_certificate=setting)) is result
