"""Announced maintenance: the interface that lists, announces, changes and cancels it, its page and its calendar."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sentry.domain.announcement import AnnouncedWindow, WindowState
from sentry.domain.errors import NotFound, TransitionRefused
from sentry.domain.maintenance_window import MaintenanceWindow, WorkKind
from sentry.domain.watched_site import WatchedSite
from sentry.web.access import calendar_key
from sentry.web.body import read_document
from sentry.web.interface import answer
from sentry.web.problems import bad_request, not_found
from sentry.web.rendering import render
from sentry.web.route import Parameter, read_text
from sentry.web.sources import OPTIONS, SOURCES, Sources
from sentry.web.terms import WINDOW_WORDS

BY = Parameter("by", "Who says so.", required=True)
EVERY = Parameter("all", "Anything: also what is over or cancelled.")
KEY = Parameter("key", "Key of the client's calendar, where the token is not sent.")
MAX_NAME_CHARS = 80


class Announcement(MaintenanceWindow):
    """A window that a person announces."""

    by: str = Field(min_length=1, max_length=MAX_NAME_CHARS, description="Who announces it.")


class NewEnd(BaseModel):
    """Another end of a window."""

    model_config = ConfigDict(extra="forbid")

    ends_at: str | None = Field(None, max_length=40, description="Local date and time, e.g. 2026-12-01T04:00.")
    duration_min: int | None = Field(None, description="Or the minutes that it lasts.")
    by: str = Field(min_length=1, max_length=MAX_NAME_CHARS, description="Who says so.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.ends_at is None) == (self.duration_min is None):
            raise ValueError("give 'ends_at' or 'duration_min', one of them")
        return self


class WindowDocument(BaseModel):
    """A window as it stands."""

    window: str
    state: WindowState
    kind: WorkKind
    reason: str
    cause: str | None
    approver: str | None
    next_begin: datetime | None = Field(description="When it takes place next, or does now; null: never.")
    next_end: datetime | None
    zone: str | None
    rrule: str | None
    sites: list[str]
    announced_at: datetime
    author: str
    changed_at: datetime
    changes: int


class WindowListDocument(BaseModel):
    """Windows in the order in which they were announced."""

    total: int
    items: list[WindowDocument]


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A window on a page, with the names of its sites."""

    window: AnnouncedWindow
    state: WindowState
    begin: datetime | None
    end: datetime | None
    sites: tuple[str, ...]


async def windows(request: web.Request) -> web.Response:
    """Windows that are announced or under way, of every site or of one, or of a client."""
    now = request.app[SOURCES].clock.now()
    items = [_document(row.window, now) for row in _rows(request, every=bool(request.query.get(EVERY.name)))]
    return answer(WindowListDocument(total=len(items), items=items))


async def announce(request: web.Request) -> web.Response:
    """Announces a window."""
    said = await read_document(request, Announcement)
    plan = MaintenanceWindow.model_validate(said.model_dump(exclude={"by"}))
    return await _told(request, lambda: request.app[SOURCES].maintenance.announce(plan, said.by))


async def end(request: web.Request) -> web.Response:
    """Lets a window end at another time; minutes that are new need notice of their own."""
    key, said = request.match_info["key"], await read_document(request, NewEnd)
    desk = request.app[SOURCES].maintenance
    return await _told(request, lambda: desk.end(key, said.by, ends_at=said.ends_at, duration_min=said.duration_min))


async def cancel(request: web.Request) -> web.Response:
    """Cancels what is still to come of a window."""
    by = read_text(request, BY.name)
    if not 0 < len(by) <= MAX_NAME_CHARS:
        raise bad_request(f"by: say who cancels it, in at most {MAX_NAME_CHARS} characters")
    return await _told(request, lambda: request.app[SOURCES].maintenance.cancel(request.match_info["key"], by))


async def page(request: web.Request) -> web.Response:
    """What is announced, and where its calendar is."""
    sources, client = request.app[SOURCES], read_text(request, "client")
    rows = sorted(_rows(request), key=lambda row: row.begin or sources.clock.now())
    clients = {site.client_key: site.client_name for site in sources.sites()}
    facts = {
        "rows": rows,
        "window_words": WINDOW_WORDS,
        "client": client,
        "client_name": clients.get(client, client),
        "clients": sorted(((name, key) for key, name in clients.items()), key=lambda pair: pair[0].casefold()),
        "calendar": _calendar_path(request, client),
    }
    return await render(request, "maintenance.html", facts)


async def calendar(request: web.Request) -> web.Response:
    """The windows as iCalendar, of every site, a client's or one."""
    text = request.app[SOURCES].maintenance.calendar({site.key for site in _asked_for(request)})
    return web.Response(text=text, content_type="text/calendar", charset="utf-8")


def upcoming(sources: Sources, site: WatchedSite) -> list[WindowRow]:
    """Returns the windows of a site that are announced or under way, the next first."""
    now = sources.clock.now()
    rows = [
        _row(one, {site.key: site.name}, now) for one in sources.maintenance.windows.values() if site.key in one.sites
    ]
    return sorted((row for row in rows if row.begin), key=lambda row: row.begin or now)


def under_way(sources: Sources) -> list[WindowRow]:
    """Returns the windows that are under way now."""
    names, now = {site.key: site.name for site in sources.sites()}, sources.clock.now()
    known = [one for one in sources.maintenance.windows.values() if one.state(now) is WindowState.RUNNING]
    return [_row(one, names, now) for one in known]


async def _told(request: web.Request, say: Callable[[], Awaitable[AnnouncedWindow]]) -> web.Response:
    try:
        window = await say()
    except NotFound as error:
        raise not_found(str(error)) from error
    except (ValueError, TransitionRefused) as error:
        raise bad_request(str(error)) from error
    return answer(_document(window, request.app[SOURCES].clock.now()))


def _asked_for(request: web.Request) -> list[WatchedSite]:
    """The sites that `site` and `client` name; all where neither is given."""
    key, client = read_text(request, "site"), read_text(request, "client")
    found = [
        site
        for site in request.app[SOURCES].sites()
        if (not key or site.key == key) and (not client or site.client_key == client)
    ]
    if (key or client) and not found:
        raise not_found("there is no such site or client; /api/v1/sites lists them")
    return found


def _rows(request: web.Request, *, every: bool = False) -> list[WindowRow]:
    sources = request.app[SOURCES]
    names, now = {site.key: site.name for site in _asked_for(request)}, sources.clock.now()
    found = [_row(one, names, now) for one in sources.maintenance.windows.values() if one.sites & names.keys()]
    return [row for row in found if every or row.begin is not None]


def _row(window: AnnouncedWindow, names: dict[str, str], now: datetime) -> WindowRow:
    begin, end = window.next_occurrence(now) or (None, None)
    return WindowRow(
        window, window.state(now), begin, end, tuple(sorted(names[key] for key in window.sites if key in names))
    )


def _document(window: AnnouncedWindow, now: datetime) -> WindowDocument:
    plan = window.plan
    begin, end = window.next_occurrence(now) or (None, None)
    return WindowDocument(
        window=window.key,
        state=window.state(now),
        kind=plan.kind,
        reason=plan.reason,
        cause=plan.cause,
        approver=plan.approver,
        next_begin=begin,
        next_end=end,
        zone=plan.zone,
        rrule=plan.rrule,
        sites=sorted(window.sites),
        announced_at=window.announced_at,
        author=window.author,
        changed_at=window.changed_at,
        changes=window.sequence,
    )


def _calendar_path(request: web.Request, client: str) -> str:
    """The address of a calendar; a client's carries its key, for the programs that know no other way in."""
    token = request.app[OPTIONS].token
    given = {"client": client, "key": calendar_key(token, client)} if token and client else {"client": client}
    return f"/maintenance.ics?{urlencode(given)}" if client else "/maintenance.ics"
