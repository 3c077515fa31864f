"""A real SMTP server in a thread that keeps what it is sent, and can be stopped, started again or made to refuse."""

import ssl
import threading
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.integration.servers.certificates import ServerCertificate
from tests.integration.servers.loopback import LOOPBACK, free_port
from tests.integration.servers.process import wait_until


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One accepted message: the envelope and the parsed content."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    over_tls: bool
    login: str | None

    @property
    def subject(self) -> str:
        """The decoded Subject."""
        return str(self.message["Subject"])

    def text(self, subtype: str = "plain") -> str:
        """Returns the decoded body of a part, `plain` or `html`; empty where there is none."""
        part = self.message.get_body(preferencelist=(subtype,))
        return str(part.get_content()) if part is not None else ""


class SmtpSink:
    """Listens on one port for its whole life, over any number of `stop` and `start`.

    Args:
        certificate: offered by STARTTLS; no TLS when absent.
        login: `(user, password)` that must be given before mail is taken; nobody is asked when absent.
    """

    def __init__(
        self,
        *,
        certificate: ServerCertificate | None = None,
        login: tuple[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.port = free_port()
        self._login = login
        self._tls = _tls_context(certificate, folder) if certificate and folder else None
        self._controller: Controller | None = None
        self._lock = threading.Lock()
        self._mails: list[ReceivedMail] = []
        self._refusal: str | None = None
        self.refused = 0

    @property
    def url(self) -> str:
        """Where it listens, as a channel's setting writes it."""
        return f"smtp://{LOOPBACK}:{self.port}"

    @property
    def mails(self) -> tuple[ReceivedMail, ...]:
        """Every accepted message so far, over all starts, oldest first."""
        with self._lock:
            return tuple(self._mails)

    def wait_for(self, count: int, within_s: float = 20.0) -> tuple[ReceivedMail, ...]:
        """Returns the messages as soon as there are at least this many."""
        wait_until(lambda: len(self.mails) >= count, f"{count} mails to arrive", within_s)
        return self.mails

    def refuse(self, reply: str | None = "451 4.3.0 Try again later") -> None:
        """Answers every message with this reply from now on; None accepts again. 4xx is retryable, 5xx is not."""
        self._refusal = reply

    def start(self) -> None:
        """Begins to listen, on the same port as before."""
        self._controller = Controller(
            self,
            hostname=LOOPBACK,
            port=self.port,
            tls_context=self._tls,
            auth_required=self._login is not None,
            auth_require_tls=self._tls is not None,
            authenticator=self._authenticate,
        )
        self._controller.start()

    def stop(self) -> None:
        """Stops to listen: connections are refused."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Keeps a message, or refuses it; called by aiosmtpd."""
        if self._refusal is not None:
            self.refused += 1
            return self._refusal
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        mail = ReceivedMail(
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            message=BytesParser(EmailMessage, policy=default).parsebytes(raw),
            over_tls=session.ssl is not None,
            login=self._login[0] if session.authenticated and self._login else None,
        )
        with self._lock:
            self._mails.append(mail)
        return "250 2.0.0 Kept"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given is not None and given == self._login, handled=False)


def _tls_context(certificate: ServerCertificate, folder: Path) -> ssl.SSLContext:
    chain, key = folder / "smtp-chain.pem", folder / "smtp-key.pem"
    chain.write_bytes(certificate.chain_pem)
    key.write_bytes(certificate.key_pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    return context
