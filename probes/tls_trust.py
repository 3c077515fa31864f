"""TLS contexts, one for each trust setting: making one reads the system's roots, which costs 16 to 24 ms."""

import ssl
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from probes.tls_library import StandardContext
from sentry.domain.errors import ConfigurationError, Problem

TLS_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True)
class TrustSetting:
    """What a TLS handshake trusts and shows.

    Attributes:
        verify: False accepts any certificate; for evidence, and where the user says so.
        ca_file: further roots beside the system's, PEM.
        client_cert_file: certificate chain to show to the server, PEM; `client_key_file` its key, the same file when
            None.
        alpn: protocols offered, in order of preference.
    """

    verify: bool = True
    ca_file: Path | None = None
    client_cert_file: Path | None = None
    client_key_file: Path | None = None
    alpn: tuple[str, ...] = ()
    min_version: str = "1.2"

    def unverified(self) -> "TrustSetting":
        """Returns the same without verification."""
        return replace(self, verify=False, ca_file=None, min_version="1.2")


def standard_context(setting: TrustSetting, *, owner: str) -> StandardContext:
    """Returns the shared context of a setting; reads files, so call it when a probe is prepared, not in its slot.

    Args:
        setting: what is trusted and shown.
        owner: key of the check, for the message.

    Raises:
        ConfigurationError: a file is missing, unreadable or holds no certificate or no matching key.
    """
    files = (setting.ca_file, setting.client_cert_file, setting.client_key_file)
    try:
        return _shared_context(setting, tuple(_stamp(file) for file in files))
    except OSError as error:  # ssl.SSLError is one too
        named = next((file for file in files if file is not None), Path())
        raise ConfigurationError([_problem(setting, error, owner, named)]) from error


def _stamp(file: Path | None) -> tuple[int, int] | None:
    """Returns what changes when a file is replaced, so that a reload sees a renewed certificate."""
    if file is None:
        return None
    state = file.stat()
    return state.st_mtime_ns, state.st_size


@lru_cache(maxsize=64)
def _shared_context(setting: TrustSetting, _stamps: tuple[tuple[int, int] | None, ...]) -> StandardContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = TLS_VERSIONS[setting.min_version]
    if setting.verify:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        if setting.ca_file is not None:
            context.load_verify_locations(setting.ca_file)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if setting.client_cert_file is None:
        # Else a server could ask for a new handshake again and again. IIS asks for one to be shown a certificate.
        context.options |= ssl.OP_NO_RENEGOTIATION
    else:
        context.load_cert_chain(setting.client_cert_file, setting.client_key_file, password=_no_password)
    if setting.alpn:
        context.set_alpn_protocols(list(setting.alpn))
    return StandardContext(context)


def _no_password() -> str:
    """Answers for a key that is encrypted; without it OpenSSL would ask on the terminal and stop the agent."""
    return ""


def _problem(setting: TrustSetting, error: OSError, owner: str, named: Path) -> Problem:
    if isinstance(error, ssl.SSLError):
        about = setting.client_cert_file or setting.ca_file or named
        what = (
            f"cannot be used ({error.reason or error}); give PEM files, and the key that belongs to the certificate"
        )
    else:
        about = Path(error.filename) if error.filename else named
        what = f"cannot be read ({error.strerror}); check the path and its permissions"
    return Problem(file=str(about), line=0, path=owner, message=what)
