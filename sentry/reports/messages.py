"""Messages about incidents: written for somebody who is woken by them, in the language and zone of the client."""

from collections.abc import Callable, Mapping
from datetime import datetime
from fractions import Fraction
from textwrap import wrap
from typing import Any
from zoneinfo import ZoneInfo

from sentry.domain.budget import Budget, floored
from sentry.domain.concern import ConcernKind, ConcernTold
from sentry.domain.incident import Incident
from sentry.domain.month import Month, minute_of, parse_month
from sentry.domain.notice import Message, NoticeKind
from sentry.domain.public_url import public_url
from sentry.domain.site import Language
from sentry.domain.watched_site import WatchedSite
from sentry.reports.account import Account
from sentry.reports.concern_account import ConcernAccount
from sentry.reports.facts import host_of
from sentry.reports.failure_text import COLUMNS
from sentry.reports.group_account import GroupAccount
from sentry.reports.inert import inert_line
from sentry.reports.outage_account import OutageAccount
from sentry.reports.pages import page
from sentry.reports.summary import summary
from sentry.reports.wording import Wording

LATE_S = 90.0
"""From here on a message says that it comes late (promise 001-31: accepted within 90 seconds)."""

_LABEL = 17
_SUBJECT_CHARS = 150


class Messages:
    """Fills `MessageRenderer` and `BudgetWording`.

    Args:
        agency_name: signs the messages.
        base_url: where the agent's pages are, as readers reach them; None where they have no page to open.
        find_site: what is known of a site by its key; None for one that was removed.
        zone: shown where the site is not known any more.
    """

    def __init__(
        self,
        *,
        agency_name: str,
        base_url: str | None,
        find_site: Callable[[str], WatchedSite | None],
        zone: ZoneInfo,
    ) -> None:
        self._agency_name = agency_name
        self._base_url = base_url.rstrip("/") if base_url else None
        self._find_site = find_site
        self._zone = zone

    def cause(self, incident: Incident, language: Language) -> str:
        """Returns one line that anyone understands: what is wrong and why."""
        return self._account(incident, self._wording(incident, language)).cause()

    def report_text(self, incident: Incident, language: Language) -> str:
        """Returns the whole failure report, or all that is known of a concern, as readable text."""
        return self._account(incident, self._wording(incident, language)).whole()

    def part_of(self, parent: Incident, language: Language) -> str:
        """Returns the line that says of another incident that it is part of this one."""
        wording = self._wording(parent, language)
        ticket = wording.number(parent.ticket_number) if parent.ticket_number else "–"  # noqa: RUF001  # for none
        return wording.text(
            "Part of incident #{number} (ticket #{ticket}): {cause}",
            number=parent.id,
            ticket=ticket,
            cause=self.cause(parent, language),
        )

    def concern(self, incident: Incident, language: Language) -> ConcernTold | None:
        """Returns a concern in its parts, None for an outage."""
        account = self._account(incident, self._wording(incident, language))
        return account.told() if isinstance(account, ConcernAccount) else None

    def message(
        self, incident: Incident, kind: NoticeKind, *, key: str, language: Language, delayed_s: float
    ) -> Message:
        """Returns the opening, re-opening or resolving message of an incident."""
        wording = self._wording(incident, language)
        account = self._account(incident, wording)
        headline = account.headline(kind)
        late = _late(delayed_s, wording)
        rows = self._rows(incident, account, kind, wording)
        resolved = kind is NoticeKind.RESOLVED
        return Message(
            key=key,
            kind=kind,
            incident_key=f"incident:{incident.id}",
            severity=incident.severity,
            subject=_subject(incident, resolved, headline, late, wording),
            text=self._text(incident, account, resolved, headline, late, rows, wording),
            html=self._html(incident, account, resolved, headline, late, rows, wording),
            starts_at=incident.started_at,
            ends_at=incident.recovered_at if resolved else None,
            fields=self._fields(incident, account, kind),
            labels=_labels(incident, account),
            delayed_s=delayed_s,
        )

    def budget_ticket(self, site: WatchedSite, month: Month, budget: Budget, threshold: int) -> tuple[str, str]:
        """Returns the title and the text of the ticket for a budget threshold."""
        wording = Wording(site.language, site.zone)
        facts = {
            "site": inert_line(site.name, 100),
            "month": wording.month(month.first_day),
            "threshold": wording.share(str(threshold)),
            "target": wording.share(str(site.uptime_target)),
            "allowed": wording.number(floored(budget.allowed, 2)),
            "spent": wording.number(budget.spent),
            "left": wording.number(floored(max(budget.left, Fraction(0)), 2)),
        }
        title = wording.text("{site}: {threshold} of the downtime allowed in {month} is used", **facts)
        text = wording.text(
            "In {month} {site} may be down for {allowed} minutes ({target} promised). {spent} minutes are used; "
            "{left} are left.",
            **facts,
        )
        if budget.left < 0:
            text += " " + wording.text("The promise can no longer be kept this month.")
        where = wording.text("Every minute with its rule:")
        return title, f"{text}\n\n{where}\nonline-sentry ledger {site.key} --month {month} --explain"

    def burn_note(self, site: WatchedSite, facts: Mapping[str, Any]) -> str:
        """Returns what an outage does to the budget, for its ticket."""
        wording = Wording(site.language, site.zone)
        left = floored(max(Fraction(str(facts["left_minutes"])), Fraction(0)), 2)
        text = wording.text(
            "This outage burns the downtime budget of {month} {rate} times faster than it lasts (over {window}): "
            "{spent} of {allowed} minutes are used, {left} are left.",
            month=wording.month(parse_month(facts["month"]).first_day),
            rate=wording.number(facts["rate"]),
            window=facts["window"],
            spent=wording.number(facts["spent_minutes"]),
            allowed=wording.number(facts["allowed_minutes"]),
            left=wording.number(left),
        )
        if facts["runs_out_at"] is None:
            return text
        runs_out_at = datetime.fromisoformat(facts["runs_out_at"])
        return (
            text
            + " "
            + wording.text(
                "At the pace of the last seven days nothing is left on {moment}.", moment=wording.minute(runs_out_at)
            )
        )

    def _wording(self, incident: Incident, language: Language) -> Wording:
        keys = [member.site_key for member in incident.members] if incident.is_group else [incident.site_key]
        zones = {site.zone for site in map(self._find_site, keys) if site is not None}
        return Wording(language, zones.pop() if len(zones) == 1 else self._zone)

    def _site_name(self, incident: Incident) -> str:
        """As people call the site; empty for the agent itself."""
        site = self._find_site(incident.site_key)
        if site is not None:
            return inert_line(site.name, 60)
        return host_of(incident.report.url) if incident.report else inert_line(incident.site_key, 60)

    def _account(self, incident: Incident, wording: Wording) -> OutageAccount | ConcernAccount:
        name, lasted = self._site_name(incident), _duration(incident, wording)
        if incident.is_group:
            return GroupAccount(incident, find_site=self._find_site, duration=lasted, wording=wording)
        if incident.report is not None:
            return OutageAccount(incident, incident.report, site_name=name, duration=lasted, wording=wording)
        kind = incident.concern or ConcernKind.DEGRADED
        return ConcernAccount(incident, kind, site_name=name, duration=lasted, wording=wording)

    def _link(self, incident: Incident) -> str | None:
        return f"{self._base_url}/incidents/{incident.id}" if self._base_url else None

    def _rows(
        self, incident: Incident, account: Account, kind: NoticeKind, wording: Wording
    ) -> list[tuple[str, str]]:
        """What the reader needs before the report: since when, how it shows, whose side, where to look."""
        resolved = kind is NoticeKind.RESOLVED
        rows = [
            (
                wording.text("Since"),
                f"{wording.moment(incident.started_at)} ({wording.zone_name(incident.started_at)})",
            ),
            *self._end_rows(incident, kind, wording),
            *_flapping_rows(incident, kind, wording),
            *account.rows(resolved=resolved),
            (wording.text("Site"), self._site_row(incident)),
            *account.last_rows(resolved=resolved),
            (wording.text("Ticket"), f"#{incident.ticket_number}" if incident.ticket_number else ""),
        ]
        return [(label, value) for label, value in rows if value]

    def _site_row(self, incident: Incident) -> str:
        site = self._find_site(incident.site_key)
        url = incident.report.url if incident.report else site.url if site else incident.site_key
        owner = inert_line(site.client_name if site else incident.client_key, 60)
        return inert_line(f"{public_url(url)} · {owner}", 300) if url else ""

    def _end_rows(self, incident: Incident, kind: NoticeKind, wording: Wording) -> list[tuple[str, str]]:
        if kind is not NoticeKind.RESOLVED or incident.recovered_at is None:
            return []
        rows = [
            (wording.text("Until"), wording.moment(incident.recovered_at)),
            (wording.text("Lasted"), _duration(incident, wording)),
        ]
        if incident.report is None or incident.is_withdrawn:
            return rows
        if incident.opening == 1:
            # An outage within one minute counts that minute: the worse state wins in the ledger.
            minutes = max(1, minute_of(incident.recovered_at) - minute_of(incident.started_at))
            down = wording.plural("{count} minute", "{count} minutes", minutes)
            rows.append((wording.text("Counted down"), down))
        rows.append((wording.text("Detected in"), wording.duration(incident.time_to_detect.total_seconds())))
        if incident.time_to_acknowledge is not None:
            taken = wording.duration(incident.time_to_acknowledge.total_seconds())
            rows.append((wording.text("Acknowledged"), wording.text("after {duration}", duration=taken)))
        return rows

    def _text(
        self,
        incident: Incident,
        account: Account,
        resolved: bool,
        headline: str,
        late: str,
        rows: list[tuple[str, str]],
        wording: Wording,
    ) -> str:
        lines = wrap(headline, COLUMNS)
        if late:
            lines += wrap(f"({late})", COLUMNS)
        lines += ["", *wrap(_explained(account, resolved, wording), COLUMNS), ""]
        for label, value in rows:
            lines += wrap(
                f"{label:<{_LABEL}}{value}", COLUMNS, subsequent_indent=" " * _LABEL, break_on_hyphens=False
            )
        lines += ["", *self._where_to_look(incident, wording), ""]
        evidence = "" if resolved else account.evidence()
        if evidence:
            lines += ["─" * COLUMNS, "", evidence, ""]
        return "\n".join([*lines, "-- ", inert_line(self._agency_name, 70), ""])

    def _where_to_look(self, incident: Incident, wording: Wording) -> list[str]:
        link = self._link(incident)
        command = f"online-sentry incident show {incident.id}"
        look = wording.text("Look here")
        return (
            [f"{look + ':':<{_LABEL}}{link}", " " * _LABEL + command]
            if link
            else [f"{look + ':':<{_LABEL}}{command}"]
        )

    def _html(
        self,
        incident: Incident,
        account: Account,
        resolved: bool,
        headline: str,
        late: str,
        rows: list[tuple[str, str]],
        wording: Wording,
    ) -> str:
        return page(
            "mail.html",
            wording,
            headline=headline,
            late=late,
            resolved=resolved,
            severity=str(incident.severity),
            number=incident.id,
            cause=_explained(account, resolved, wording),
            rows=rows,
            link=self._link(incident),
            command=f"online-sentry incident show {incident.id}",
            report="" if resolved else account.evidence(),
            agency=inert_line(self._agency_name, 80),
        )

    def _fields(self, incident: Incident, account: Account, kind: NoticeKind) -> dict[str, Any]:
        site = self._find_site(incident.site_key)
        return {
            "event": str(kind),
            "site_name": self._site_name(incident),
            "client_name": inert_line(site.client_name, 100) if site else None,
            "cause": account.cause(),
            "link": self._link(incident),
            **summary(incident),
        }


def _labels(incident: Incident, account: Account) -> dict[str, str]:
    return {
        "alertname": account.alertname,
        "site": incident.site_key,
        "client": incident.client_key,
        "severity": str(incident.severity),
        "reason": account.reason,
    }


def _flapping_rows(incident: Incident, kind: NoticeKind, wording: Wording) -> list[tuple[str, str]]:
    if kind is not NoticeKind.REOPENED or incident.flapping_since is None:
        return []
    text = wording.text(
        "{times} outages so far. You hear of it again once it has stayed well.",
        times=wording.number(incident.opening),
    )
    return [(wording.text("Unstable"), text)]


def _subject(incident: Incident, resolved: bool, headline: str, late: str, wording: Wording) -> str:
    mark = wording.text("RESOLVED") if resolved else str(incident.severity)
    end = f" ({late})" if late else ""
    return inert_line(f"[{mark}] {headline} (#{incident.id}){end}", _SUBJECT_CHARS)


def _explained(account: Account, resolved: bool, wording: Wording) -> str:
    return wording.text("What had happened: {cause}", cause=account.cause()) if resolved else account.explanation()


def _late(delayed_s: float, wording: Wording) -> str:
    if delayed_s <= LATE_S:
        return ""
    return wording.text("sent {minutes} min late", minutes=wording.number(int(delayed_s // 60)))


def _duration(incident: Incident, wording: Wording) -> str:
    spent = incident.time_to_resolve
    return wording.duration(spent.total_seconds()) if spent is not None else ""
