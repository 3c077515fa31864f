"""E-mail: one message to one recipient over SMTP, threaded by incident."""

import hashlib
import re
import socket
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Annotated, ClassVar, Literal

import aiosmtplib
from pydantic import AfterValidator, Field, SecretStr, model_validator

from alerting.environment import ChannelEnvironment
from alerting.mail_server import Encryption, parse_mail_server
from sentry.domain.errors import DeliveryError, DeliveryReason
from sentry.domain.notice import ChannelOptions, Message
from sentry.domain.severity import Severity
from sentry.outgoing import connection_failure

MAX_SUBJECT_CHARACTERS = 200
"""Longer subjects are cut by every mail program; a hostile page title may be part of one."""

ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:localhost|(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63})"
)
"""A dot-atom and a domain (RFC 5321 section 4.1.2), without quoted names and address literals."""

URGENT = frozenset({Severity.SEV1, Severity.SEV2})
"""Severities whose mail carries `Importance: high`."""


def _mail_address(text: str) -> str:
    """Accepts `name@domain`; refuses whatever could become a second header or a second recipient."""
    if not ADDRESS.fullmatch(text):
        raise ValueError("this is no e-mail address; write name@example.com, in ASCII and without a display name")
    return text


MailAddress = Annotated[str, AfterValidator(_mail_address)]


class EmailOptions(ChannelOptions):
    """Keys of a channel of kind `email`."""

    kind: Literal["email"] = "email"
    to: tuple[MailAddress, ...] = Field(min_length=1, description="Recipients; each gets a message of its own.")
    sender: MailAddress | None = Field(None, description="From address; online-sentry@ this machine when absent.")
    smtp: SecretStr = Field(
        description="smtp://, smtp+starttls:// or smtps:// with user:password@ where needed; use ${NAME}. "
        "smtp:// to another machine insists on STARTTLS."
    )
    allow_plain: bool = Field(
        default=False, description="Let smtp:// speak unencrypted to another machine (a relay in a trusted network)."
    )
    timeout_s: float = Field(20, gt=0, le=55, description="Time-out of each step of the dialogue, seconds.")

    @model_validator(mode="after")
    def _server_is_readable(self) -> "EmailOptions":
        parse_mail_server(self.smtp.get_secret_value(), allow_plain=self.allow_plain)
        return self


class EmailChannel:
    """Sends mail; fills the `Channel` port."""

    Options: ClassVar[type[ChannelOptions]] = EmailOptions

    def __init__(self, key: str, options: EmailOptions, environment: ChannelEnvironment) -> None:
        """Prepares a channel; connects to nothing yet."""
        self.key = key
        self._options = options
        self._environment = environment
        self._server = parse_mail_server(options.smtp.get_secret_value(), allow_plain=options.allow_plain)
        self._host_name = _ascii_host_name()
        self._sender = options.sender or f"online-sentry@{self._host_name}"

    def recipients(self) -> Sequence[str]:
        """Returns the mail addresses."""
        return self._options.to

    async def send(self, message: Message, recipient: str) -> None:
        """Sends one mail; returns once the server has taken responsibility for it (250 after DATA).

        Raises:
            DeliveryError: a 4xx answer, a lost connection or a refused login may be tried again; a 5xx answer not.
        """
        mail = self.compose(message, recipient)
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            local_hostname=self._host_name,
            timeout=self._options.timeout_s,
            use_tls=server.encryption is Encryption.TLS,
            start_tls=server.encryption is Encryption.STARTTLS,
            tls_context=self._environment.tls,
        )
        try:
            async with client:
                await client.send_message(mail, sender=self._sender, recipients=[recipient])
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise _delivery_error(error, server.name) from error

    def compose(self, message: Message, recipient: str) -> EmailMessage:
        """Returns the mail: text and HTML, threaded, marked as generated (RFC 3834) so that nobody answers it."""
        mail = EmailMessage()
        mail["Message-ID"] = self._message_id(message.key, message)
        if message.thread_key and message.thread_key != message.key:
            parent = self._message_id(message.thread_key, message)
            mail["In-Reply-To"] = parent
            mail["References"] = parent
        mail["Date"] = format_datetime(self._environment.clock.now())
        mail["From"] = self._sender
        mail["To"] = recipient
        mail["Subject"] = _one_line(message.subject)
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail["X-Online-Sentry-Incident"] = _one_line(message.incident_key)
        if message.severity in URGENT:
            mail["Importance"] = "high"
        mail.set_content(message.text)
        if message.html:
            mail.add_alternative(message.html, subtype="html")
        return mail

    def _message_id(self, key: str, message: Message) -> str:
        """Returns the same identity for every attempt.

        The start of the incident is part of it: numbers of incidents begin anew with a new store, and mail servers
        drop a message whose identity they have seen.
        """
        material = f"{key}|{message.incident_key}|{message.starts_at.isoformat()}"
        digest = hashlib.sha256(material.encode()).hexdigest()[:40]
        return f"<{digest}@{self._sender.rpartition('@')[2]}>"


def _one_line(text: str) -> str:
    """Returns text fit for a header: no control character survives, so no second header can begin."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:MAX_SUBJECT_CHARACTERS]


def _ascii_host_name() -> str:
    """Returns this machine's name as HELO and Message-ID may carry it; no resolver is asked."""
    name = socket.gethostname()
    return name if name.isascii() and name.replace("-", "").replace(".", "").isalnum() else "localhost"


def _delivery_error(error: Exception, server: str) -> DeliveryError:
    """Returns what a failed dialogue means: RFC 5321 section 4.2.1 (4yz try again, 5yz do not)."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _answer_error(error, server)
    # The library raises the root of its errors itself for what the server does not offer: STARTTLS, AUTH.
    if isinstance(error, aiosmtplib.SMTPNotSupported) or type(error) is aiosmtplib.SMTPException:
        text = f"{server}: {_one_line(str(error))} Is it the right port and scheme?"
        return DeliveryError(text, reason=DeliveryReason.MISCONFIGURED, retryable=False)
    if isinstance(error, ValueError) and not isinstance(error, OSError):  # failed verification of TLS is both
        return DeliveryError(f"{server}: {error}", reason=DeliveryReason.MISCONFIGURED, retryable=False)
    return connection_failure(error, server)


def _answer_error(error: aiosmtplib.SMTPResponseException, server: str) -> DeliveryError:
    temporary = 400 <= error.code < 500  # noqa: PLR2004  # the class of SMTP answers that mean "later"
    text = f"{server} answered {error.code} {_one_line(str(error.message))}"
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return DeliveryError(text, reason=DeliveryReason.AUTHENTICATION, retryable=temporary)
    reason = DeliveryReason.SERVER_ERROR if temporary else DeliveryReason.REJECTED
    return DeliveryError(text, reason=reason, retryable=temporary)
