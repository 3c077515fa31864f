"""What one result says, under blackbox_exporter's names.

All that the evidence says is derived from it here; only what it does not say comes from `evidence.values`.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address

from sentry.domain.result import HttpEvidence, Phase, ProbeResult, Reason, Status, TlsEvidence
from sentry.metrics.cells import cell, duration_cell, info_cell

HTTP_PHASES = {
    "resolve": Phase.DNS,
    "connect": Phase.CONNECT,
    "tls": Phase.TLS,
    "processing": Phase.PROCESSING,
    "transfer": Phase.TRANSFER,
}
DNS_PHASES = {"resolve": None, "connect": Phase.CONNECT, "request": Phase.DNS}  # the question is the work itself
ICMP_PHASES = {"resolve": Phase.DNS, "setup": Phase.CONNECT, "rtt": Phase.PROCESSING}


def _columns(family: str, phases: dict[str, Phase | None]) -> tuple[tuple[str, Phase | None], ...]:
    return tuple((f'{family}{{phase="{name}",', phase) for name, phase in phases.items())


KIND_PHASES = {
    "http": _columns("probe_http_duration_seconds", {**HTTP_PHASES}),
    "dns": _columns("probe_dns_duration_seconds", DNS_PHASES),
    "icmp": _columns("probe_icmp_duration_seconds", {**ICMP_PHASES}),
}
"""Kind of check → the columns of its phases, named as blackbox_exporter names them. All are always there."""

REGEX_REASONS = frozenset({Reason.BODY_TEXT_MISSING, Reason.BODY_TEXT_FORBIDDEN})

_NEVER = cell(0)
_ONCE = cell(1)
_NO_ANSWER = {
    "probe_http_status_code{": _NEVER,
    "probe_http_content_length{": _NEVER,
    "probe_http_uncompressed_body_length{": _NEVER,
    "probe_http_redirects{": _NEVER,
    "probe_http_ssl{": _NEVER,
    "probe_http_version{": _NEVER,
}
"""As blackbox_exporter has them where no answer came, also over TLS."""

_MAX_FURTHER_VALUES = 64


class CheckSeries:
    """Renders the results of one check; a certificate is rendered when it changes, not once a minute.

    Args:
        kind: kind of the check, a key of `probes.KINDS`.
    """

    __slots__ = ("_address", "_address_cells", "_is_http", "_phases", "_tls", "_tls_cells")

    def __init__(self, kind: str) -> None:
        self._is_http = kind == "http"
        self._phases = KIND_PHASES.get(kind, ())
        self._tls: TlsEvidence | None = None
        self._tls_cells: tuple[tuple[str, bytes], ...] = ()
        self._address = ""
        self._address_cells: tuple[tuple[str, bytes], ...] = ()

    def cells(self, result: ProbeResult) -> dict[str, bytes]:
        """Returns the columns that one result fills.

        Args:
            result: one that says something of the site (not `Status.UNKNOWN`).
        """
        evidence, phases = result.evidence, result.phases
        answers = result.status is Status.UP or result.status is Status.DEGRADED
        found = {
            "probe_success{": _ONCE if answers else _NEVER,
            "probe_duration_seconds{": duration_cell(result.duration_s),
            "probe_dns_lookup_time_seconds{": duration_cell(phases.get(Phase.DNS, 0.0)),
        }
        if evidence.address:
            found.update(self._of_address(evidence.address))
        for column, phase in self._phases:
            found[column] = duration_cell(phases[phase]) if phase in phases else _NEVER
        if self._is_http:
            found["probe_failed_due_to_regex{"] = _ONCE if result.reason in REGEX_REASONS else _NEVER
            if evidence.http is None:
                found |= _NO_ANSWER
            else:
                _add_http(found, evidence.http, evidence.tls)
        if evidence.tls is not None:
            found.update(self._of_tls(evidence.tls))
        if evidence.values:
            _add_further(found, evidence.values)
        return found

    def _of_address(self, address: str) -> tuple[tuple[str, bytes], ...]:
        if address != self._address:
            self._address, self._address_cells = address, _address_cells(address)
        return self._address_cells

    def _of_tls(self, tls: TlsEvidence) -> tuple[tuple[str, bytes], ...]:
        if tls is not self._tls:
            if tls != self._tls:
                self._tls_cells = tuple(_tls_cells(tls).items())
            self._tls = tls  # the newest one: an older, equal one need not stay in memory
        return self._tls_cells


def _address_cells(address: str) -> tuple[tuple[str, bytes], ...]:
    bare = bare_address(address)
    if bare is None:
        return ()
    return ("probe_ip_protocol{", cell(ip_address(bare).version)), ("probe_ip_addr_hash{", cell(address_hash(bare)))


def address_hash(address: str) -> int:
    """Returns FNV-1a, 32 bits, over the bytes of an address, as blackbox_exporter's `ipHash` (Go's fnv.New32a)."""
    hashed = 0x811C9DC5
    for byte in ip_address(address).packed:
        hashed = ((hashed ^ byte) * 0x01000193) & 0xFFFFFFFF
    return hashed


def bare_address(address: str) -> str | None:
    """Returns the IP of `ip`, `ip:port` or `[ip]:port`; None where there is none."""
    for text in (address, address.rpartition(":")[0].strip("[]")):
        try:
            parsed = ip_address(text.partition("%")[0])
        except ValueError:
            continue
        mapped = getattr(parsed, "ipv4_mapped", None)
        return str(mapped or parsed)
    return None


def _add_http(found: dict[str, bytes], http: HttpEvidence, tls: TlsEvidence | None) -> None:
    length = http.content_length
    found["probe_http_status_code{"] = cell(http.status)
    found["probe_http_content_length{"] = cell(-1 if length is None else length)
    found["probe_http_uncompressed_body_length{"] = cell(http.uncompressed_bytes)
    found["probe_http_redirects{"] = cell(max(len(http.hops) - 1, 0))  # the last hop is the answer itself
    found["probe_http_ssl{"] = _ONCE if _over_tls(http, tls) else _NEVER
    found["probe_http_version{"] = _version(http.version)
    if http.last_modified is not None:
        found["probe_http_last_modified_timestamp_seconds{"] = _instant(http.last_modified)


def _over_tls(http: HttpEvidence, tls: TlsEvidence | None) -> bool:
    """Whether the last answer came over TLS; a handshake on the way to it does not tell."""
    return http.hops[-1].url.startswith("https:") if http.hops else tls is not None


def _tls_cells(tls: TlsEvidence) -> dict[str, bytes]:
    found = {}
    if tls.version is not None:
        found["probe_tls_version_info{"] = _info("version", tls.version)
    if tls.cipher is not None:
        found["probe_tls_cipher_info{"] = _info("cipher", tls.cipher)
    if not tls.chain:
        return found
    earliest = _instant(min(certificate.not_after for certificate in tls.chain))
    found["probe_ssl_earliest_cert_expiry{"] = earliest
    if tls.verified:
        found["probe_ssl_last_chain_expiry_timestamp_seconds{"] = earliest
    leaf = tls.chain[0]
    found["probe_ssl_last_chain_info{"] = info_cell(
        {
            "fingerprint_sha256": leaf.fingerprint_sha256,
            "subject": leaf.subject,
            "issuer": leaf.issuer,
            "subjectalternative": ",".join(leaf.names),
            "serialnumber": leaf.serial_number,
        }
    )
    return found


@lru_cache(maxsize=256)
def _info(name: str, value: str) -> bytes:
    """One object for the few versions and ciphers that there are."""
    return info_cell({name: value})


def _instant(at: datetime) -> bytes:
    return cell(at.timestamp())


def _add_further(found: dict[str, bytes], values: Mapping[str, float]) -> None:
    """A probe's own figure comes last, so it is the one that counts where the evidence gives one of that name too."""
    for name in values if len(values) <= _MAX_FURTHER_VALUES else list(values)[:_MAX_FURTHER_VALUES]:
        column = _further_column(name)
        if column is not None:
            found[column] = cell(values[name])


@lru_cache(maxsize=1024)
def _further_column(name: str) -> str | None:
    return f"probe_{name}{{" if name.isascii() and name.isidentifier() else None


@lru_cache(maxsize=64)
def _version(text: str) -> bytes:
    """`HTTP/1.1`, `1.1` or `2` as a figure; 0 where a server wrote something else."""
    try:
        return cell(float(text.rpartition("/")[2]))
    except ValueError:
        return _NEVER
