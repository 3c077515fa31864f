"""E-mail against a real SMTP server: what arrives, and what each failure is called."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from alerting.email import EmailChannel, EmailOptions
from alerting.environment import ChannelEnvironment
from sentry.domain.errors import DeliveryError, DeliveryReason
from tests.fakes.messages import RECIPIENT, end_of, opening
from tests.integration.servers.certificates import Certificates
from tests.integration.servers.loopback import LOOPBACK, free_port
from tests.integration.servers.smtp_sink import SmtpSink


def channel(url: str, environment: ChannelEnvironment, **options: object) -> EmailChannel:
    keys = {"to": [RECIPIENT], "sender": "sentry@agency.example", "smtp": url, "timeout_s": 5} | options
    return EmailChannel("mail", EmailOptions.model_validate(keys), environment)


async def failure(channel: EmailChannel) -> DeliveryError:
    """Sends and returns the error that this must raise."""
    with pytest.raises(DeliveryError) as caught:
        await channel.send(opening(), RECIPIENT)
    return caught.value


@asynccontextmanager
async def scripted(*replies: str) -> AsyncIterator[int]:
    """A server that answers line by line from a script, then hangs; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            writer.write(reply.encode() + b"\r\n")
            if not await reader.readline():
                break
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def test_mail_arrives_with_text_and_html_to_one_recipient(environment: ChannelEnvironment) -> None:
    """Both forms, non-ASCII words whole, marked as generated."""
    with SmtpSink() as sink:
        await channel(sink.url, environment).send(opening(), RECIPIENT)
        (mail,) = sink.mails
    assert (mail.sender, mail.recipients) == ("sentry@agency.example", (RECIPIENT,))
    assert mail.subject == "[SEV1] Tienda de Acme está caída: error 503 (#17)"
    assert mail.text().splitlines() == ["La tienda contesta con un error 503.", "", "Desde 02:14"]
    assert "<b>error 503</b>" in mail.text("html")
    assert mail.message["To"] == RECIPIENT
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["Importance"] == "high"
    assert mail.message["Date"].datetime is not None


async def test_opening_and_end_stand_in_one_thread(environment: ChannelEnvironment) -> None:
    """The end answers the opening; a second attempt has the identity of the first."""
    with SmtpSink() as sink:
        first = opening()
        mail = channel(sink.url, environment)
        await mail.send(first, RECIPIENT)
        await mail.send(first, RECIPIENT)
        await mail.send(end_of(first), RECIPIENT)
        one, again, end = (received.message for received in sink.mails)
    assert one["Message-ID"] == again["Message-ID"] != end["Message-ID"]
    assert end["In-Reply-To"] == end["References"] == one["Message-ID"]
    assert one["In-Reply-To"] is None
    assert one["Message-ID"].endswith("@agency.example>")


async def test_same_incident_number_of_a_new_store_has_another_identity(environment: ChannelEnvironment) -> None:
    """Mail servers drop what they have seen: incident 1 of a new store must not look like the old one."""
    mail = channel("smtp://127.0.0.1", environment)
    first = opening()
    later = opening(starts_at=first.starts_at.replace(year=2027))
    assert mail.compose(first, RECIPIENT)["Message-ID"] != mail.compose(later, RECIPIENT)["Message-ID"]


async def test_starttls_with_login_encrypts_and_authenticates(
    environment: ChannelEnvironment, certificates: Certificates, tmp_path: Path
) -> None:
    """User and password, percent-encoded in the URL, go over TLS only."""
    with SmtpSink(certificate=certificates.valid(), login=("user@agency", "p:w/1"), folder=tmp_path) as sink:
        url = f"smtp+starttls://user%40agency:p%3Aw%2F1@{LOOPBACK}:{sink.port}"
        await channel(url, environment).send(opening(), RECIPIENT)
        (mail,) = sink.mails
    assert mail.over_tls
    assert mail.login == "user@agency"


async def test_wrong_password_is_permanent_and_not_shown(
    environment: ChannelEnvironment, certificates: Certificates, tmp_path: Path
) -> None:
    """Another attempt with the same password changes nothing."""
    with SmtpSink(certificate=certificates.valid(), login=("user", "right"), folder=tmp_path) as sink:
        error = await failure(
            channel(f"smtp+starttls://user:hunter2@{LOOPBACK}:{sink.port}", environment),
        )
    assert (error.reason, error.retryable) == (DeliveryReason.AUTHENTICATION, False)
    assert "hunter2" not in str(error)


async def test_certificate_of_an_unknown_authority_is_a_tls_failure(
    distrusting: ChannelEnvironment, certificates: Certificates, tmp_path: Path
) -> None:
    """Nothing is sent to a server that cannot prove who it is."""
    with SmtpSink(certificate=certificates.valid(), folder=tmp_path) as sink:
        error = await failure(channel(f"smtp+starttls://{LOOPBACK}:{sink.port}", distrusting))
        assert not sink.mails
    assert (error.reason, error.retryable) == (DeliveryReason.TLS, True)
    assert "self-signed certificate in certificate chain" in str(error) or "unable to get" in str(error)


async def test_certificate_of_another_name_is_a_tls_failure(
    environment: ChannelEnvironment, certificates: Certificates, tmp_path: Path
) -> None:
    """A valid certificate for somebody else is none."""
    with SmtpSink(certificate=certificates.wrong_host(), folder=tmp_path) as sink:
        error = await failure(channel(f"smtp+starttls://{LOOPBACK}:{sink.port}", environment))
    assert error.reason is DeliveryReason.TLS


async def test_server_without_starttls_where_it_is_required_is_misconfigured(
    environment: ChannelEnvironment,
) -> None:
    """A line in between that strips STARTTLS gets nothing to read."""
    with SmtpSink() as sink:
        error = await failure(channel(f"smtp+starttls://{LOOPBACK}:{sink.port}", environment))
        assert not sink.mails
    assert (error.reason, error.retryable) == (DeliveryReason.MISCONFIGURED, False)


async def test_implicit_tls_delivers(
    environment: ChannelEnvironment, certificates: Certificates, tmp_path: Path
) -> None:
    """smtps:// speaks TLS from the first byte."""
    context = _server_context(certificates, tmp_path)
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            received.append(line)
            if line.startswith(b"DATA"):
                writer.write(b"354 go\r\n")
                received.append(await reader.readuntil(b"\r\n.\r\n"))
            writer.write(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 ok\r\n")
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    await channel(f"smtps://{LOOPBACK}:{port}", environment).send(opening(), RECIPIENT)
    server.close()
    assert any(b"Auto-Submitted: auto-generated" in part for part in received)


async def test_greylisting_is_retryable(environment: ChannelEnvironment) -> None:
    """451 means later; the server's words are kept."""
    with SmtpSink() as sink:
        sink.refuse("451 4.7.1 Greylisted, come back in 60 s")
        error = await failure(channel(sink.url, environment))
    assert (error.reason, error.retryable) == (DeliveryReason.SERVER_ERROR, True)
    assert "451" in str(error)
    assert "Greylisted" in str(error)


@pytest.mark.parametrize(
    ("reply", "reason", "retryable"),
    [
        ("550 5.1.1 No such user", DeliveryReason.REJECTED, False),
        ("450 4.2.1 Mailbox busy", DeliveryReason.SERVER_ERROR, True),
        ("552 5.2.2 Mailbox full", DeliveryReason.REJECTED, False),
        ("421 4.3.2 Shutting down", DeliveryReason.SERVER_ERROR, True),
    ],
)
async def test_recipient_refused_is_permanent_with_5xx_only(
    environment: ChannelEnvironment, reply: str, reason: DeliveryReason, retryable: bool
) -> None:
    """RFC 5321: 5yz do not repeat, 4yz repeat."""
    async with scripted("220 ready", "250 hello", "250 sender ok", reply, "250 reset", "221 bye") as port:
        error = await failure(channel(f"smtp://{LOOPBACK}:{port}", environment))
    assert (error.reason, error.retryable) == (reason, retryable)
    assert reply.partition(" ")[2] in str(error)


async def test_hostile_answer_is_one_short_inert_line(environment: ChannelEnvironment) -> None:
    """What a server says is cut and cleaned before it reaches logs and pages."""
    reply = "550 \x1b[31mred\x07 " + "x" * 400
    async with scripted("220 ready", "250 hello", "250 sender ok", reply, "250 reset", "221 bye") as port:
        error = await failure(channel(f"smtp://{LOOPBACK}:{port}", environment))
    assert str(error).isprintable()
    assert len(str(error)) < 300


async def test_nobody_listening_is_unreachable(environment: ChannelEnvironment) -> None:
    """Refused connections are tried again."""
    error = await failure(channel(f"smtp://{LOOPBACK}:{free_port()}", environment))
    assert (error.reason, error.retryable) == (DeliveryReason.UNREACHABLE, True)


@pytest.mark.parametrize("replies", [(), ("220 ready",), ("220 ready", "250 hello", "250 sender ok", "250 ok")])
async def test_server_that_hangs_times_out_in_every_phase(
    environment: ChannelEnvironment, replies: tuple[str, ...]
) -> None:
    """A server that stops answering costs the time-out of one step, no more."""
    async with scripted(*replies) as port:
        error = await failure(channel(f"smtp://{LOOPBACK}:{port}", environment, timeout_s=0.3))
    assert (error.reason, error.retryable) == (DeliveryReason.TIMEOUT, True)


async def test_server_that_closes_midway_is_unreachable(environment: ChannelEnvironment) -> None:
    """A lost connection is no refusal."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    error = await failure(channel(f"smtp://{LOOPBACK}:{port}", environment))
    server.close()
    assert (error.reason, error.retryable) == (DeliveryReason.UNREACHABLE, True)


def _server_context(certificates: Certificates, folder: Path) -> ssl.SSLContext:
    shown = certificates.valid()
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(shown.chain_pem)
    key.write_bytes(shown.key_pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    return context
