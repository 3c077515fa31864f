"""One hostile server: what it does to whoever connects, and what a probe must make of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from socket import socket

from sentry.domain.result import Phase, Reason

Behaviour = Callable[[socket], None]
"""What is done with one accepted connection, in a thread of its own; an `OSError` means that the probe hung up."""

MAX_BODY_BYTES = 1_000_000
"""Bound of the body in these checks."""

TIMEOUT_S = 1.5
"""Deadline of a check whose server never comes to an end."""

LONG_TIMEOUT_S = 12.0
"""Deadline of the others, which come to their verdict long before on a machine that is not overloaded."""


@dataclass(frozen=True)
class Attack:
    """A server and the only right result of probing it.

    Attributes:
        behave: plays the server.
        reason: None where the probe must be up, because people would see the page.
        phase: where it fails.
        detail: must be in the result's detail.
        scheme: of the check's address; `https` where TLS is spoken or was to be spoken.
        kind: of the check.
        together: hostile probes at once.
        prepare: called once in the servers' process before anybody connects.
        options: of the check, beside its deadline and a body of `MAX_BODY_BYTES`.
    """

    behave: Behaviour
    reason: Reason | None = None
    phase: Phase | None = None
    detail: str = ""
    scheme: str = "http"
    kind: str = "http"
    together: int = 3
    prepare: Callable[[], object] = bool
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def timeout_s(self) -> float:
        """Deadline of the check."""
        ends_late = self.reason is not None and self.reason.endswith("timeout")
        given = self.options.get("timeout_s", TIMEOUT_S if ends_late else LONG_TIMEOUT_S)
        assert isinstance(given, int | float)
        return given

    @property
    def held_bytes(self) -> int:
        """The largest body that a probe may hold, and its request's."""
        return MAX_BODY_BYTES + len(str(self.options.get("body", "")))

    def all_options(self) -> Mapping[str, object]:
        """Returns the options of the check."""
        bound = {"max_body_bytes": MAX_BODY_BYTES} if self.kind == "http" else {}
        return {"timeout_s": self.timeout_s, **bound, **self.options}
