"""Four real web sites on this machine that work, fail, hang and have an expired certificate, as the story wants."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
PAGE = "<!doctype html><html lang=en><title>Demo</title><h1>Demo</h1><p>Carrito: 3 articles. All is well.</p></html>"
BROKEN = "<!doctype html><html lang=en><title>Error</title><h1>Error establishing a database connection</h1></html>"

Answer = Callable[[web.Request], Awaitable[web.Response]]


class DemoSites:
    """The web servers of the demonstration.

    Attributes:
        shop_works: while False the shop answers 500.
        bookings_answers: while not set the bookings site accepts connections and never answers.
        urls: where each site is, by name.
    """

    def __init__(self) -> None:
        self.shop_works = True
        self.bookings_answers = asyncio.Event()
        self.bookings_answers.set()
        self.urls: dict[str, str] = {}
        self._runners: list[web.AppRunner] = []

    async def start(self, folder: Path, now: datetime) -> None:
        """Opens all four on free ports of this machine.

        Args:
            folder: where the certificate and its key are written; `authority.pem` there is to be trusted.
            now: the certificate expired three days before.
        """
        expired = await asyncio.to_thread(_expired_context, folder, now)
        self.urls = {
            "shop": await self._serve(self._shop),
            "bookings": await self._serve(self._bookings),
            "expired": await self._serve(self._works, expired),
            "works": await self._serve(self._works),
        }

    async def stop(self) -> None:
        """Closes them."""
        for runner in self._runners:
            await runner.cleanup()

    async def _serve(self, answer: Answer, tls: ssl.SSLContext | None = None) -> str:
        application = web.Application()
        application.router.add_get("/", answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, HOST, 0, ssl_context=tls).start()
        return f"{'https' if tls else 'http'}://{HOST}:{runner.addresses[0][1]}/"

    async def _works(self, _request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def _shop(self, request: web.Request) -> web.Response:
        if self.shop_works:
            return await self._works(request)
        return web.Response(status=500, text=BROKEN, content_type="text/html")

    async def _bookings(self, request: web.Request) -> web.Response:
        await self.bookings_answers.wait()
        return await self._works(request)


def _expired_context(folder: Path, now: datetime) -> ssl.SSLContext:
    """Makes an authority and, by it, a certificate that expired three days ago."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Demo Authority")])
    long_ago = now - timedelta(days=93)
    authority = (
        _builder(issuer, issuer, authority_key.public_key(), long_ago, now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "expired.example")])
    leaf = (
        _builder(subject, issuer, key.public_key(), long_ago, now - timedelta(days=3))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(HOST))]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(authority.public_bytes(pem))
    (folder / "site.pem").write_bytes(leaf.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "site.key").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "site.pem", folder / "site.key")
    return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
