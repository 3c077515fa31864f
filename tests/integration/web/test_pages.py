"""The pages over a real socket: what they say, what they keep out, and how they carry themselves."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest

from sentry.domain.concern import ConcernKind
from sentry.domain.errors import StoreUnavailable
from sentry.domain.health import Health, HealthState
from sentry.domain.incident import IncidentState, TimelineEntry
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.registration import Registration
from sentry.domain.request_budget import Spent
from sentry.domain.result import Reason, TlsEvidence
from sentry.domain.site import CheckOptions, Language
from sentry.domain.ticket import Ticket, TicketEntry, TicketState, Visibility
from sentry.domain.weight import Weight
from sentry.ports import Sample, SampleKind
from sentry.web.sources import WebOptions
from tests.fakes.concerns import concern_incident
from tests.fakes.failure_reports import certificate, error_result, expired_result, incident_of
from tests.fakes.results import START, a_bad_result
from tests.fakes.web import Client, House, Serve

EVIL = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>"
PAGES = (
    "/",
    "/sites/acme-shop",
    "/incidents",
    "/incidents/17",
    "/incidents/18",
    "/incidents/19",
    "/incidents/20",
    "/tickets",
    "/tickets/5",
    "/sign-in",
)
VOID = {"meta", "link", "br", "input", "img", "hr"}


class _Page(HTMLParser):
    """Reads a page strictly: every element is closed in order; keeps tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> _Page:
    """Parses a page and checks that it is well formed."""
    parsed = _Page()
    parsed.feed(page)
    parsed.close()
    assert parsed.open == []
    return parsed


@pytest.fixture
def busy(house: House) -> House:
    """A house with an outage, a concern and a ticket whose every text is hostile."""
    failed = error_result(body=EVIL)
    assert failed.evidence.http is not None
    http = replace(failed.evidence.http, headers=((EVIL, EVIL),))
    evil_chain = (certificate(subject=EVIL, issuer=EVIL, names=(EVIL,) * 20),)
    tls = TlsEvidence(EVIL, EVIL, evil_chain, error=EVIL)
    failed = replace(failed, detail=EVIL, evidence=replace(failed.evidence, http=http, tls=tls, log=(EVIL,)))
    timeline = (TimelineEntry(START, "note", EVIL),)
    house.incidents.incidents[17] = incident_of(failed, timeline=timeline, acknowledged_by=EVIL)
    facts = {"detail": EVIL, EVIL: EVIL}
    house.incidents.incidents[18] = concern_incident(id=18, site_key=EVIL, facts=facts, timeline=timeline)
    house.incidents.incidents[19] = concern_incident(
        ConcernKind.GROUP, id=19, site_key="", client_key="", facts={"trait": EVIL, "value": EVIL}, timeline=timeline
    )
    house.incidents.incidents[20] = incident_of(failed, id=20, parent_id=19, site_key="evil", client_key=EVIL)
    entry = TicketEntry(1, START, EVIL, Visibility.INTERNAL, "comment", EVIL, TicketState.NEW, "ab" * 32)
    house.tickets.tickets[5] = Ticket(5, "k", "acme-shop", "acme", EVIL, TicketState.NEW, START, (entry,))
    house.add_site("evil", name=EVIL, client_name=EVIL, client="evil", state=HealthState.DOWN, last=failed)
    house.views[-1].health = Health("evil/http", HealthState.DOWN, since=START, failure=failed)
    return house


@pytest.mark.parametrize("path", [*PAGES, "/sites/evil", "/?q=" + "%3Cscript%3E%22", "/incidents?site=%3Cscript%3E"])
async def test_page_hostile_texts_stay_text(busy: House, serve: Serve, path: str) -> None:
    """Names, bodies, headers and certificates of others never become elements or attributes."""
    client = await serve(busy, WebOptions(agency=EVIL))
    response = await client.get(path)
    assert response.status == 200
    parsed = read(await response.text())
    assert not {tag for tag, _ in parsed.tags} & {"script", "img", "iframe", "object", "style"}
    for _, attributes in parsed.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert not (attributes.get("href") or "").lower().startswith("javascript:")


@pytest.mark.parametrize("path", PAGES)
async def test_page_any_carries_a_strict_policy(busy: House, serve: Serve, path: str) -> None:
    """No scripts, no frames, nothing from elsewhere, nothing kept by caches."""
    response = await (await serve(busy, WebOptions())).get(path)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    parsed = read(await response.text())
    linked = [attributes.get("href") or "" for tag, attributes in parsed.tags if tag == "link"]
    assert all(link.startswith("/static/") for link in linked)


@pytest.mark.parametrize("path", PAGES)
async def test_page_any_has_the_marks_of_an_accessible_one(busy: House, serve: Serve, path: str) -> None:
    """Language, one main heading, landmarks, labelled fields and pictures."""
    parsed = read(await (await (await serve(busy, WebOptions())).get(path)).text())
    tags = [tag for tag, _ in parsed.tags]
    assert ("html", {"lang": "en"}) in parsed.tags
    assert (tags.count("h1"), tags.count("main"), tags.count("title")) == (
        1,
        1,
        1 + tags.count("svg") - _untitled(parsed),
    )
    for tag, attributes in parsed.tags:
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or attributes.get("aria-label")
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def _untitled(parsed: _Page) -> int:
    titles = [tag for tag, _ in parsed.tags].count("title") - 1
    return [tag for tag, _ in parsed.tags].count("svg") - titles


async def test_status_all_up_says_so(client: Client) -> None:
    """One line that everybody understands."""
    page = await (await client.get("/")).text()
    assert "<title>The site is up · Online Sentry</title>" in page
    assert "icon-down.svg" not in page


@pytest.mark.promise("001-32")
async def test_status_down_shows_problem_first_with_cause_and_incident(client: Client, house: House) -> None:
    """How many of how many, why, since when, and where to read on."""
    house.clock.jump(840)
    house.add_site("beta", name="Beta", state=HealthState.DOWN, last=a_bad_result("beta/http", house.clock.now()))
    house.views[-1].health = Health("beta/http", HealthState.DOWN, since=START)
    house.incidents.incidents[17] = incident_of(error_result(), site_key="beta", ticket_number=5)
    page = await (await client.get("/")).text()
    text = " ".join(" ".join(read(page).text).split())
    assert "1 of 2 sites is down" in text
    assert "beta: status 503, expected 200-299" in text
    assert "14 min since 2 Nov 2026, 09:00" in text
    assert 'href="/incidents/17"' in page
    assert 'href="/tickets/5"' in page
    assert text.index("Beta") < text.index("Tienda Acme")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["beta", "acme-shop", "gamma"]),
        ("q=GAMMA", ["gamma"]),
        ("q=cliente+gamma", ["gamma"]),
        ("client=acme", ["beta", "acme-shop"]),
        ("state=down", ["beta"]),
        ("q=nothing", []),
        ("page=99", ["beta", "acme-shop", "gamma"]),
    ],
)
async def test_status_search_narrows_the_list(client: Client, house: House, query: str, shown: list[str]) -> None:
    """By words, client and state; a page beyond the last is the last."""
    house.add_site("beta", name="Beta", state=HealthState.DOWN)
    house.add_site("gamma", name="Zeta", client="gamma", client_name="Cliente Gamma")
    page = await (await client.get(f"/?{query}")).text()
    table = page.partition("<table")[2]
    assert re.findall(r'href="/sites/([^"]+)"', table) == shown


@pytest.mark.parametrize("query", ["state=bad", "page=0", "page=x", "q=" + "x" * 201])
async def test_status_bad_query_is_explained_as_a_page(client: Client, query: str) -> None:
    """A person gets a page, a machine a document."""
    response = await client.get(f"/?{query}", headers={"Accept": "text/html"})
    assert (response.status, response.content_type) == (400, "text/html")
    read(await response.text())
    machine = await client.get(f"/?{query}")
    assert (machine.status, machine.content_type) == (400, "application/problem+json")


async def test_status_in_spanish_speaks_spanish(house: House, serve: Serve) -> None:
    """Words, figures and dates of the agency's language and zone."""
    house.add_site("beta", state=HealthState.DOWN)
    options = WebOptions(language=Language.ES, zone=ZoneInfo("Europe/Madrid"))
    page = await (await (await serve(house, options)).get("/")).text()
    assert '<html lang="es">' in page
    assert "1 de 2 sitios está caído" in page
    assert "2 nov 2026, 10:00:00 CET" in page


async def test_status_strip_and_budget_come_from_the_ledger(client: Client, house: House) -> None:
    """A single minute down is seen in the strip, in the month's figure and in the budget."""
    now = int(house.clock.now().timestamp()) // 60
    house.ledger.seen["acme-shop/http"] = house.clock.now() - timedelta(days=90)
    house.ledger.check_runs["acme-shop/http"] = [
        Run(now - 1980, now - 31, MinuteState.UP),
        Run(now - 31, now - 30, MinuteState.DOWN),
        Run(now - 30, now, MinuteState.UP),
    ]
    page = await (await client.get("/")).text()
    assert "Last 90 minutes: 1 down, 0 degraded, 0 unknown" in page
    assert "99.949 %" in page
    assert "128.6 min" in page


async def test_status_store_down_still_shows_what_stands(client: Client, house: House) -> None:
    """The watch is in memory: the page works when the database does not, and says what is missing."""

    async def gone(*args: object, **kwargs: object) -> None:
        raise StoreUnavailable("locked")

    for reader, name in ((house.ledger, "runs"), (house.ledger, "first_seen"), (house.incidents, "list")):
        setattr(reader, name, gone)
    house.agent_health = replace(house.agent_health, store_ok=False)
    house.add_site("beta", name="Beta", state=HealthState.DOWN, last=a_bad_result("beta/http", house.clock.now()))
    page = await (await client.get("/")).text()
    assert "1 of 2 sites is down" in page
    assert "The store does not answer" in page
    assert "status 503, expected 200-299" in page
    response = await client.get("/incidents", headers={"Accept": "text/html"})
    assert (response.status, response.headers["Retry-After"]) == (503, "10")


async def test_status_two_thousand_sites_is_a_page_of_a_hundred(serve: Serve) -> None:
    """An agency's whole estate opens as one small page with the problems first."""
    house = House()
    for number in range(2000):
        state = HealthState.DOWN if number % 500 == 0 else HealthState.UP
        house.add_site(f"s{number}", name=f"Site {number}", url=f"https://s{number}.example/", state=state)
    page = await (await (await serve(house, WebOptions())).get("/")).text()
    assert "4 of 2,000 sites are down" in page
    assert page.count("<tr class=") == 100
    assert len(page) < 200_000
    assert 'rel="next"' in page
    assert "1\N{EN DASH}100 of 2,000" in page


async def test_status_refresh_is_the_readers_choice(client: Client) -> None:
    """A wall display reloads; a reader is never interrupted."""
    assert 'http-equiv="refresh"' not in await (await client.get("/")).text()
    assert 'http-equiv="refresh" content="30"' in await (await client.get("/?refresh=1")).text()


async def test_status_stalled_agent_says_that_it_is_old(client: Client, house: House) -> None:
    """A green page of a dead agent would be the worst of all."""
    house.agent_health = replace(house.agent_health, stalled=True)
    assert "The watch is stalled" in await (await client.get("/")).text()


async def test_status_old_results_are_unknown(client: Client, house: House) -> None:
    """A check that silently stopped does not stay green."""
    house.clock.jump(3600)
    assert "No site is down; 1 of 1 needs a look" in await (await client.get("/")).text()


def _samples(house: House) -> Iterator[Sample]:
    for number in range(60):
        at = house.clock.now() - timedelta(minutes=60 - number)
        status = "down" if number == 30 else "up"
        yield Sample("acme-shop/http", at, SampleKind.SLOT, status, None, 0.2, {})


async def test_site_shows_phases_certificate_and_history(client: Client, house: House) -> None:
    """What an engineer looks at first."""
    house.ledger.check_samples["acme-shop/http"] = list(_samples(house))
    house.incidents.incidents[17] = incident_of(error_result())
    page = await (await client.get("/sites/acme-shop")).text()
    text = " ".join(" ".join(read(page).text).split())
    assert "tls 41 ms" in text
    assert "Certificate 40 d 12 Dec 2026, 09:00" in text
    assert page.count("<polyline") == 2
    assert 'href="/incidents/17"' in page


@pytest.mark.promise("002-08")
@pytest.mark.parametrize(
    ("days", "shown"),
    [
        (40, "Domain 40 d 12 Dec 2026, 09:00 acme.example"),
        (-2, "Domain expired ended 2 d ago · 31 Oct 2026, 09:00 acme.example"),
        (None, "Domain unknown acme.example: no registry tells when it ends"),
    ],
)
async def test_site_shows_when_its_domain_ends(client: Client, house: House, days: int | None, shown: str) -> None:
    """An end that nobody tells is unknown, and not fine."""
    ends_at = None if days is None else house.clock.now() + timedelta(days=days)
    house.registrations["acme-shop"] = Registration("acme.example", ends_at, "rdap.example")
    text = read(await (await client.get("/sites/acme-shop")).text()).text
    assert shown in " ".join(" ".join(text).split())


async def test_site_whose_domain_nobody_was_asked_about_shows_none(client: Client) -> None:
    """As that of an address in a local network."""
    text = read(await (await client.get("/sites/acme-shop")).text()).text
    assert "Domain" not in " ".join(text)


@pytest.mark.promise("000-26")
async def test_site_shows_what_it_was_asked_today(client: Client, house: House) -> None:
    """Beside what it may be asked, on its page and in the interface."""
    house.spent["acme-shop"] = Spent(house.clock.now().date(), requests=1_441, received_bytes=72_500_000)
    text = " ".join(read(await (await client.get("/sites/acme-shop")).text()).text)
    assert "asked today: 1,441 of 1,000 requests, 72.5 of 1,074 MB" in text
    asked = (await (await client.get("/api/v1/sites/acme-shop")).json())["asked_today"]
    assert asked == {
        "requests": 1_441,
        "requests_allowed": 1_000,
        "received_bytes": 72_500_000,
        "received_bytes_allowed": 1_073_741_824,
    }


async def test_site_check_that_only_degrades_says_so(client: Client, house: House) -> None:
    """Whoever sees a check down on a site that is not finds the reason beside it."""
    view = house.views[0]
    view.check = replace(view.check, options=CheckOptions(kind="http", weight=Weight.DEGRADES))
    assert "only degrades the site" in await (await client.get("/sites/acme-shop")).text()
    assert (await (await client.get("/api/v1/checks")).json())["items"][0]["weight"] == "degrades"


async def test_site_password_in_url_is_not_shown(client: Client, house: House) -> None:
    """Credentials in a URL stay with the agent."""
    house.add_site("beta", url="https://user:hunter2@beta.example/")
    for path in ("/sites/beta", "/", "/api/v1/sites/beta", "/sd", "/metrics"):
        assert "hunter2" not in await (await client.get(path)).text()


async def test_site_unknown_is_not_found(client: Client) -> None:
    """A page that says so."""
    response = await client.get("/sites/nobody", headers={"Accept": "text/html"})
    assert (response.status, response.content_type) == (404, "text/html")


@pytest.mark.promise("001-32", "001-33")
async def test_incident_shows_the_whole_failure_report(client: Client, house: House) -> None:
    """Phase, DNS answers, every address, chain, changes, timeline and times, in the order of a diagnosis."""
    house.incidents.incidents[17] = incident_of(expired_result())
    house.clock.jump(86_400 * 30)
    text = " ".join(" ".join(read(await (await client.get("/incidents/17")).text()).text).split())
    for told in (
        "certificate expired on 2026-11-19",
        "TLS handshake failed here",
        "192.0.2.54",
        "SERVFAIL",
        "network unreachable",
        "CN=shop.acme.example",
        "address changed to 203.0.113.7",
        "Detected after 31 s",
        "Likely at fault the hosting",
        "22 Nov 2026, 02:14:41 UTC",
    ):
        assert told in text, told


async def test_incident_body_is_shown_as_text(client: Client, house: House) -> None:
    """The page that a visitor saw, as its source."""
    house.incidents.incidents[17] = incident_of(error_result(body="<h1>Service Unavailable</h1>"))
    assert "&lt;h1&gt;Service Unavailable&lt;/h1&gt;" in await (await client.get("/incidents/17")).text()


async def test_incident_report_as_text_is_plain(client: Client, house: House) -> None:
    """To be quoted in a mail."""
    house.incidents.incidents[17] = incident_of(error_result())
    response = await client.get("/incidents/17/report.txt")
    assert (response.content_type, await response.text()) == ("text/plain", "report of 17")


async def test_incident_of_a_removed_site_still_opens(client: Client, house: House) -> None:
    """History outlives the configuration."""
    house.incidents.incidents[17] = incident_of(error_result(), site_key="gone")
    assert (await client.get("/incidents/17")).status == 200


async def test_static_has_a_tag_and_nothing_else_is_served(client: Client) -> None:
    """Three files; no path leads out."""
    response = await client.get("/static/style.css")
    assert response.content_type == "text/css"
    tag = response.headers["ETag"]
    assert (await client.get("/static/style.css", headers={"If-None-Match": tag})).status == 304
    for name in ("words.py", "..%2fwords.py", "%2e%2e/words.py", "style.css%00"):
        assert (await client.get(f"/static/{name}")).status == 404


async def test_degraded_and_suspect_are_told_apart(client: Client, house: House) -> None:
    """Colour is never the only mark: each state has its word and its own shape."""
    house.views[0].health = Health("acme-shop/http", HealthState.UP, since=START, degraded=Reason.SLOW_RESPONSE)
    house.add_site("beta", state=HealthState.SUSPECT)
    page = await (await client.get("/")).text()
    assert "Degraded" in page
    assert "Being re-checked" in page
    assert 'class="icon degraded"' in page
    assert 'class="icon suspect"' in page


async def test_concern_page_says_what_it_means_and_what_to_do(client: Client, house: House) -> None:
    """It is no outage, and it says so; what is over needs nothing done."""
    house.incidents.incidents[18] = concern_incident(ConcernKind.CERTIFICATE, id=18)
    text = " ".join(" ".join(read(await (await client.get("/incidents/18")).text()).text).split())
    assert "meaning of certificate" in text
    assert "do something" in text
    assert "no outage: nothing counts as down" in text
    house.incidents.incidents[18] = concern_incident(
        ConcernKind.CERTIFICATE, id=18, state=IncidentState.RESOLVED, recovered_at=START
    )
    assert "do something" not in await (await client.get("/incidents/18")).text()


async def test_status_shows_what_needs_attention_the_agents_own_first(client: Client, house: House) -> None:
    """A concern of a site is no outage of it: the site stands as it did."""
    house.incidents.incidents[17] = concern_incident(ConcernKind.CERTIFICATE, id=17)
    house.incidents.incidents[18] = concern_incident(ConcernKind.OWN_FAULT, id=18)
    house.incidents.incidents[19] = concern_incident(ConcernKind.DOMAIN, id=19, state=IncidentState.RESOLVED)
    page = await (await client.get("/")).text()
    assert 0 < page.index('href="/incidents/18"') < page.index('href="/incidents/17"')
    assert 'href="/incidents/19"' not in page
    assert "the watch itself" in page
    (site,) = (await (await client.get("/api/v1/sites")).json())["items"]
    assert (site["state"], site["incident"]) == ("up", None)


async def test_status_shows_a_group_as_one_problem_and_not_its_sites(client: Client, house: House) -> None:
    """Eighty sites of a dead server are one problem; one that fails by itself is another, and each has its row."""
    for number, key in enumerate(("beta", "gamma", "delta"), 20):
        house.add_site(key, state=HealthState.DOWN, last=a_bad_result(f"{key}/http", house.clock.now()))
        parent = None if key == "delta" else 19
        house.incidents.incidents[number] = incident_of(error_result(), id=number, site_key=key, parent_id=parent)
    house.incidents.incidents[19] = concern_incident(ConcernKind.GROUP, id=19)
    page = await (await client.get("/")).text()
    problems = page[page.index('id="problems"') : page.index('id="sites"')]
    assert problems.index('href="/incidents/19"') < problems.index('href="/incidents/22"')
    assert problems.count("/incidents/") == 2
    assert "Needs attention" not in page
    assert "3 of 4 sites are down" in page


async def test_ticket_of_the_agent_leads_to_no_site(client: Client, house: House) -> None:
    """There is none that it is about."""
    house.tickets.tickets[6] = Ticket(6, "incident:18", "", "", "blind", TicketState.NEW, START)
    for path in ("/tickets", "/tickets/6"):
        page = await (await client.get(path)).text()
        assert "the watch itself" in page
        assert 'href="/sites/"' not in page


async def test_page_of_a_group_shows_its_sites_and_each_of_them_the_group(busy: House, serve: Serve) -> None:
    """From the page that one was sent to, every site's own report is one step away, and back."""
    client = await serve(busy, WebOptions())
    group = await (await client.get("/incidents/19")).text()
    assert 'href="/incidents/20"' in group
    assert 'href="/sites/evil"' in group
    assert 'href="/incidents/19"' in await (await client.get("/incidents/20")).text()
