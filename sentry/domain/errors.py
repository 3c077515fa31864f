"""The exception tree. Foreign errors are wrapped at the port that meets them, with `from`.

    SentryError
    ├── ConfigurationError      what the user wrote cannot be used; carries every problem at once
    ├── StoreError
    │   ├── StoreUnavailable    locked, full, unreachable: try again
    │   └── StoreConflict       a rule of the store refused the write (a second open incident of one key)
    ├── NotFound                there is no such site, incident or ticket
    ├── TransitionRefused       a state machine does not allow this move
    ├── HostError               a site's host did not do what was asked
    │   ├── HostLost            the link broke: try again
    │   └── HostRefused         wrong key, wrong user, no permission: a person must mend it
    ├── AuditFailed             an audit did not come to its end, and nothing is known; `retryable` says what to do
    ├── PackRefused             a package or a pack of known files cannot be read, or nobody vouches for it
    ├── QuarantineFailed        the agent's own folder of what it cleaned cannot be written; nothing else was
    ├── QuarantineDamaged       what is in it is not what was put there
    ├── LookupFailed            a registry or an authority did not answer, or not as it must
    └── DeliveryError           a message was not accepted; `retryable` and `reason` say what to do

A site that is down is a value (`ProbeResult`), never an exception.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class SentryError(Exception):
    """Root of everything that Online Sentry raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the configuration.

    Attributes:
        file: path as the user gave it; line: 1-based, 0 where the whole file is meant.
        path: where in the document, e.g. `sites[2].checks[0].expect_text`.
        message: what is wrong and how to mend it. Never holds the value of a secret.
    """

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        """Returns `file:line: path: message`."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class ConfigurationError(SentryError):
    """The configuration has problems; all of them are in `problems`, in the order of files and lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keeps the problems; the message is one line each."""
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class StoreError(SentryError):
    """The store did not do what was asked."""


class StoreUnavailable(StoreError):  # noqa: N818  # reads as a state, as in the tree above
    """The store is locked, full or unreachable; nothing was written, the call may be repeated."""


class StoreConflict(StoreError):  # noqa: N818  # as above
    """A rule of the store refused the write; repeating it changes nothing."""


class NotFound(SentryError):  # noqa: N818  # as above
    """There is no such thing."""


class TransitionRefused(SentryError):  # noqa: N818  # as above
    """The state machine does not allow this move; the message names the moves that it does allow."""


class HostError(SentryError):
    """The host of a site did not do what was asked; the message says what it said, without secrets."""


class HostLost(HostError):  # noqa: N818  # reads as a state, as in the tree above
    """The link to the host broke; what was running there may still run."""


class HostRefused(HostError):  # noqa: N818  # reads as a state, as in the tree above
    """The host does not let us: its key is another one, the user or the permission is wrong."""


class AuditFailed(SentryError):  # noqa: N818  # reads as a state, as in the tree above
    """An audit did not come to its end. That is never a verdict: nothing is known of the site."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        """Keeps whether another attempt may help, or a person must mend something first."""
        super().__init__(message)
        self.retryable = retryable


class PackRefused(SentryError):  # noqa: N818  # as above
    """A package or a pack of known files cannot be read, or nobody vouches for it; nothing of it was used."""


class QuarantineFailed(SentryError):  # noqa: N818  # as above
    """What is to be kept of a cleaning cannot be written down, so nothing else was written."""


class QuarantineDamaged(SentryError):  # noqa: N818  # as above
    """What is in quarantine is not what was put there."""


class LookupFailed(SentryError):  # noqa: N818  # as above
    """What was asked of a registry or an authority is not known; the message says what stood in the way."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        """Keeps the HTTP status where there was one that is no success."""
        super().__init__(message)
        self.status = status


class DeliveryReason(StrEnum):
    """Why a message was not accepted. A closed set: it labels a metric."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    AUTHENTICATION = "authentication"
    REJECTED = "rejected"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    MISCONFIGURED = "misconfigured"
    OUR_ERROR = "our_error"


class DeliveryError(SentryError):
    """A message was not accepted."""

    def __init__(
        self, message: str, *, reason: DeliveryReason, retryable: bool, retry_after_s: float | None = None
    ) -> None:
        """Keeps what went wrong, its class, whether another attempt may help, and when the other side wants it."""
        super().__init__(message)
        self.reason = reason
        self.retryable = retryable
        self.retry_after_s = retry_after_s
