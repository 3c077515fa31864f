"""The words of concerns: every kind says what has happened, what it means and what to do, in both languages."""

import re
from typing import Any

import pytest

from sentry.domain.concern import ConcernKind
from sentry.domain.incident import IncidentState, TimelineEntry
from sentry.domain.notice import Message, NoticeKind
from sentry.domain.site import Language
from sentry.reports.concerns import CONCERNS
from tests.fakes.client_reports import messages
from tests.fakes.concerns import BEGAN, FACTS, concern_incident

NASTY = (
    "</pre><script>alert(1)</script>\r\nBcc: victim@example.com\r\n\x1b[2J\x1b]0;owned\x07\u202eevil {0.__class__} %s"
)
KINDS = pytest.mark.parametrize("kind", list(ConcernKind))
LANGUAGES = pytest.mark.parametrize("language", list(Language))


def said(
    kind: ConcernKind, notice: NoticeKind = NoticeKind.OPENED, language: Language = Language.EN, **changed: Any
) -> Message:
    incident = concern_incident(kind, **changed)
    return messages().message(incident, notice, key="17", language=language, delayed_s=0)


@KINDS
@LANGUAGES
@pytest.mark.parametrize("facts", ["known", "missing", "of another form"])
def test_concern_of_any_kind_leaves_no_place_open(kind: ConcernKind, language: Language, facts: str) -> None:
    """A fact that is missing, or has not the form that its name promises, is done without."""
    odd = {name: {"a": [None]} for name in FACTS[kind]}
    given = {"known": FACTS[kind], "missing": {}, "of another form": odd}[facts]
    for notice in NoticeKind:
        over = {"state": IncidentState.RESOLVED, "recovered_at": BEGAN, "resolved_at": BEGAN}
        message = said(kind, notice, language, facts=given, **(over if notice is NoticeKind.RESOLVED else {}))
        assert not re.search(r"{\w*}", message.subject + message.text + message.html)


@KINDS
@LANGUAGES
def test_concern_opening_says_what_to_do(kind: ConcernKind, language: Language) -> None:
    """Whoever is woken by it reads what it is, what it means and what to do."""
    text = said(kind, NoticeKind.OPENED, language).text
    label = {Language.EN: "What to do", Language.ES: "Qué hacer"}[language]
    assert label in text
    assert "17" in text.split(label)[1]


@KINDS
def test_concern_says_more_where_its_facts_are_known(kind: ConcernKind) -> None:
    """Each of its rows is shown, with a label."""
    text = messages().report_text(concern_incident(kind), Language.EN)
    shown = [label for label, name in CONCERNS[kind].rows if name in FACTS[kind]]
    assert shown
    assert all(re.search(rf"^  {re.escape(label)} ", text, re.MULTILINE) for label in shown)


def test_concern_of_certificate_is_told_in_the_words_of_its_reader() -> None:
    """Problem, days and date are in the language and zone of the site."""
    message = said(ConcernKind.CERTIFICATE, NoticeKind.OPENED, Language.ES)
    assert "el certificado caduca en 7 días" in message.subject
    assert "29 nov 2026, 11:00" in message.text


def test_concern_of_agent_names_no_site() -> None:
    """It has no site, no client and no check; machines get no such labels either."""
    message = said(ConcernKind.OWN_FAULT)
    assert message.subject == "[SEV3] The watch itself has a fault: no network, no name server answers (#17)"
    assert "\nSite  " not in message.text
    assert (message.labels["site"], message.labels["client"]) == ("", "")


def test_concern_of_agent_shows_what_was_seen() -> None:
    """Whoever is woken by it can judge the judgement; sentences with commas stay apart."""
    text = " ".join(said(ConcernKind.OWN_FAULT).text.split())
    assert "192.0.2.1:443 does not answer; sites fail in 7 network(s), and none answered since" in text


@KINDS
def test_concern_with_hostile_facts_is_inert_everywhere(kind: ConcernKind) -> None:
    """Names, records and details may be what an attacker chose."""
    hostile = {name: [NASTY] * 500 if isinstance(value, list) else NASTY * 50 for name, value in FACTS[kind].items()}
    message = said(kind, facts=hostile)
    assert "<script>" not in message.html
    assert not set("\x1b\u202e\r") & set(message.text + message.subject)
    assert "\n" not in message.subject
    assert len(message.text) < 8_000
    assert all(len(str(value)) < 60_000 for value in message.fields.values())
    assert not {"\\x1b", "\\u202e"} & set(re.findall(r"\\\w+", repr(message.fields)))


def test_concern_that_is_back_says_so() -> None:
    """A second opening reads like one."""
    assert said(ConcernKind.DEGRADED, NoticeKind.REOPENED).subject.endswith("slow, again (#17)")


def test_concern_at_its_next_stage_is_not_said_to_be_back() -> None:
    """A certificate that nobody renews was never over, so the second telling does not say 'again'."""
    stages = (TimelineEntry(BEGAN, "raised_again", ""), TimelineEntry(BEGAN, "next_stage", ""))
    message = said(ConcernKind.CERTIFICATE, NoticeKind.REOPENED, timeline=stages)
    assert message.subject.endswith("the certificate expires in 7 days (#17)")


@pytest.mark.parametrize(
    ("facts", "meaning", "remedy"),
    [
        (
            {"problem": "chain_order", "misplaced": "CN=Between"},
            "CN=Between does not stand behind",
            "Correct the file",
        ),
        ({"problem": "weak_key", "weak": "CN=Old"}, "CN=Old is made in a way", "Have CN=Old issued anew"),
        ({"problem": "expires_soon", "not_after": "2026-12-02T10:00:00+00:00"}, "ends on 2 Dec 2026", "Find out why"),
    ],
)
def test_certificate_that_works_is_told_with_what_is_wrong_and_what_to_do(
    facts: dict[str, Any], meaning: str, remedy: str
) -> None:
    """Renewing mends no order of a chain, and no order mends a weak key."""
    text = " ".join(said(ConcernKind.CERTIFICATE, facts=facts).text.split())
    assert meaning in text
    assert remedy in text
