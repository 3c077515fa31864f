"""What an authority of the tests says of its certificates: OCSP answers and revocation lists."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from tests.integration.authority import Authority, Identity, ServerKey

OCSP_SIGNING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def addresses(url: str, *, responder: bool = True, listed: bool = True) -> list[x509.ExtensionType]:
    """What a certificate says of where its authority answers, under one URL."""
    found: list[x509.ExtensionType] = []
    if responder:
        where = x509.UniformResourceIdentifier(f"{url}/ocsp")
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)
        found.append(x509.AuthorityInformationAccess([access]))
    if listed:
        place = [x509.UniformResourceIdentifier(f"{url}/list.crl")]
        found.append(x509.CRLDistributionPoints([x509.DistributionPoint(place, None, None, None)]))
    return found


@dataclass
class Signer:
    """Who signs an answer: the authority, unless a test says otherwise."""

    certificate: x509.Certificate
    key: ServerKey
    sent: Sequence[x509.Certificate] = ()


def delegate(authority: Authority, *, may_answer: bool = True, days: tuple[float, float] = (-1, 30)) -> Signer:
    """Somebody else to whom the authority gives the right to answer, or not."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Responder")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() + timedelta(days=days[0]))
        .not_valid_after(now() + timedelta(days=days[1]))
    )
    usage = OCSP_SIGNING if may_answer else x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    made = builder.add_extension(usage, critical=False).sign(authority.key, SHA256())
    return Signer(made, key, (made,))


@dataclass
class Revoking:
    """An authority's answers.

    Attributes:
        revoked: certificates that it has taken back.
        hours: from when to when its answers are valid, counted from now.
        signer: of answers and lists; the authority itself when absent.
        silent: whether nothing but errors is to be had of it.
        has_responder: whether it answers by OCSP.
        asked: the paths that were asked for.
        known: certificates that it answers about when it is asked over the network.
    """

    authority: Authority
    revoked: list[x509.Certificate] = field(default_factory=list)
    hours: tuple[float, float] = (-1, 24)
    signer: Signer | None = None
    silent: bool = False
    has_responder: bool = True
    asked: list[str] = field(default_factory=list)
    known: list[x509.Certificate] = field(default_factory=list)

    def answer(self, certificate: x509.Certificate, *, hashed: HashAlgorithm | None = None) -> bytes:
        """Returns the OCSP answer about a certificate, DER."""
        signer = self.signer or Signer(self.authority.certificate, self.authority.key)
        is_revoked = certificate in self.revoked
        builder = ocsp.OCSPResponseBuilder().add_response(
            certificate,
            self.authority.certificate,
            hashed or SHA1(),  # noqa: S303  # names the issuer
            ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD,
            now() + timedelta(hours=self.hours[0]),
            now() + timedelta(hours=self.hours[1]),
            now() - timedelta(days=1) if is_revoked else None,
            x509.ReasonFlags.key_compromise if is_revoked else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
        if signer.sent:
            builder = builder.certificates(signer.sent)
        return builder.sign(signer.key, SHA256()).public_bytes(Encoding.DER)

    def listed(self, *scope: x509.ExtensionType) -> bytes:
        """Returns the revocation list, DER."""
        signer = self.signer or Signer(self.authority.certificate, self.authority.key)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(signer.certificate.subject)
            .last_update(now() + timedelta(hours=self.hours[0]))
            .next_update(now() + timedelta(hours=self.hours[1]))
        )
        for extension in scope:
            builder = builder.add_extension(extension, critical=True)
        for one in self.revoked:
            entry = (
                x509.RevokedCertificateBuilder()
                .serial_number(one.serial_number)
                .revocation_date(now() - timedelta(days=1))
                .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
            )
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(signer.key, SHA256()).public_bytes(Encoding.DER)

    def issue(self, url: str, *names: str, responder: bool = True, listed: bool = True) -> Identity:
        """Issues a certificate that says where this authority answers."""
        return self.authority.leaf(*names, says=addresses(url, responder=responder, listed=listed))

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answers as a server."""
        self.asked.append(request.path)
        if self.silent or (request.path == "/ocsp" and not self.has_responder):
            return web.Response(status=503)
        if request.path == "/list.crl":
            return web.Response(body=self.listed())
        asked = ocsp.load_der_ocsp_request(await request.read())
        found = next((one for one in self.known if one.serial_number == asked.serial_number), None)
        return web.Response(status=404) if found is None else web.Response(body=self.answer(found))
