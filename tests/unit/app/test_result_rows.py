"""Results on their way from a worker to the agent arrive as they left, and nothing else gets in."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, overload

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.app.workers.frames import BrokenFrame
from sentry.app.workers.results import MAX_RESULT_BYTES, Arrival, ResultReader, ResultWriter
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
from tests.fakes.results import a_bad_result, a_good_result

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
INSTANT = st.datetimes(timezones=st.just(UTC))
SECONDS = st.floats(allow_nan=False, allow_infinity=False)
SMALL = st.integers(0, 2**62)


def _certificate(subject: str, names: tuple[str, ...], not_before: datetime, not_after: datetime) -> Certificate:
    """A fingerprint stands for all the rest, as it does in the world."""
    fingerprint = sha256(repr((subject, names, not_before, not_after)).encode()).hexdigest()
    return Certificate(
        subject, f"CN={subject}", names, "1f", not_before, not_after, fingerprint, "RSA 2048", "sha256"
    )


CERTIFICATE = st.builds(_certificate, TEXT, st.tuples(TEXT, TEXT), INSTANT, INSTANT)
TLS = st.builds(
    TlsEvidence,
    version=st.none() | TEXT,
    cipher=st.none() | TEXT,
    chain=st.lists(CERTIFICATE, max_size=3).map(tuple),
    verified=st.booleans(),
    error=st.none() | TEXT,
)
HTTP = st.builds(
    HttpEvidence,
    status=st.integers(100, 999),
    version=TEXT,
    headers=st.lists(st.tuples(TEXT, TEXT), max_size=4).map(tuple),
    body_head=TEXT,
    content_length=st.none() | SMALL,
    body_bytes=SMALL,
    uncompressed_bytes=SMALL,
    last_modified=st.none() | INSTANT,
    hops=st.lists(st.builds(Hop, TEXT, st.integers(100, 599), st.none() | TEXT), max_size=2).map(tuple),
)
EVIDENCE = st.builds(
    Evidence,
    address=st.none() | TEXT,
    addresses=st.lists(TEXT, max_size=2).map(tuple),
    tls=st.none() | TLS,
    http=st.none() | HTTP,
    values=st.dictionaries(TEXT, st.floats(allow_nan=False), max_size=3),
    log=st.lists(TEXT, max_size=4).map(tuple),
)
RESULT = st.builds(
    ProbeResult,
    check_key=TEXT,
    scheduled_at=INSTANT,
    started_at=INSTANT,
    duration_s=SECONDS,
    status=st.sampled_from(Status),
    reason=st.none() | st.sampled_from(Reason),
    failed_phase=st.none() | st.sampled_from(Phase),
    detail=TEXT,
    phases=st.dictionaries(st.sampled_from(Phase), SECONDS),
    evidence=EVIDENCE,
)
ARRIVAL = st.builds(Arrival, RESULT, st.sampled_from(SampleKind), SECONDS, st.integers(0, 9))


def sent(writer: ResultWriter, reader: ResultReader, *arrivals: Arrival, generation: int = 3) -> list[Arrival]:
    """What arrives of these."""
    rows = [writer.row(arrival) for arrival in arrivals]
    arrived = reader.read(writer.batch(generation, rows))
    assert arrived[0] == generation
    return arrived[1]


def arrival_of(result: ProbeResult) -> Arrival:
    """A result of a slot."""
    return Arrival(result, SampleKind.SLOT, 0.004, 0)


@given(batches=st.lists(st.lists(ARRIVAL, max_size=3), min_size=1, max_size=3))
def test_results_arrive_as_they_left(batches: list[list[Arrival]]) -> None:
    """Every field of every kind of evidence, over several batches of one link."""
    writer, reader = ResultWriter(), ResultReader()
    for batch in batches:
        assert sent(writer, reader, *batch) == batch


def test_types_of_closed_sets_arrive_as_such() -> None:
    """A status is a `Status` again and a phase a `Phase`: they label metrics and choose words."""
    (arrived,) = sent(ResultWriter(), ResultReader(), arrival_of(a_bad_result()))
    result = arrived.result
    assert (type(result.status), type(result.reason), type(result.failed_phase)) == (Status, Reason, Phase)
    assert {type(phase) for phase in result.phases} == {Phase}
    assert type(arrived.kind) is SampleKind


def test_certificate_crosses_once_and_is_shared() -> None:
    """The second result names it by number, and both hold the same object."""
    writer, reader = ResultWriter(), ResultReader()
    first = writer.batch(1, [writer.row(arrival_of(a_good_result("a/http")))])
    second = writer.batch(1, [writer.row(arrival_of(a_good_result("b/http")))])
    assert b"Let's Encrypt" in first
    assert b"Let's Encrypt" not in second
    (one,), (other,) = reader.read(first)[1], reader.read(second)[1]
    assert one.result.evidence.tls is not None
    assert other.result.evidence.tls is not None
    assert one.result.evidence.tls.chain[0] is other.result.evidence.tls.chain[0]


def test_certificates_are_sent_anew_after_they_were_forgotten() -> None:
    """A numbering that begins anew mixes nothing up."""
    writer, reader = ResultWriter(), ResultReader()
    good = arrival_of(_with_subject(a_good_result(), "CN=one.example"))
    other = arrival_of(_with_subject(a_good_result(), "CN=other.example"))
    assert sent(writer, reader, good) == [good]
    writer.forget()
    assert writer.certificates == 0
    assert sent(writer, reader, other, good) == [other, good]


def _with_subject(result: ProbeResult, subject: str) -> ProbeResult:
    tls = result.evidence.tls
    assert tls is not None
    chain = tuple(replace(one, subject=subject, fingerprint_sha256=subject) for one in tls.chain[:1])
    return replace(result, evidence=replace(result.evidence, tls=replace(tls, chain=chain)))


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_figure_that_is_no_number_arrives(value: float) -> None:
    """A site's figure may be infinite or no number at all."""
    result = replace(a_good_result(), evidence=Evidence(values={"figure": value}))
    (arrived,) = sent(ResultWriter(), ResultReader(), arrival_of(result))
    assert repr(arrived.result.evidence.values["figure"]) == repr(value)


def test_lone_surrogate_of_a_hostile_site_becomes_a_replacement_character() -> None:
    """UTF-8 cannot hold it; the result arrives all the same."""
    result = replace(a_bad_result(), detail="bad \ud800 text é 漢 \0")
    (arrived,) = sent(ResultWriter(), ResultReader(), arrival_of(result))
    assert arrived.result.detail == "bad \ufffd text é 漢 \0"
    assert arrived.result.evidence.http == result.evidence.http


class Lazy(Sequence[Any]):
    """A sequence that makes its items when they are asked for, as evidence may be."""

    def __init__(self, *items: Any) -> None:
        self._items = items

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)


def test_evidence_that_is_made_on_demand_arrives_as_plain_tuples() -> None:
    """A log and headers that are no tuples yet."""
    bad = a_bad_result()
    assert bad.evidence.http is not None
    http = replace(bad.evidence.http, headers=Lazy(("Server", "nginx")))  # type: ignore[arg-type]  # any sequence
    lazy = replace(bad.evidence, log=Lazy("one", "two"), http=http)  # type: ignore[arg-type]  # as above
    (arrived,) = sent(ResultWriter(), ResultReader(), arrival_of(replace(bad, evidence=lazy)))
    assert arrived.result.evidence.log == ("one", "two")
    assert arrived.result.evidence.http == bad.evidence.http


def test_result_without_measure_travels_without_its_evidence() -> None:
    """The verdict counts; what made it too long is left out, and that is said."""
    result = a_bad_result(body_head="x" * (MAX_RESULT_BYTES + 1))
    row = ResultWriter().row(arrival_of(result))
    assert len(row) < 1000
    (arrived,) = ResultReader().read(ResultWriter().batch(1, [row]))[1]
    assert arrived.result.reason is Reason.HTTP_SERVER_ERROR
    assert "left out" in arrived.result.evidence.log[0]


def _without_certificates(payload: bytes) -> bytes:
    generation, forget, _, rows = json.loads(payload)
    return json.dumps([generation, forget, [], rows]).encode()


@pytest.mark.parametrize(
    "damage",
    [
        _without_certificates,
        lambda payload: payload[:-9],
        lambda _: b"",
        lambda _: b"[" * 100_000,
        lambda _: b"\x80\x05cos\nsystem\n",
        lambda payload: payload.replace(b'"up"', b'"fine"'),
        lambda payload: payload.replace(b"+00:00", b""),
        lambda payload: payload.replace(b'"acme-shop/http"', b"{}"),
    ],
)
def test_what_no_worker_writes_is_refused(damage: Callable[[bytes], bytes]) -> None:
    """A worker that a hostile server has taken over can neither confuse the agent nor run anything in it."""
    writer = ResultWriter()
    payload = writer.batch(1, [writer.row(arrival_of(a_good_result()))])
    assert damage(payload) != payload
    with pytest.raises((BrokenFrame, ValueError)):
        ResultReader().read(damage(payload))
