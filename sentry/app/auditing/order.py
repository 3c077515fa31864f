"""What is to be audited, as the process of an audit is told."""

from dataclasses import dataclass

from sentry.domain.site import Site


@dataclass(frozen=True, slots=True)
class AuditOrder:
    """One audit.

    Attributes:
        folder: of this machine, where it is no site's.
        site: what is audited, None for a folder.
    """

    folder: str = ""
    site: Site | None = None
