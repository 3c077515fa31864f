"""The tls probe: a handshake and the certificates it shows, for any TLS port."""

from typing import ClassVar, Literal

from pydantic import Field

from probes.task import TaskProbe
from sentry.domain.site import CheckOptions


class TlsOptions(CheckOptions):
    """A TLS handshake with a port, its certificates verified and their days counted."""

    kind: Literal["tls"] = "tls"
    host: str | None = Field(
        None,
        min_length=1,
        pattern=r"^[^\s/@\[\]]+$",
        description="Name or address; the host of the site's url when absent.",
    )
    port: int | None = Field(
        None, ge=1, le=65_535, description="The port of an https url when absent, otherwise 443."
    )
    server_name: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._:-]+$", description="Name for SNI and verification; the host when absent."
    )
    min_days_left: int = Field(
        14, ge=0, le=398, description="Days of validity left, of any certificate shown, below which it is degraded."
    )
    min_version: Literal["1.2", "1.3"] = Field("1.2", description="Oldest TLS version that is accepted.")
    ip_version: Literal[4, 6] | None = Field(None, description="4 or 6 to use that family only.")


class TlsProbe(TaskProbe):
    """Shakes hands once on a new connection."""

    Options: ClassVar[type[CheckOptions]] = TlsOptions
