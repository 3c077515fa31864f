"""Maintenance as a calendar that mail programs subscribe to: iCalendar, RFC 5545.

Each time that a window takes place is an event of its own, in UTC: no reader has to know the rules of a zone or of a
recurrence, and each shows the two nights on which clocks change right.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from sentry.domain.announcement import AnnouncedWindow
from sentry.reports.inert import inert_lines

PAST = timedelta(days=90)
AHEAD = timedelta(days=400)
"""How far back and ahead of now a calendar reaches."""

MAX_EVENTS_OF_WINDOW = 500
LINE_OCTETS = 75


def icalendar(
    windows: Iterable[AnnouncedWindow], now: datetime, name: str, *, sites: Collection[str] | None = None
) -> str:
    """Writes windows as a calendar.

    Args:
        windows: as they stand.
        now: the instant, aware UTC.
        name: whose calendar it is.
        sites: only windows that are about one of these; all when absent.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Online Sentry//Maintenance//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
    ]
    for window in windows:
        shown = window.sites if sites is None else window.sites & frozenset(sites)
        if shown:
            lines += _events(window, sorted(shown), now)
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in _folded(line))


def _events(window: AnnouncedWindow, sites: list[str], now: datetime) -> Iterator[str]:
    since = max(now - PAST, window.announced_at)
    for begin, end in islice(window.plan.occurrences(since, now + AHEAD), MAX_EVENTS_OF_WINDOW):
        is_off = window.cancelled and end > window.changed_at
        yield from (
            "BEGIN:VEVENT",
            f"UID:{_instant(window.announced_at)}-{_text(window.key)}-{_instant(begin)}@online-sentry",
            f"SEQUENCE:{window.sequence}",
            f"DTSTAMP:{_instant(window.changed_at)}",
            f"CREATED:{_instant(window.announced_at)}",
            f"LAST-MODIFIED:{_instant(window.changed_at)}",
            f"DTSTART:{_instant(begin)}",
            f"DTEND:{_instant(end)}",
            f"SUMMARY:{_text(window.plan.reason)}",
            f"DESCRIPTION:{_text(', '.join(sites))}",
            f"CATEGORIES:{window.plan.kind.upper()}",
            f"STATUS:{'CANCELLED' if is_off else 'CONFIRMED'}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        )


def _instant(instant: datetime) -> str:
    return f"{instant:%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    """Escapes a value of type TEXT (RFC 5545, 3.3.11)."""
    lines = inert_lines(text)
    return "\\n".join(line.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,") for line in lines)


def _folded(line: str) -> Iterator[str]:
    """Folds a line after at most 75 octets, between characters (RFC 5545, 3.1)."""
    part, octets = "", 0
    for character in line:
        size = len(character.encode())
        if octets + size > LINE_OCTETS:
            yield part
            part, octets = " ", 1
        part, octets = part + character, octets + size
    yield part
