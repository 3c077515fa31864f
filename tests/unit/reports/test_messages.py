import json
import re
import unicodedata
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from fractions import Fraction
from html.parser import HTMLParser

import pytest

from sentry.domain.budget import Budget
from sentry.domain.incident import WITHDRAWN, TimelineEntry
from sentry.domain.ledger import Totals
from sentry.domain.month import Month
from sentry.domain.notice import Message, NoticeKind
from sentry.domain.result import Evidence, Hop, HttpEvidence, Phase, ProbeResult, Reason, Status, TlsEvidence
from sentry.domain.severity import Severity
from sentry.domain.site import Language
from tests.fakes.client_reports import messages, shop
from tests.fakes.failure_reports import (
    STARTED,
    certificate,
    error_result,
    expired_result,
    good_result,
    incident_of,
    resolved,
)
from tests.fakes.incidents import report_of

EN, ES = Language.EN, Language.ES
NASTY = (
    "</pre><script>alert(1)</script><img src=x onerror=alert(1)>\r\nBcc: victim@example.com\r\n"
    "\x1b[2J\x1b]0;owned\x07\u202eevil\u2066 {{7*7}} {0.__class__} %s \x00 'quoted' \"double\" =cmd()"
)


def said(kind: NoticeKind = NoticeKind.OPENED, language: Language = EN, late_s: float = 0) -> Message:
    """A message about the expired certificate."""
    incident = incident_of(expired_result())
    if kind is NoticeKind.RESOLVED:
        incident = resolved(incident)
    return messages().message(incident, kind, key="17:1:opened:mail:a@b", language=language, delayed_s=late_s)


def hostile() -> ProbeResult:
    """A failure in which every text that a site can choose is hostile."""
    leaf = certificate(subject=NASTY, issuer=NASTY, names=(NASTY, NASTY))
    return replace(
        error_result(),
        detail=NASTY,
        evidence=Evidence(
            address="203.0.113.7:443",
            tls=TlsEvidence("TLSv1.3", "x", (leaf,), error=NASTY),
            http=HttpEvidence(
                503,
                NASTY,
                headers=((NASTY, NASTY),) * 50,
                body_head=NASTY * 200,
                hops=(Hop("http://shop.acme.example/", 301, NASTY),),
            ),
            log=(NASTY,) * 100,
        ),
    )


class Tags(HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)


def parsed(html: str) -> Tags:
    """Reads a page."""
    tags = Tags()
    tags.feed(html)
    return tags


@pytest.mark.parametrize(
    ("kind", "language", "subject"),
    [
        (NoticeKind.OPENED, EN, "[SEV1] Tienda Acme is down: certificate expired (#17)"),
        (NoticeKind.OPENED, ES, "[SEV1] Tienda Acme no funciona: certificado caducado (#17)"),
        (NoticeKind.REOPENED, EN, "[SEV1] Tienda Acme is down again: certificate expired (#17)"),
        (NoticeKind.REOPENED, ES, "[SEV1] Tienda Acme ha vuelto a caer: certificado caducado (#17)"),
        (NoticeKind.RESOLVED, EN, "[RESOLVED] Tienda Acme works again after 12 min (#17)"),
        (NoticeKind.RESOLVED, ES, "[RESUELTO] Tienda Acme funciona de nuevo tras 12 min (#17)"),
    ],
)
def test_subject_each_kind_says_what_happened_in_one_glance(
    kind: NoticeKind, language: Language, subject: str
) -> None:
    """How bad, which site, what, and the number to say on the phone."""
    assert said(kind, language).subject == subject


@pytest.mark.promise("001-32")
@pytest.mark.parametrize(
    ("language", "headline", "row"),
    [
        (
            Language.EN,
            "keeps failing and recovering",
            "4 outages so far. You hear of it again once it has stayed well.",
        ),
        (Language.ES, "no deja de caer y recuperarse", "4 caídas hasta ahora. Avisaremos de nuevo cuando"),
    ],
)
def test_text_flapping_site_says_so_and_when_the_next_message_comes(
    language: Language, headline: str, row: str
) -> None:
    """Who hears nothing for a while must know that this is meant, and not that all is well."""
    incident = incident_of(error_result(), opening=4, flapping_since=STARTED)
    told = messages().message(incident, NoticeKind.REOPENED, key="k", language=language, delayed_s=0.0)

    assert headline in told.subject
    assert row in " ".join(told.text.split())


def test_text_opening_first_lines_say_what_since_when_and_where_to_look() -> None:
    """Somebody who reads only the first screen knows enough to begin."""
    head = said(language=ES).text.split("─" * 78)[0]
    assert head == (
        "Tienda Acme no funciona: certificado caducado\n"
        "\n"
        "El certificado de seguridad de shop.acme.example caducó hace 3 días (el 19 nov\n"
        "2026); los navegadores muestran un aviso y los clientes no entran.\n"
        "\n"
        "Desde            22 nov 2026, 03:14:10 (Europe/Madrid, UTC+01:00)\n"
        "Fases            dns ✓  connect ✓  tls ✗  processing ·  transfer ·\n"
        "Detalle          certificate expired on 2026-11-19 00:14:10 UTC\n"
        "Web              https://shop.acme.example/ · Acme S.L.\n"
        "Falla en         acme-shop/http\n"
        "Origen probable  el alojamiento: el certificado no es válido\n"
        "Ticket           #5\n"
        "\n"
        "Mira aquí:       https://watch.ejemplo.example/incidents/17\n"
        "                 online-sentry incident show 17\n"
        "\n"
    )


@pytest.mark.promise("001-32")
@pytest.mark.parametrize(
    "fact",
    [
        "192.0.2.53 shop.acme.example A: 203.0.113.7 (12 ms)",
        "192.0.2.54 shop.acme.example AAAA: the server could not find out (SERVFAIL)",
        "203.0.113.7:443  TCP ✓ 31 ms, TLS ✓ TLSv1.3",
        "[2001:db8::7]:443  TCP ✗ network unreachable",
        "1. CN=shop.acme.example",
        "301 http://shop.acme.example/ → https://shop.acme.example/",
        "HTTP/1.1 503 (out of service)",
        "Retry-After: 120",
        "| <h1>Service Unavailable</h1>",
        "  waiting                     ✗ 250 ms            298 ms",
        "21 Nov 2026, 22:14  address changed to 203.0.113.7",
        "the hosting: the server itself reports an error (5xx)",
        "03:14:41  outage confirmed",
    ],
)
def test_report_text_server_error_holds_every_part(fact: str) -> None:
    """Resolvers, addresses, chain, hops, status, headers, body, comparison, changes, side, timeline."""
    assert fact in messages().report_text(incident_of(error_result()), EN)


def test_report_text_nothing_but_the_reason_known_still_reads() -> None:
    """A report whose evidence was pruned says what is left and what is not known."""
    failed = ProbeResult("acme-shop/http", STARTED, STARTED, 0.0, Status.DOWN, Reason.DNS_TIMEOUT)
    incident = incident_of(failed)
    incident = replace(
        incident, report=replace(report_of(incident), evidence=None, last_good=None, changes=(), attribution_basis="")
    )
    text = messages().report_text(incident, EN)
    assert "No good probe from before this failure is known." in text
    assert "Still being collected; the incident page will show it." in text
    assert "Nothing that we know of." in text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", NoticeKind)
def test_text_every_kind_fits_78_columns(kind: NoticeKind, language: Language) -> None:
    """It survives quoting in a mail and fits a terminal."""
    assert max(len(line) for line in said(kind, language, late_s=600).text.splitlines()) <= 78


@pytest.mark.parametrize("language", Language)
def test_text_hostile_site_fits_78_columns_and_holds_no_control(language: Language) -> None:
    """No escape, no control, no bidi mark reaches a terminal; the body stands behind its fence."""
    message = messages().message(incident_of(hostile()), NoticeKind.OPENED, key="k", language=language, delayed_s=0)
    for line in message.text.splitlines():
        assert len(line) <= 78
        assert not {unicodedata.category(character) for character in line} & {"Cc", "Cf", "Cs"}
    assert not re.search(r"^Bcc:", message.text, re.MULTILINE)
    assert len(message.text) < 20_000


def test_subject_hostile_site_name_cannot_add_a_header() -> None:
    """Python's own mail policy accepts the subject, so it holds no line end."""
    renderer = messages([shop(name=NASTY, client_name=NASTY)])
    message = renderer.message(incident_of(hostile()), NoticeKind.OPENED, key="k", language=EN, delayed_s=0)
    mail = EmailMessage()
    mail["Subject"] = message.subject
    assert mail.keys() == ["Subject"]
    assert len(message.subject) <= 150


@pytest.mark.parametrize("kind", NoticeKind)
def test_html_hostile_site_adds_no_tag(kind: NoticeKind) -> None:
    """The page of a hostile site has the tags of the page of a harmless one, and no script, image or handler."""
    renderer = messages([shop(name=NASTY, client_name=NASTY)])
    bad, good = incident_of(hostile()), incident_of(error_result())
    if kind is NoticeKind.RESOLVED:
        bad, good = resolved(bad), resolved(good)
    page = parsed(renderer.message(bad, kind, key="k", language=EN, delayed_s=0).html)
    assert page.tags == parsed(messages().message(good, kind, key="k", language=EN, delayed_s=0).html).tags
    assert not {"script", "img", "iframe", "object", "link", "form"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
    assert [value for name, value in page.attributes if name == "href"] == [
        "https://watch.ejemplo.example/incidents/17"
    ]


def test_fields_hostile_site_are_json_without_controls() -> None:
    """What a webhook carries can be printed by whoever gets it."""
    message = messages().message(incident_of(hostile()), NoticeKind.OPENED, key="k", language=EN, delayed_s=0)
    text = json.dumps(message.fields, ensure_ascii=False)
    assert not {unicodedata.category(character) for character in text} & {"Cc", "Cf", "Cs"}


@pytest.mark.promise("001-33")
def test_fields_resolved_incident_hold_its_times_and_report() -> None:
    """Times to detect, acknowledge and resolve, and the facts of the failure, for machines."""
    fields = said(NoticeKind.RESOLVED).fields
    assert (fields["time_to_detect_s"], fields["time_to_acknowledge_s"], fields["time_to_resolve_s"]) == (
        31,
        180,
        720,
    )
    assert fields["event"] == "resolved"
    assert fields["report"]["reason"] == "tls_expired"
    assert fields["report"]["failed_phase"] == "tls"
    assert fields["report"]["phases_s"] == {"dns": 0.012, "connect": 0.03, "tls": 0.056}
    assert fields["report"]["addresses_tried"][1] == {
        "address": "[2001:db8::7]:443",
        "connected": False,
        "tls_reason": None,
    }


@pytest.mark.promise("001-33")
def test_text_resolved_says_how_long_it_lasted_and_how_fast_we_were() -> None:
    """Duration, counted minutes, detection, acknowledgement; no second copy of the report."""
    text = said(NoticeKind.RESOLVED).text
    for row in (
        "Until            22 Nov 2026, 03:26:10",
        "Lasted           12 min",
        "Counted down     12 minutes",
        "Detected in      31 s",
        "Acknowledged     after 3 min",
        "What had happened: The security certificate",
    ):
        assert row in text
    assert len(text.splitlines()) < 30


def test_text_resolved_after_reopening_claims_no_down_minutes() -> None:
    """Between two openings it worked, so the span is not what was down."""
    incident = replace(resolved(incident_of(expired_result())), opening=2)
    english, spanish = (
        messages().message(incident, NoticeKind.RESOLVED, key="k", language=language, delayed_s=0)
        for language in (EN, ES)
    )
    assert "Counted down" not in english.text
    assert english.subject == "[RESOLVED] Tienda Acme works again after 2 outages within 12 min (#17)"
    assert spanish.subject == "[RESUELTO] Tienda Acme funciona de nuevo tras 2 caídas en 12 min (#17)"


@pytest.mark.parametrize(
    ("late_s", "mark"), [(0, None), (90, None), (91, "sent 1 min late"), (600, "sent 10 min late")]
)
def test_message_later_than_90_seconds_says_so(late_s: float, mark: str | None) -> None:
    """Whoever reads it must know that the clock has been running."""
    message = said(late_s=late_s)
    assert message.delayed_s == late_s
    if mark is None:
        assert "late" not in message.subject + message.text.split("─" * 78)[0]
    else:
        assert message.subject.endswith(f"({mark})")
        assert f"({mark})" in message.text
        assert mark in message.html


def test_labels_and_keys_opening_and_resolution_are_the_same_alert() -> None:
    """Alertmanager and PagerDuty pair the two."""
    opened, ended = said(), said(NoticeKind.RESOLVED)
    assert (
        opened.labels
        == ended.labels
        == {
            "alertname": "SiteDown",
            "site": "acme-shop",
            "client": "acme",
            "severity": "SEV1",
            "reason": "tls_expired",
        }
    )
    assert opened.incident_key == ended.incident_key
    assert (opened.ends_at, ended.ends_at) == (None, STARTED + timedelta(minutes=12))


def test_message_degraded_site_is_not_called_down() -> None:
    """A certificate that ends soon needs attention; the site works."""
    failed = replace(
        good_result(),
        status=Status.DEGRADED,
        reason=Reason.TLS_EXPIRES_SOON,
        started_at=STARTED,
        evidence=Evidence(tls=TlsEvidence(chain=(certificate(STARTED + timedelta(days=5, hours=1)),))),
    )
    incident = incident_of(failed, severity=Severity.SEV3)
    message = messages().message(incident, NoticeKind.OPENED, key="k", language=ES, delayed_s=0)
    assert message.subject == "[SEV3] Tienda Acme requiere atención: el certificado caduca pronto (#17)"
    assert "caduca dentro de 5 días" in message.text
    assert message.labels["alertname"] == "SiteDegraded"


def test_message_site_that_was_removed_is_named_by_its_host() -> None:
    """An incident outlives its site's configuration."""
    incident = incident_of(error_result(), site_key="gone")
    message = messages().message(incident, NoticeKind.OPENED, key="k", language=EN, delayed_s=0)
    assert message.subject == "[SEV1] shop.acme.example is down: error 503 (#17)"
    assert "02:14:10 (UTC)" in message.text


def test_message_address_with_a_password_never_shows_it() -> None:
    """Credentials of a watched address stay out of mails, pages and webhooks."""
    incident = incident_of(error_result())
    incident = replace(incident, report=replace(report_of(incident), url="https://bob:hunter2@shop.acme.example/"))
    message = messages().message(incident, NoticeKind.OPENED, key="k", language=EN, delayed_s=0)
    assert "hunter2" not in message.subject + message.text + message.html + json.dumps(message.fields)
    assert "https://shop.acme.example/" in message.text


def test_phases_text_marks_the_one_that_failed() -> None:
    """Passed, failed, never reached."""
    failed = replace(expired_result(), failed_phase=Phase.DNS, phases={Phase.DNS: 5.0}, reason=Reason.DNS_TIMEOUT)
    text = messages().report_text(incident_of(failed), EN)
    assert "dns ✗  connect ·  tls ·  processing ·  transfer ·" in text


def test_report_text_collection_cut_short_names_what_is_missing() -> None:
    """The reader sees that it is not all."""
    incident = incident_of(error_result())
    evidence = report_of(incident).evidence
    assert evidence is not None
    cut = replace(evidence, complete=False, missing=("dns 192.0.2.54", "[2001:db8::7]:443"))
    text = messages().report_text(replace(incident, report=replace(report_of(incident), evidence=cut)), EN)
    assert "Not reached in time: dns 192.0.2.54, [2001:db8::7]:443" in text


def test_budget_ticket_overspent_says_that_the_promise_is_broken() -> None:
    """Past 100 % there is nothing left, and it is said plainly."""
    budget = Budget(Fraction(997, 1000), 0, 43_200, 20_000, Totals(up=19_869, down=131))
    title, text = messages().budget_ticket(shop(language=EN), Month(2026, 11), budget, 100)
    assert title == "Tienda Acme: 100% of the downtime allowed in November 2026 is used"
    assert "131 minutes are used; 0 are left. The promise can no longer be kept this month." in text


@pytest.mark.parametrize(
    ("language", "headline"),
    [(EN, "was not down: the watch itself had a fault"), (ES, "no estuvo caído: falló la propia vigilancia")],
)
def test_end_of_what_was_our_own_fault_says_so_and_counts_nothing(language: Language, headline: str) -> None:
    """Whoever was woken learns that the site had not been down."""
    incident = resolved(incident_of(expired_result()))
    withdrawn = TimelineEntry(STARTED, WITHDRAWN, "", {"check": "acme-shop/http"})
    incident = replace(incident, timeline=(*incident.timeline, withdrawn))

    message = messages().message(incident, NoticeKind.RESOLVED, key="k", language=language, delayed_s=0)

    assert headline in message.subject
    assert "Counted down" not in message.text
    assert "Cuenta caída" not in message.text
    assert "works again" not in message.text
