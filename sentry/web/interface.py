"""The read interface under /api/v1."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from sentry.domain.errors import StoreUnavailable
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.month import Month, parse_month
from sentry.domain.ticket import TicketState
from sentry.domain.watched_site import WatchedSite
from sentry.web.documents import (
    BudgetListDocument,
    CheckListDocument,
    IncidentListDocument,
    SiteListDocument,
    TicketListDocument,
)
from sentry.web.problems import Problem, bad_request, not_found
from sentry.web.representation import (
    budget_document,
    check_document,
    incident_detail_document,
    incident_document,
    ledger_document,
    site_detail_document,
    site_document,
    ticket_detail_document,
    ticket_document,
)
from sentry.web.route import LIMIT, OFFSET, read_choice, read_number, read_text
from sentry.web.sources import OPTIONS, SOURCES, Sources
from sentry.web.standing import SiteStanding, Standing, stand, stand_in_turns

Item = TypeVar("Item")
MAX_ID = 2**53
BUDGETS_AT_ONCE = 100
"""Budgets are reckoned from the ledger, a query or three each: fewer of them in one answer."""


async def sites(request: web.Request) -> web.Response:
    """Sites in the order of the configuration."""
    client, state = read_text(request, "client"), read_choice(request, "state", Standing)
    found = [
        site
        for site in await all_standings(request.app[SOURCES])
        if (not client or site.site.client_key == client) and (state is None or site.standing is state)
    ]
    page = [site_document(site) for site in _page(request, found)]
    return answer(SiteListDocument(total=len(found), items=page))


async def site(request: web.Request) -> web.Response:
    """One site with its checks."""
    sources = request.app[SOURCES]
    standing = await standing_of(sources, request.match_info["key"])
    if standing is None:
        raise not_found("there is no site of this key; /api/v1/sites lists them")
    return answer(site_detail_document(standing, sources.spent(standing.site)))


async def checks(request: web.Request) -> web.Response:
    """Checks of every site or of one."""
    key = read_text(request, "site")
    found = [view for view in request.app[SOURCES].watch.views() if not key or view.check.site_key == key]
    return answer(CheckListDocument(total=len(found), items=[check_document(view) for view in _page(request, found)]))


async def incidents(request: web.Request) -> web.Response:
    """Incidents, newest first."""
    sources, language = request.app[SOURCES], request.app[OPTIONS].language
    key, state = read_text(request, "site"), read_choice(request, "state", IncidentState)
    found = await sources.incidents.list(site_key=key or None, state=state, limit=read_number(request, LIMIT))
    items = [incident_document(incident, sources.wording.cause(incident, language)) for incident in found]
    return answer(IncidentListDocument(items=items))


async def incident(request: web.Request) -> web.Response:
    """One incident with its failure report."""
    sources, language = request.app[SOURCES], request.app[OPTIONS].language
    found = await find_incident(request)
    said = await sources.attributions.history(found)
    return answer(incident_detail_document(found, sources.wording.cause(found, language), said))


async def tickets(request: web.Request) -> web.Response:
    """Tickets, newest first."""
    state = read_choice(request, "state", TicketState)
    found = await request.app[SOURCES].tickets.list(state=state, limit=read_number(request, LIMIT))
    return answer(TicketListDocument(items=[ticket_document(ticket) for ticket in found]))


async def ticket(request: web.Request) -> web.Response:
    """One ticket with its history."""
    number = read_id(request, "number")
    found = await request.app[SOURCES].tickets.get(number)
    if found is None:
        raise not_found(f"there is no ticket {number}")
    return answer(ticket_detail_document(found))


async def ledger(request: web.Request) -> web.Response:
    """The minutes of a site's month, with the budget that they make."""
    found, month = _find_site(request, read_text(request, "site")), read_month(request)
    return answer(ledger_document(await request.app[SOURCES].months.of_month(found, month)))


async def budgets(request: web.Request) -> web.Response:
    """Budgets of every site or of one, of the running month or another."""
    sources, key, month = request.app[SOURCES], read_text(request, "site"), read_month(request)
    found = [_find_site(request, key)] if key else list(sources.sites())
    page = _page(request, found)[:BUDGETS_AT_ONCE]
    items = [budget_document(await sources.months.of_month(site, month)) for site in page]
    return answer(BudgetListDocument(total=len(found), items=items))


def answer(document: BaseModel) -> web.Response:
    """Returns a document as JSON."""
    return web.json_response(text=document.model_dump_json())


async def all_standings(sources: Sources, unresolved: Sequence[Incident] | None = None) -> list[SiteStanding]:
    """Returns how every site stands; without the store, without the incidents.

    Args:
        sources: what is read from.
        unresolved: the incidents, where the caller has read them.
    """
    if unresolved is None:
        unresolved = await incidents_now(sources)
    return await stand_in_turns(list(sources.sites()), sources.watch.views(), unresolved, sources.clock.now())


async def incidents_now(sources: Sources) -> list[Incident]:
    """Returns every unresolved incident; without the store, none."""
    try:
        return await unresolved_incidents(sources)
    except StoreUnavailable:
        return []


async def standing_of(sources: Sources, site_key: str) -> SiteStanding | None:
    """Returns how one site stands, None where there is no such site; without the store, without its incident."""
    sites = [site for site in sources.sites() if site.key == site_key]
    views = [view for view in sources.watch.views() if view.check.site_key == site_key]
    try:
        unresolved = await unresolved_incidents(sources, site_key) if sites else []
    except StoreUnavailable:
        unresolved = []
    return next(iter(stand(sites, views, unresolved, sources.clock.now())), None)


async def unresolved_incidents(sources: Sources, site_key: str | None = None) -> list[Incident]:
    """Returns the incidents that are open or acknowledged, of one site or of all."""
    found: list[Incident] = []
    for state in (IncidentState.OPEN, IncidentState.ACKNOWLEDGED):
        found += await sources.incidents.list(site_key=site_key, state=state, limit=10_000)
    return found


async def find_incident(request: web.Request) -> Incident:
    """Returns the incident that the path names.

    Raises:
        Problem: 404, there is none.
    """
    incident_id = read_id(request, "id")
    found = await request.app[SOURCES].incidents.get(incident_id)
    if found is None:
        raise not_found(f"there is no incident {incident_id}")
    return found


def read_id(request: web.Request, name: str) -> int:
    """Reads a whole number of the path.

    Raises:
        Problem: 404, it is none.
    """
    text = request.match_info[name]
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ID)) and int(text) <= MAX_ID):
        raise not_found("this address takes a whole number")
    return int(text)


def read_month(request: web.Request) -> Month | None:
    """Reads `month=YYYY-MM`, None where it is absent.

    Raises:
        Problem: 400, it is no month.
    """
    text = read_text(request, "month")
    try:
        return parse_month(text) if text else None
    except ValueError as error:
        raise bad_request(f"month: {error}") from error


def _find_site(request: web.Request, key: str) -> WatchedSite:
    if not key:
        raise bad_request("site: write the key of a site; /api/v1/sites lists them")
    for site in request.app[SOURCES].sites():
        if site.key == key:
            return site
    raise Problem(HTTPStatus.NOT_FOUND, "there is no site of this key; /api/v1/sites lists them")


def _page(request: web.Request, found: Sequence[Item]) -> Sequence[Item]:
    offset = read_number(request, OFFSET)
    return found[offset : offset + read_number(request, LIMIT)]
