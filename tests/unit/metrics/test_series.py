"""The blackbox names of one result."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.result import Evidence, Hop, Phase, ProbeResult, Reason
from sentry.metrics.cells import cell, duration_cell
from sentry.metrics.labels import number
from sentry.metrics.series import CheckSeries, address_hash, bare_address
from tests.fakes.results import a_bad_result, a_certificate, a_good_result

LABELS = 'instance="https://a/",job="http"'


def series(kind: str, result: ProbeResult) -> dict[str, str]:
    """Family → its lines for one result."""
    lines: dict[str, str] = {}
    for column, text in CheckSeries(kind).cells(result).items():
        family = column.partition("{")[0]
        lines[family] = lines.get(family, "") + column + LABELS + text.decode()
    return lines


def _one(lines: dict[str, str], family: str) -> float:
    (line,) = lines[family].splitlines()
    return float(line.rpartition(" ")[2])


def test_series_good_https_has_every_blackbox_name() -> None:
    """A dashboard of blackbox_exporter finds all that it asks for."""
    lines = series("http", a_good_result())
    assert _one(lines, "probe_success") == 1
    assert _one(lines, "probe_duration_seconds") == 0.21
    assert _one(lines, "probe_dns_lookup_time_seconds") == 0.012
    assert _one(lines, "probe_ip_protocol") == 4
    assert _one(lines, "probe_http_status_code") == 200
    assert _one(lines, "probe_http_content_length") == 30_211
    assert _one(lines, "probe_http_ssl") == 1
    assert _one(lines, "probe_http_version") == 1.1
    assert _one(lines, "probe_failed_due_to_regex") == 0
    assert _one(lines, "probe_ssl_earliest_cert_expiry") == a_certificate().not_after.timestamp()
    assert _one(lines, "probe_ssl_last_chain_expiry_timestamp_seconds") == a_certificate().not_after.timestamp()
    assert 'version="TLS 1.3"' in lines["probe_tls_version_info"]
    assert 'cipher="TLS_AES_256_GCM_SHA384"' in lines["probe_tls_cipher_info"]
    assert 'subjectalternative="shop.acme.example"' in lines["probe_ssl_last_chain_info"]


def test_series_refused_still_has_all_five_http_phases() -> None:
    """A probe that never connected leaves no hole in a stacked graph."""
    refused = replace(
        a_bad_result(reason=Reason.CONNECT_REFUSED), phases={Phase.DNS: 0.01}, evidence=Evidence(address=None)
    )
    lines = series("http", refused)
    phases = lines["probe_http_duration_seconds"].splitlines()
    assert [line.partition('phase="')[2].partition('"')[0] for line in phases] == [
        "resolve",
        "connect",
        "tls",
        "processing",
        "transfer",
    ]
    assert _one(lines, "probe_http_status_code") == 0
    assert "probe_ip_protocol" not in lines


@pytest.mark.parametrize("tls", [True, False])
def test_series_no_answer_has_the_zeros_of_blackbox(*, tls: bool) -> None:
    """Also a handshake that failed counts as no answer: blackbox_exporter then says `probe_http_ssl 0`."""
    bad = a_bad_result(reason=Reason.TLS_UNTRUSTED if tls else Reason.CONNECT_REFUSED)
    evidence = Evidence(tls=bad.evidence.tls if tls else None, values={"failed_addresses": 0})
    lines = series("http", replace(bad, evidence=evidence))
    for name in ("status_code", "content_length", "uncompressed_body_length", "redirects", "ssl", "version"):
        assert _one(lines, f"probe_http_{name}") == 0, name
    assert _one(lines, "probe_failed_due_to_regex") == 0
    assert "probe_http_last_modified_timestamp_seconds" not in lines


def test_series_answer_alone_gives_every_http_figure() -> None:
    """The probe need not measure again what stands in its evidence."""
    good = a_good_result()
    assert good.evidence.http is not None
    hops = (Hop("https://a/", 301, "http://b/"), Hop("http://b/", 200))
    http = replace(good.evidence.http, content_length=None, uncompressed_bytes=7, hops=hops)
    lines = series("http", replace(good, evidence=replace(good.evidence, http=http, values={})))
    assert _one(lines, "probe_http_content_length") == -1
    assert _one(lines, "probe_http_uncompressed_body_length") == 7
    assert _one(lines, "probe_http_redirects") == 1
    assert _one(lines, "probe_http_ssl") == 0
    assert http.last_modified is not None
    assert _one(lines, "probe_http_last_modified_timestamp_seconds") == http.last_modified.timestamp()


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (Reason.BODY_TEXT_MISSING, 1),
        (Reason.BODY_TEXT_FORBIDDEN, 1),
        (Reason.BODY_JSON_MISMATCH, 0),
        (Reason.HTTP_SERVER_ERROR, 0),
    ],
)
def test_series_failed_pattern_is_shown_apart(reason: Reason, shown: int) -> None:
    """As the probe itself has always said it: patterns on the body, and nothing else."""
    assert _one(series("http", a_bad_result(reason=reason)), "probe_failed_due_to_regex") == shown


def test_series_next_minute_with_another_certificate_shows_it() -> None:
    """What is remembered of a certificate lasts as long as the certificate does."""
    check, good = CheckSeries("http"), a_good_result()
    assert good.evidence.tls is not None
    before = check.cells(good)
    assert check.cells(replace(good)) == before
    renewed = replace(good.evidence.tls, chain=(replace(a_certificate(), fingerprint_sha256="cd" * 32),))
    after = check.cells(replace(good, evidence=replace(good.evidence, tls=renewed)))
    assert b"cdcdcd" in after["probe_ssl_last_chain_info{"]
    assert b"cdcdcd" not in before["probe_ssl_last_chain_info{"]


@given(st.floats() | st.integers(-(10**18), 10**18))
def test_cell_any_figure_is_written_as_the_format_wants(value: float) -> None:
    """The quick ways of writing a figure write what the slow one writes."""
    assert cell(value) == f"}} {number(value + 0.0)}\n".encode()


@given(st.floats(min_value=0, max_value=1e4))
def test_duration_cell_any_time_keeps_six_figures(seconds: float) -> None:
    """A rounded time is the measured time for everyone who reads it."""
    assert float(duration_cell(seconds)[2:]) == pytest.approx(seconds, rel=1e-5, abs=1e-12)


def test_series_unverified_chain_keeps_its_expiry() -> None:
    """An expired certificate still says when it expired; only the verified chain has no figure."""
    bad = a_bad_result(reason=Reason.TLS_EXPIRED)
    assert bad.evidence.tls is not None
    unverified = replace(bad, evidence=replace(bad.evidence, tls=replace(bad.evidence.tls, verified=False)))
    lines = series("tls", unverified)
    assert "probe_ssl_earliest_cert_expiry" in lines
    assert "probe_ssl_last_chain_expiry_timestamp_seconds" not in lines


@pytest.mark.parametrize(
    ("kind", "family", "phases"),
    [
        ("dns", "probe_dns_duration_seconds", ["resolve", "connect", "request"]),
        ("icmp", "probe_icmp_duration_seconds", ["resolve", "setup", "rtt"]),
    ],
)
def test_series_other_kinds_name_their_phases_as_blackbox(kind: str, family: str, phases: list[str]) -> None:
    """DNS and ICMP probes have phase names of their own."""
    lines = series(kind, a_good_result())[family].splitlines()
    assert [line.partition('phase="')[2].partition('"')[0] for line in lines] == phases


def test_series_further_values_become_gauges() -> None:
    """What a probe kind measures beside the rest is exported under its name; what is no name is not."""
    result = replace(a_good_result(), evidence=Evidence(values={"dns_answer_rrs": 3, "not a name": 1, 'x{a="b"}': 1}))
    lines = series("dns", result)
    assert _one(lines, "probe_dns_answer_rrs") == 3
    assert not [family for family in lines if "name" in family or "{" in family]


def test_series_own_figure_of_the_probe_counts_once() -> None:
    """A probe kind that measures a figure of the table itself replaces it; a series never stands there twice."""
    good = a_good_result()
    result = replace(good, evidence=replace(good.evidence, values={"http_redirects": 4}))
    assert _one(series("http", result), "probe_http_redirects") == 4


def test_series_dns_question_is_the_request() -> None:
    """A DNS probe spends its time in the phase DNS, which blackbox_exporter calls the request."""
    result = replace(a_good_result(), phases={Phase.DNS: 0.02}, evidence=Evidence())
    assert 'phase="request",' + LABELS + "} 0.02" in series("dns", result)["probe_dns_duration_seconds"]


def test_series_hostile_certificate_stays_on_its_line() -> None:
    """A name with quotes and newlines is a label value like any other."""
    names = ('evil"} 1\nprobe_success{instance="https://bank/"', "x" * 9000)
    good = a_good_result()
    assert good.evidence.tls is not None
    tls = replace(good.evidence.tls, chain=(a_certificate(names=names, subject='CN="\n'),))
    lines = series("http", replace(good, evidence=replace(good.evidence, tls=tls)))
    (line,) = lines["probe_ssl_last_chain_info"].splitlines()
    assert len(line) < 1500


@pytest.mark.parametrize(
    ("address", "bare"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:443", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("unix socket", None),
    ],
)
def test_bare_address_any_form_gives_the_ip(address: str, bare: str | None) -> None:
    """An address comes with or without its port."""
    assert bare_address(address) == bare


def test_address_hash_known_bytes_is_fnv1a() -> None:
    """Go's hash/fnv New32a over the four bytes; worked by hand for 0.0.0.0, and the figure of 127.0.0.1."""
    expected = 0x811C9DC5
    for _ in range(4):
        expected = expected * 0x01000193 % 2**32
    assert address_hash("0.0.0.0") == expected
    assert address_hash("127.0.0.1") == 3668918509
    assert address_hash("192.0.2.1") != address_hash("192.0.2.2")
