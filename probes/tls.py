"""The tls probe: a handshake and the certificates it shows, for any TLS port."""

from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from probes.connection import Endpoint, at_port, connect
from probes.driven import DrivenProbe
from probes.environment import ProbeEnvironment
from probes.tls_handshake import Trust, expires_soon, secure
from probes.tls_trust import TrustSetting
from probes.trace import Trace
from sentry.domain.result import Reason
from sentry.domain.site import Check, CheckOptions


class TlsOptions(CheckOptions):
    """A TLS handshake with a port, its certificates verified and their days counted."""

    kind: Literal["tls"] = "tls"
    host: str | None = Field(
        None,
        min_length=1,
        pattern=r"^[^\s/@\[\]]+$",
        description="Name or address, without brackets; the host of the site's url when absent.",
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

    def watched_url(self, site_url: str) -> str:
        """Returns the site's address where its own port is looked at, else the port: `tls://host:993`."""
        own = _site_endpoint(site_url)
        host, port = self.host or own[0], self.port or own[1]
        same = (host, port) == own and urlsplit(site_url).scheme == "https"
        return site_url if same else f"tls://{at_port(host, port)}"


class TlsProbe(DrivenProbe):
    """Shakes hands once on a new connection.

    Raises:
        ConfigurationError: on construction, where the authority's file cannot be used.
    """

    Options: ClassVar[type[CheckOptions]] = TlsOptions

    def __init__(self, check: Check, environment: ProbeEnvironment) -> None:
        super().__init__(check, environment)
        options = TlsOptions.model_validate(check.options)
        host, port = _site_endpoint(check.url)
        self._endpoint = Endpoint(options.host or host, options.port or port, options.ip_version)
        self._server_name = options.server_name or self._endpoint.host
        self._min_days_left = options.min_days_left
        setting = TrustSetting(ca_file=environment.ca_file, min_version=options.min_version)
        self._trust = Trust.of_check(check, setting, environment)

    async def measure(self, trace: Trace) -> None:
        """Resolves, connects, shakes hands and counts the days.

        Raises:
            ProbeFailure: any of it failed.
        """
        with await connect(self._endpoint, self.environment, trace) as connection:
            await secure(connection, self._server_name, self._trust, self.environment, trace)
        chain = trace.tls.chain if trace.tls else ()
        soon = expires_soon(chain, self._min_days_left, self.environment.clock.now())
        if soon is not None:
            trace.degraded = (Reason.TLS_EXPIRES_SOON, soon)


def _site_endpoint(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", (parts.port if parts.scheme == "https" else None) or 443
