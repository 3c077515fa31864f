from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sentry.domain.failure_report import AddressTrial, CollectedEvidence
from sentry.domain.result import Evidence, HttpEvidence, Phase, ProbeResult, Reason, Status, TlsEvidence
from sentry.domain.site import Language
from sentry.reports.causes import CAUSES
from sentry.reports.facts import cause_facts, cause_headline, cause_sentence, host_of
from sentry.reports.wording import Wording
from tests.fakes.client_reports import messages
from tests.fakes.failure_reports import STARTED, certificate, error_result, expired_result, incident_of
from tests.fakes.incidents import report_of

MADRID = ZoneInfo("Europe/Madrid")


def bare(reason: Reason) -> ProbeResult:
    """A failure of which nothing but its reason is known: its evidence was pruned."""
    status = Status.UNKNOWN if reason.is_agents_fault else Status.DOWN
    return ProbeResult("acme-shop/http", STARTED, STARTED, 0.0, status, reason)


def told(reason: Reason) -> ProbeResult:
    """A failure with every fact that a sentence may want."""
    return replace(
        bare(reason),
        duration_s=10.02,
        failed_phase=Phase.PROCESSING,
        phases={Phase.PROCESSING: 9.7},
        evidence=Evidence(
            tls=TlsEvidence(chain=(certificate(STARTED - timedelta(days=3)),)), http=HttpEvidence(503, "1.1")
        ),
    )


def test_causes_every_reason_of_the_closed_set_has_its_words() -> None:
    """No reason is without a sentence."""
    assert set(CAUSES) == set(Reason)


@pytest.mark.promise("001-32")
@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("reason", sorted(Reason))
@pytest.mark.parametrize("failure", [bare, told])
def test_cause_any_reason_is_one_whole_sentence_naming_the_site(
    reason: Reason, language: Language, failure: type[ProbeResult]
) -> None:
    """With every fact or with none: one line, no empty place, no English in Spanish."""
    incident = incident_of(replace(failure(reason)))  # type: ignore[call-arg]  # a function of the reason
    incident = replace(incident, report=replace(report_of(incident), evidence=None))
    sentence = messages().cause(incident, language)
    assert "shop.acme.example" in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "{" not in sentence
    assert "()" not in sentence
    headline = cause_headline(report_of(incident), Wording(language, MADRID))
    assert 3 < len(headline) <= 50
    if language is Language.ES:
        english = messages().cause(incident, Language.EN)
        assert sentence != english


def test_cause_expired_certificate_says_since_when_and_what_visitors_see() -> None:
    """The two sentences of the brief reader: the client."""
    incident = incident_of(expired_result())
    assert messages().cause(incident, Language.ES) == (
        "El certificado de seguridad de shop.acme.example caducó hace 3 días (el 19 nov 2026); los navegadores "
        "muestran un aviso y los clientes no entran."
    )
    assert messages().cause(incident, Language.EN) == (
        "The security certificate of shop.acme.example expired 3 days ago (on 19 Nov 2026); browsers show a warning "
        "and customers do not get in."
    )


def test_cause_server_error_says_its_status_in_words() -> None:
    """503 and what it means; a status without a name stands alone."""
    assert messages().cause(incident_of(error_result()), Language.EN) == (
        "The server of shop.acme.example answered with error 503 (out of service): visitors see an error instead of "
        "the page."
    )
    assert "error 599:" in messages().cause(incident_of(error_result(599)), Language.EN)


def test_cause_timeout_says_how_long_was_waited() -> None:
    """The time of the phase that failed, in the reader's numbers."""
    incident = incident_of(told(Reason.PROCESSING_TIMEOUT))
    assert "9,7 segundos" in messages().cause(incident, Language.ES)


def test_cause_chain_only_in_the_collected_evidence_is_used() -> None:
    """A probe that kept no chain is helped by the collector's."""
    trial = AddressTrial("203.0.113.7:443", connected=True, chain=(certificate(),))
    incident = incident_of(bare(Reason.TLS_EXPIRED))
    report = replace(report_of(incident), evidence=CollectedEvidence(STARTED, addresses=(trial,)))
    assert "3 days ago" in cause_sentence(report, Wording(Language.EN, MADRID))


def test_cause_expired_intermediate_is_the_one_that_is_named() -> None:
    """The certificate that ended first decides, not the first of the chain."""
    chain = (certificate(STARTED + timedelta(days=40)), certificate(STARTED - timedelta(days=2)))
    failed = replace(bare(Reason.TLS_EXPIRED), evidence=Evidence(tls=TlsEvidence(chain=chain)))
    assert cause_facts(report_of(incident_of(failed)), Wording(Language.EN, MADRID))["expired"] == "2 days ago"


def test_cause_hostile_certificate_name_is_shown_inert() -> None:
    """A name in a certificate cannot break the line or turn it round."""
    leaf = certificate(names=("evil\r\nBcc: x@example.com", "\u202etxet", "\x1b[31mred"))
    failed = replace(bare(Reason.TLS_WRONG_HOST), evidence=Evidence(tls=TlsEvidence(chain=(leaf,))))
    sentence = messages().cause(incident_of(failed), Language.EN)
    assert "(evil Bcc: x@example.com, txet, red)" in sentence


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://shop.example/path", "shop.example"),
        ("https://shop.example:443/", "shop.example"),
        ("http://shop.example:8080/", "shop.example:8080"),
        ("tcp://mail.example:25", "mail.example:25"),
        ("https://user:secret@shop.example/", "shop.example"),
        ("https://user:secret@shop.example:99999/", "https://shop.example:99999/"),
        ("https://[2001:db8::7]/", "2001:db8::7"),
        ("http://shop.example:99999/", "http://shop.example:99999/"),
        ("shop.example", "shop.example"),
    ],
)
def test_host_of_any_address_is_what_people_call_it(url: str, host: str) -> None:
    """No scheme, no path, no credentials."""
    assert host_of(url) == host


def test_certificate_of_the_sample_expired_before_the_failure() -> None:
    """The sample is what the tests above say it is."""
    assert certificate().not_after == datetime(2026, 11, 19, 0, 14, 10, tzinfo=UTC)
