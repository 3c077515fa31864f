"""What every form of the client report has."""

from typing import Protocol

from sentry.domain.client_report import ReportData


class ReportForm(Protocol):
    """Draws a report from its data; adds nothing to it.

    Attributes:
        media_type: for whoever serves it; extension: for whoever stores it, without a dot.
    """

    media_type: str
    extension: str

    def render(self, report: ReportData) -> str:
        """Returns the whole document."""
        ...
