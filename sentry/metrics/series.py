"""Renders one result as exposition lines, once, when the probe ends: a scrape only joins them."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import ip_address

from sentry.domain.result import Certificate, Evidence, HttpEvidence, Phase, ProbeResult, Reason, TlsEvidence
from sentry.metrics.labels import label_value, number

HTTP_PHASES = {
    "resolve": Phase.DNS,
    "connect": Phase.CONNECT,
    "tls": Phase.TLS,
    "processing": Phase.PROCESSING,
    "transfer": Phase.TRANSFER,
}
DNS_PHASES = {"resolve": None, "connect": Phase.CONNECT, "request": Phase.DNS}  # the question is the work itself
ICMP_PHASES = {"resolve": Phase.DNS, "setup": Phase.CONNECT, "rtt": Phase.PROCESSING}

KIND_PHASES: Mapping[str, tuple[str, Mapping[str, Phase | None]]] = {
    "http": ("probe_http_duration_seconds", HTTP_PHASES),
    "dns": ("probe_dns_duration_seconds", DNS_PHASES),
    "icmp": ("probe_icmp_duration_seconds", ICMP_PHASES),
}
"""Kind of check → its family of phases, named as blackbox_exporter names them. All phases are always there."""

BODY_REASONS = frozenset({Reason.BODY_TEXT_MISSING, Reason.BODY_TEXT_FORBIDDEN, Reason.BODY_JSON_MISMATCH})

_MAX_FURTHER_VALUES = 64
_MAX_REMEMBERED = 20_000


def series(kind: str, own_labels: str, result: ProbeResult) -> dict[str, str]:
    """Returns family → its lines for one result, each line ended.

    Args:
        kind: kind of the check, a key of `probes.KINDS`.
        own_labels: the labels of the check without braces, escaped.
        result: a result that says something of the site (not `Status.UNKNOWN`).
    """
    # A probe's own figure of the same name comes last and is the one that counts: a series may stand there once.
    figures = {(family, extra): value for family, extra, value in _figures(kind, result)}
    lines: dict[str, str] = {}
    for (family, extra), value in figures.items():
        line = f"{family}{{{own_labels}{extra}}} {number(value)}\n"
        lines[family] = lines.get(family, "") + line
    return lines


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


Figure = tuple[str, str, float]
"""Family, further labels beginning with a comma, value."""


def _figures(kind: str, result: ProbeResult) -> Iterator[Figure]:
    evidence = result.evidence
    yield "probe_success", "", float(result.answers)
    yield "probe_duration_seconds", "", result.duration_s
    yield "probe_dns_lookup_time_seconds", "", result.phases.get(Phase.DNS, 0.0)
    yield from _of_address(evidence)
    if kind in KIND_PHASES:
        family, phases = KIND_PHASES[kind]
        for name, phase in phases.items():
            yield family, f',phase="{name}"', result.phases.get(phase, 0.0) if phase else 0.0
    if kind == "http":
        yield "probe_failed_due_to_regex", "", float(result.reason in BODY_REASONS)
        yield from _of_http(evidence.http, over_tls=evidence.tls is not None)
    if evidence.tls is not None:
        yield from _of_tls(evidence.tls)
    yield from _further(evidence.values)


def _of_address(evidence: Evidence) -> Iterator[Figure]:
    facts = _address_facts(evidence.address) if evidence.address else None
    if facts is not None:
        yield "probe_ip_protocol", "", facts[0]
        yield "probe_ip_addr_hash", "", facts[1]


@lru_cache(maxsize=_MAX_REMEMBERED)
def _address_facts(address: str) -> tuple[int, int] | None:
    bare = bare_address(address)
    return (ip_address(bare).version, address_hash(bare)) if bare is not None else None


def _of_http(http: HttpEvidence | None, *, over_tls: bool) -> Iterator[Figure]:
    if http is None:
        yield "probe_http_status_code", "", 0.0  # as blackbox_exporter says where no answer came
        return
    length = -1 if http.content_length is None else http.content_length
    yield "probe_http_status_code", "", float(http.status)
    yield "probe_http_content_length", "", float(length)
    yield "probe_http_uncompressed_body_length", "", float(http.uncompressed_bytes)
    yield "probe_http_redirects", "", float(max(len(http.hops) - 1, 0))  # the last hop is the answer itself
    yield "probe_http_ssl", "", float(over_tls)
    yield "probe_http_version", "", _version(http.version)
    if http.last_modified is not None:
        yield "probe_http_last_modified_timestamp_seconds", "", http.last_modified.timestamp()


def _of_tls(tls: TlsEvidence) -> Iterator[Figure]:
    if tls.version is not None:
        yield "probe_tls_version_info", f',version="{label_value(tls.version)}"', 1.0
    if tls.cipher is not None:
        yield "probe_tls_cipher_info", f',cipher="{label_value(tls.cipher)}"', 1.0
    if not tls.chain:
        return
    earliest = min(certificate.not_after for certificate in tls.chain).timestamp()
    yield "probe_ssl_earliest_cert_expiry", "", earliest
    if tls.verified:
        yield "probe_ssl_last_chain_expiry_timestamp_seconds", "", earliest
    yield "probe_ssl_last_chain_info", _leaf_labels(_Leaf(tls.chain[0])), 1.0


class _Leaf:
    """A certificate that is known by its fingerprint: its labels are made once, not once a minute."""

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate

    def __hash__(self) -> int:
        return hash(self.certificate.fingerprint_sha256)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Leaf) and other.certificate.fingerprint_sha256 == self.certificate.fingerprint_sha256
        )


@lru_cache(maxsize=_MAX_REMEMBERED)
def _leaf_labels(leaf: _Leaf) -> str:
    certificate = leaf.certificate
    facts = {
        "fingerprint_sha256": certificate.fingerprint_sha256,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "subjectalternative": ",".join(certificate.names),
        "serialnumber": certificate.serial_number,
    }
    return "".join(f',{name}="{label_value(value)}"' for name, value in facts.items())


def _further(values: Mapping[str, float]) -> Iterator[Figure]:
    for name in list(values)[:_MAX_FURTHER_VALUES]:
        if name.isascii() and name.isidentifier():
            yield f"probe_{name}", "", values[name]


def _version(text: str) -> float:
    """`HTTP/1.1`, `1.1` or `2` as a figure; 0 where a server wrote something else."""
    try:
        return float(text.rpartition("/")[2])
    except ValueError:
        return 0.0
