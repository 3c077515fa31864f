"""The pages for people: status, site, incidents, tickets."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from sentry.domain.concern import ConcernTold
from sentry.domain.errors import StoreUnavailable
from sentry.domain.incident import Incident
from sentry.ports import Sample
from sentry.web.audits import counts_of, panel
from sentry.web.dossier import concern_dossier, dossier, member_lines
from sentry.web.history import Histories
from sentry.web.interface import all_standings, find_incident, incidents_now, read_id, standing_of
from sentry.web.maintenance import under_way, upcoming
from sentry.web.overview import (
    MAX_CONCERNS,
    MAX_PROBLEMS,
    PAGE_SITES,
    Search,
    alone,
    groups_of,
    headline,
    lasting,
    pressing,
    row,
)
from sentry.web.problems import not_found
from sentry.web.rendering import WORDS, render
from sentry.web.route import number_parameter, read_choice, read_number, read_text
from sentry.web.site_view import RECENT_INCIDENTS, SAMPLES, SAMPLES_WITHIN, Past, site_view
from sentry.web.sources import OPTIONS, SOURCES, Sources
from sentry.web.standing import CheckStanding, SiteStanding, Standing, problems_first
from sentry.web.terms import FINDING_WORDS, STANDING_WORDS, TICKET_WORDS, WINDOW_WORDS

HISTORIES: web.AppKey[Histories] = web.AppKey("histories", Histories)

PAGE = number_parameter("page", "Page of the list.", minimum=1, maximum=100_000, default=1)
INCIDENTS_SHOWN = 100
REFRESH_S = 30


async def status(request: web.Request) -> web.Response:
    """All sites: the problems first, then a row each."""
    sources, words = request.app[SOURCES], request.app[WORDS]
    search = Search(
        text=read_text(request, "q"),
        client=read_text(request, "client"),
        state=read_choice(request, "state", Standing),
        page=read_number(request, PAGE),
    )
    now = sources.clock.now()
    unresolved = await incidents_now(sources)
    standings, found = await asyncio.to_thread(_searched, await all_standings(sources, unresolved), search)
    pages = max(1, -(-len(found) // PAGE_SITES))
    first = (min(search.page, pages) - 1) * PAGE_SITES
    shown = found[first : first + PAGE_SITES]
    histories = await request.app[HISTORIES].of_sites([site.site for site in shown])
    groups = groups_of(unresolved)
    down = alone(site for site in standings if site.standing is Standing.DOWN)
    facts = {
        "headline": headline(words, standings),
        "standing_words": STANDING_WORDS,
        "groups": [
            (group, cause, lasting(words, group.started_at, now))
            for group, cause in _with_causes(request, groups[:MAX_PROBLEMS])
        ],
        "problems": [row(words, site, None, sources.wording, now) for site in down[:MAX_PROBLEMS]],
        "more_problems": max(0, len(down) - MAX_PROBLEMS),
        "concerns": _with_causes(request, pressing(unresolved)[:MAX_CONCERNS]),
        "rows": [
            row(words, site, history, sources.wording, now) for site, history in zip(shown, histories, strict=True)
        ],
        "has_history": all(history.month is not None for history in histories),
        "windows": under_way(sources),
        "window_words": WINDOW_WORDS,
        "search": search,
        "found": len(found),
        "first": first,
        "page": min(search.page, pages),
        "pages": pages,
        "clients": sorted(
            {(site.site.client_name, site.site.client_key) for site in standings}, key=lambda pair: pair[0].casefold()
        ),
        "refresh_s": REFRESH_S if request.query.get("refresh") else None,
    }
    return await render(request, "status.html", facts)


def _searched(standings: Sequence[SiteStanding], search: Search) -> tuple[list[SiteStanding], list[SiteStanding]]:
    """Every site, and those that were asked for, the problems first; in a thread, for there may be ten thousand."""
    ordered = problems_first(standings)
    return ordered, [site for site in ordered if search.fits(site)]


async def site(request: web.Request) -> web.Response:
    """One site: checks, month and incidents."""
    sources, key = request.app[SOURCES], request.match_info["key"]
    standing = await standing_of(sources, key)
    if standing is None:
        raise not_found("there is no site of this key")
    history = await request.app[HISTORIES].of_site(standing.site)
    incidents = await _incidents_of(sources, key)
    samples = [(check, await _samples(sources, check)) for check in standing.checks]
    past = Past(history, samples, sources.registration(key))
    view = site_view(request.app[WORDS], standing, past, sources.wording, sources.clock.now())
    facts = {
        "view": view,
        "incidents": _with_causes(request, incidents),
        "windows": upcoming(sources, standing.site),
        "window_words": WINDOW_WORDS,
        "standing_words": STANDING_WORDS,
        "asked": sources.spent(standing.site),
        "audit": panel(sources, key),
        "audit_counts": counts_of,
        "finding_words": FINDING_WORDS,
    }
    return await render(request, "site.html", facts)


async def incidents(request: web.Request) -> web.Response:
    """The newest incidents."""
    key = read_text(request, "site")
    found = await request.app[SOURCES].incidents.list(site_key=key or None, limit=INCIDENTS_SHOWN)
    facts = {"incidents": _with_causes(request, found), "site_key": key, "limit": INCIDENTS_SHOWN}
    return await render(request, "incidents.html", facts)


async def incident(request: web.Request) -> web.Response:
    """One incident: an outage with its failure report, or a concern."""
    sources, words = request.app[SOURCES], request.app[WORDS]
    found = await find_incident(request)
    keys = {found.site_key, *(member.site_key for member in found.members)}
    sites = {one.key: one for one in sources.sites() if one.key in keys}
    known, now = sites.get(found.site_key), sources.clock.now()
    facts: dict[str, object] = {"members": member_lines(words, found, sites, now)}
    if found.report is not None:
        cause = sources.wording.cause(found, words.language)
        said = await sources.attributions.history(found)
        outage = dossier(words, found, found.report, cause=cause, said=said, site=known, now=now)
        return await render(request, "incident.html", {**facts, "dossier": outage})
    told = sources.wording.concern(found, words.language) or ConcernTold(found.key, "", "")
    facts["dossier"] = concern_dossier(words, found, told, known, now)
    return await render(request, "concern.html", facts)


async def report_text(request: web.Request) -> web.Response:
    """The failure report as text, to be quoted or forwarded."""
    sources, options = request.app[SOURCES], request.app[OPTIONS]
    found = await find_incident(request)
    return web.Response(text=sources.wording.report_text(found, options.language), content_type="text/plain")


async def ticket(request: web.Request) -> web.Response:
    """One ticket with its history."""
    number = read_id(request, "number")
    found = await request.app[SOURCES].tickets.get(number)
    if found is None:
        raise not_found(f"there is no ticket {number}")
    return await render(request, "ticket.html", {"ticket": found, "ticket_words": TICKET_WORDS})


async def tickets(request: web.Request) -> web.Response:
    """The newest tickets."""
    found = await request.app[SOURCES].tickets.list(limit=INCIDENTS_SHOWN)
    return await render(
        request, "tickets.html", {"tickets": found, "limit": INCIDENTS_SHOWN, "ticket_words": TICKET_WORDS}
    )


def _with_causes(request: web.Request, found: Sequence[Incident]) -> list[tuple[Incident, str]]:
    wording, language = request.app[SOURCES].wording, request.app[OPTIONS].language
    return [(one, wording.cause(one, language)) for one in found]


async def _incidents_of(sources: Sources, site_key: str) -> Sequence[Incident]:
    try:
        return await sources.incidents.list(site_key=site_key, limit=RECENT_INCIDENTS)
    except StoreUnavailable:
        return []


async def _samples(sources: Sources, check: CheckStanding) -> Sequence[Sample]:
    now = sources.clock.now()
    try:
        return await sources.ledger.samples(check.view.check.key, now - SAMPLES_WITHIN, now, SAMPLES)
    except StoreUnavailable:
        return []
