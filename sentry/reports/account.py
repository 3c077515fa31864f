"""What messages, tickets and pages ask of an incident, whatever kind it is."""

from typing import Protocol

from sentry.domain.notice import NoticeKind

Rows = list[tuple[str, str]]


class Account(Protocol):
    """One incident in words.

    Attributes:
        alertname: the label that machines group by; reason: of a closed set.
    """

    alertname: str
    reason: str

    def headline(self, kind: NoticeKind) -> str:
        """Returns the first line of a message."""
        ...

    def cause(self) -> str:
        """Returns one line that anyone understands: what is wrong."""
        ...

    def explanation(self) -> str:
        """Returns what stands below the headline while it lasts."""
        ...

    def rows(self, *, resolved: bool) -> Rows:
        """Returns labels and facts; one without a value is left out."""
        ...

    def last_rows(self, *, resolved: bool) -> Rows:
        """Returns those that stand behind the site's."""
        ...

    def evidence(self) -> str:
        """Returns what the cause rests on, for the foot of a message."""
        ...

    def whole(self) -> str:
        """Returns everything as readable text."""
        ...
