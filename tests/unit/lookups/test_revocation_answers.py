"""What an answer of an authority is worth: whose it is, of when, and about which certificate."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, HashAlgorithm
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.errors import LookupFailed
from sentry.domain.revocation import RevocationState
from sentry.lookups import crl, ocsp
from tests.integration.authority import Authority
from tests.integration.revoking import Revoking, Signer, delegate, now

ROOT = Authority.root("Issuing Root")
STRANGER = Authority.root("Issuing Root")
PLACE = "http://authority.test/list.crl"
LEAF, OTHER = ROOT.leaf("shop.test").certificate, ROOT.leaf("other.test").certificate
ISSUER = ROOT.certificate


def rsa_root() -> Authority:
    """A root with an RSA key, as most public ones have."""
    made = Authority.root("RSA Root")
    key = rsa.generate_private_key(65_537, 2048)
    builder = (
        x509.CertificateBuilder()
        .subject_name(made.certificate.subject)
        .issuer_name(made.certificate.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=9))
    )
    return replace(made, certificate=builder.sign(key, SHA256()), key=key)


@pytest.mark.promise("002-08")
@pytest.mark.parametrize("authority", [ROOT, rsa_root()], ids=["EC", "RSA"])
@pytest.mark.parametrize("hashed", [SHA1(), SHA256(), SHA384()], ids=["sha1", "sha256", "sha384"])  # noqa: S303  # names the issuer
def test_ocsp_answer_of_the_issuer_is_believed(authority: Authority, hashed: HashAlgorithm) -> None:
    """Good and revoked, with keys of both kinds, whatever the issuer is named by."""
    good, bad = authority.leaf("shop.test").certificate, authority.leaf("shop.test").certificate
    revoking = Revoking(authority, [bad])

    fine = ocsp.verdict(revoking.answer(good, hashed=hashed), good, authority.certificate, now())
    gone = ocsp.verdict(revoking.answer(bad, hashed=hashed), bad, authority.certificate, now())

    assert (fine.state, fine.source, fine.revoked_at) == (RevocationState.GOOD, "ocsp", None)
    assert (gone.state, gone.why) == (RevocationState.REVOKED, "keyCompromise")
    assert gone.revoked_at is not None
    assert abs(gone.revoked_at - (now() - timedelta(days=1))) < timedelta(minutes=1)
    assert fine.next_update is not None
    assert abs(fine.next_update - (now() + timedelta(days=1))) < timedelta(minutes=1)


@pytest.mark.promise("002-08")
def test_ocsp_answer_of_a_delegate_is_believed() -> None:
    """An issuer may have somebody else answer, whose certificate comes with the answer."""
    revoking = Revoking(ROOT, [LEAF], signer=delegate(ROOT))
    assert ocsp.verdict(revoking.answer(LEAF), LEAF, ISSUER, now()).state is RevocationState.REVOKED


REFUSED: dict[str, Callable[[], bytes]] = {
    "with a wrong signature": lambda: Revoking(ROOT).answer(LEAF)[:-1] + b"?",
    "from a stranger": lambda: Revoking(ROOT, signer=Signer(STRANGER.certificate, STRANGER.key)).answer(LEAF),
    "from a server of the issuer's": lambda: Revoking(ROOT, signer=delegate(ROOT, may_answer=False)).answer(LEAF),
    "from a stranger's delegate": lambda: Revoking(ROOT, signer=delegate(STRANGER)).answer(LEAF),
    "from a delegate of the past": lambda: Revoking(ROOT, signer=delegate(ROOT, days=(-9, -1))).answer(LEAF),
    "about another certificate": lambda: Revoking(ROOT).answer(OTHER),
    "about one of another issuer": lambda: Revoking(STRANGER, signer=Signer(ISSUER, ROOT.key)).answer(LEAF),
    "of the past": lambda: Revoking(ROOT, hours=(-30, -2)).answer(LEAF),
    "of the future": lambda: Revoking(ROOT, hours=(2, 30)).answer(LEAF),
    "cut off": lambda: Revoking(ROOT).answer(LEAF)[:-40],
    "no answer at all": lambda: b"<html>404</html>",
    "an error": lambda: b"\x30\x03\x0a\x01\x03",
}


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED.keys())
def test_ocsp_answer_without_proof_is_refused(answer: Callable[[], bytes]) -> None:
    """Who stands between the authority and us must not be able to say that all is well, nor that it is not."""
    with pytest.raises(LookupFailed):
        ocsp.verdict(answer(), LEAF, ISSUER, now())


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_ocsp_answer_that_was_changed_is_never_believed(place: int, by: int) -> None:
    """One byte is enough for it to be refused, or else it says what it said."""
    answer = bytearray(REVOKED_ANSWER)
    answer[place % len(answer)] ^= by
    try:
        found = ocsp.verdict(bytes(answer), LEAF, ISSUER, now())
    except LookupFailed:
        return
    assert found.state is RevocationState.REVOKED


REVOKED_ANSWER = Revoking(ROOT, [LEAF]).answer(LEAF)


@pytest.mark.promise("002-08")
@pytest.mark.parametrize("scope", [(), ("own",)])
def test_list_of_the_issuer_is_believed(scope: tuple[str, ...]) -> None:
    """What is not on the list stands; what is on it was revoked."""
    extensions = [_scope(PLACE)] if scope else []
    listed = crl.read(Revoking(ROOT, [OTHER]).listed(*extensions))

    fine = crl.verdict(listed, PLACE, LEAF, ISSUER, now())
    gone = crl.verdict(listed, PLACE, OTHER, ISSUER, now())

    assert (fine.state, gone.state) == (RevocationState.GOOD, RevocationState.REVOKED)
    assert (gone.source, gone.why) == ("crl", "keyCompromise")


def _scope(place: str, *, authorities: bool = False) -> x509.IssuingDistributionPoint:
    return x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier(place)],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=authorities,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )


REFUSED_LISTS: dict[str, Callable[[], bytes]] = {
    "signed by a stranger of the same name": lambda: Revoking(ROOT, signer=Signer(ISSUER, STRANGER.key)).listed(),
    "a stranger's": lambda: Revoking(Authority.root("Stranger")).listed(),
    "of the past": lambda: Revoking(ROOT, hours=(-30, -2)).listed(),
    "of the future": lambda: Revoking(ROOT, hours=(2, 30)).listed(),
    "another part of it": lambda: Revoking(ROOT).listed(_scope("http://authority.test/2.crl")),
    "of authorities alone": lambda: Revoking(ROOT).listed(_scope(PLACE, authorities=True)),
    "cut off": lambda: Revoking(ROOT).listed()[:-40],
    "no list at all": lambda: b"-----BEGIN X509 CRL-----\nnonsense",
}


@pytest.mark.parametrize("listed", REFUSED_LISTS.values(), ids=REFUSED_LISTS.keys())
def test_list_without_proof_is_refused(listed: Callable[[], bytes]) -> None:
    """A list that is another's, old, or about others says nothing."""
    with pytest.raises(LookupFailed):
        crl.verdict(crl.read(listed()), PLACE, LEAF, ISSUER, now())
