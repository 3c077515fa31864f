"""Results on their way from a worker: rows of plain JSON values, checked against their types where they arrive.

A worker reads what hostile servers send, so the agent trusts none of its bytes: nothing is unpickled, every value has
the type that its place says, and each message has its limit. Certificates cross once and are named by number after
that: ten thousand sites present the same ones minute after minute, and the agent keeps one object of each.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import TypeAdapter

from sentry.app.workers.frames import BrokenFrame
from sentry.domain.result import (
    Certificate,
    Evidence,
    Hop,
    HttpEvidence,
    Phase,
    ProbeResult,
    Reason,
    Status,
    TlsEvidence,
)
from sentry.ports import SampleKind

MAX_RESULT_BYTES = 1024 * 1024
"""A greater one travels without its evidence; bodies, headers and logs are bounded far below."""

_Instant = str
"""ISO 8601 in UTC; `datetime.fromisoformat` reads it several times as fast as a validator would."""
_CertificateRow = tuple[int, tuple[str, str, tuple[str, ...], str, _Instant, _Instant, str, str, str]]
"""Its number, then the fields of a `Certificate`."""
_TlsRow = tuple[str | None, str | None, tuple[int, ...], bool, str | None]
"""The fields of a `TlsEvidence`, the chain as numbers."""
_HttpRow = tuple[
    int,
    str,
    tuple[tuple[str, str], ...],
    str,
    int | None,
    int,
    int,
    _Instant | None,
    tuple[tuple[str, int, str | None], ...],
]
"""The fields of an `HttpEvidence`."""
_EvidenceRow = tuple[str | None, tuple[str, ...], _TlsRow | None, _HttpRow | None, dict[str, float], tuple[str, ...]]
"""The fields of an `Evidence`."""
_ResultRow = tuple[
    str,
    _Instant,
    _Instant,
    float,
    Status,
    Reason | None,
    Phase | None,
    str,
    dict[Phase, float],
    _EvidenceRow,
    int,
]
"""The fields of a `ProbeResult`."""
_ArrivalRow = tuple[SampleKind, float, int, _ResultRow]
_BATCH: TypeAdapter[tuple[int, bool, list[_CertificateRow], list[_ArrivalRow]]] = TypeAdapter(
    tuple[int, bool, list[_CertificateRow], list[_ArrivalRow]]
)
_to_json = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Arrival:
    """One result as a worker hands it over.

    Attributes:
        delay_s: how late after its slot the probe had started.
        missed_slots: how many slots went by, where the result tells of such.
    """

    result: ProbeResult
    kind: SampleKind
    delay_s: float
    missed_slots: int


@dataclass(slots=True)
class ResultWriter:
    """The worker's end.

    Attributes:
        certificates: how many distinct ones the agent was told of since `forget`.
    """

    _numbers: dict[str, int] = field(default_factory=dict)
    _fresh: list[bytes] = field(default_factory=list)
    _forgotten: bool = False

    @property
    def certificates(self) -> int:
        """How many distinct certificates the agent has been told of."""
        return len(self._numbers)

    def row(self, arrival: Arrival) -> bytes:
        """Returns one result, to be put into a batch."""
        row = self._encoded(arrival, arrival.result.evidence)
        if len(row) > MAX_RESULT_BYTES:
            row = self._encoded(arrival, Evidence(log=(f"the evidence was left out: {len(row)} bytes",)))
        return row

    def batch(self, generation: int, rows: Sequence[bytes]) -> bytes:
        """Returns a message with these rows and the certificates that are new in them.

        Args:
            generation: of the checks that were probed.
            rows: made by this writer, in this order, after the last `forget`.
        """
        fresh, self._fresh = self._fresh, []
        forget, self._forgotten = b"true" if self._forgotten else b"false", False
        return b"[%d,%b,[%b],[%b]]" % (generation, forget, b",".join(fresh), b",".join(rows))

    def forget(self) -> None:
        """Begins the numbering anew. Call it when no row waits: those name certificates by their old numbers."""
        self._numbers.clear()
        self._fresh.clear()
        self._forgotten = True

    def _encoded(self, arrival: Arrival, evidence: Evidence) -> bytes:
        result = arrival.result
        fields = (
            result.check_key,
            _iso(result.scheduled_at),
            _iso(result.started_at),
            result.duration_s,
            result.status,
            result.reason,
            result.failed_phase,
            result.detail,
            result.phases,
            (
                evidence.address,
                evidence.addresses,
                self._tls(evidence.tls),
                _http_row(evidence.http),
                evidence.values,
                list(evidence.log),
            ),
            result.received_bytes,
        )
        return _utf8(_to_json((arrival.kind, arrival.delay_s, arrival.missed_slots, fields)))

    def _tls(self, tls: TlsEvidence | None) -> Sequence[object] | None:
        if tls is None:
            return None
        return tls.version, tls.cipher, [self._number(one) for one in tls.chain], tls.verified, tls.error

    def _number(self, certificate: Certificate) -> int:
        number = self._numbers.get(certificate.fingerprint_sha256)
        if number is None:
            number = self._numbers[certificate.fingerprint_sha256] = len(self._numbers)
            self._fresh.append(_utf8(_to_json((number, _certificate_row(certificate)))))
        return number


@dataclass(slots=True)
class ResultReader:
    """The agent's end."""

    _certificates: dict[int, Certificate] = field(default_factory=dict)

    def read(self, payload: bytes) -> tuple[int, list[Arrival]]:
        """Returns the generation of a batch and its results.

        Raises:
            BrokenFrame: it names a certificate that never came.
            ValueError: it is not what a worker writes.
        """
        generation, forget, certificates, rows = _BATCH.validate_json(payload)
        if forget:
            self._certificates.clear()
        self._certificates |= {number: _certificate(row) for number, row in certificates}
        try:
            return generation, [self._arrival(row) for row in rows]
        except KeyError as error:
            raise BrokenFrame(f"certificate {error} never came") from error

    def _arrival(self, row: _ArrivalRow) -> Arrival:
        kind, delay_s, missed_slots, one = row
        key, scheduled_at, started_at, duration_s, status, reason, phase, detail, phases, seen, received_bytes = one
        address, addresses, tls, http, values, log = seen
        evidence = Evidence(
            address,
            addresses,
            None if tls is None else TlsEvidence(tls[0], tls[1], self._chain(tls[2]), tls[3], tls[4]),
            None if http is None else _http(http),
            values,
            log,
        )
        result = ProbeResult(
            key,
            _instant(scheduled_at),
            _instant(started_at),
            duration_s,
            status,
            reason,
            phase,
            detail,
            phases,
            evidence,
            received_bytes,
        )
        return Arrival(result, kind, delay_s, missed_slots)

    def _chain(self, numbers: Sequence[int]) -> tuple[Certificate, ...]:
        return tuple(self._certificates[number] for number in numbers)


def _certificate_row(one: Certificate) -> tuple[object, ...]:
    return (
        one.subject,
        one.issuer,
        one.names,
        one.serial_number,
        _iso(one.not_before),
        _iso(one.not_after),
        one.fingerprint_sha256,
        one.key,
        one.signature,
    )


def _certificate(row: tuple[str, str, tuple[str, ...], str, _Instant, _Instant, str, str, str]) -> Certificate:
    return Certificate(*row[:4], _instant(row[4]), _instant(row[5]), *row[6:])


def _http_row(http: HttpEvidence | None) -> tuple[object, ...] | None:
    if http is None:
        return None
    return (
        http.status,
        http.version,
        list(http.headers),
        http.body_head,
        http.content_length,
        http.body_bytes,
        http.uncompressed_bytes,
        None if http.last_modified is None else _iso(http.last_modified),
        [(hop.url, hop.status, hop.location) for hop in http.hops],
    )


def _http(row: _HttpRow) -> HttpEvidence:
    modified = None if row[7] is None else _instant(row[7])
    return HttpEvidence(*row[:7], modified, tuple(Hop(*hop) for hop in row[8]))


def _iso(instant: datetime) -> _Instant:
    return (instant if instant.tzinfo is UTC else instant.astimezone(UTC)).isoformat()


def _instant(text: _Instant) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is not UTC:
        raise BrokenFrame(f"'{text}' is no instant in UTC")
    return instant


def _utf8(text: str) -> bytes:
    """A hostile site's text may hold lone surrogates, which UTF-8 cannot; they become U+FFFD, as in the store."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
