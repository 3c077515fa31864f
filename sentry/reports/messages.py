"""Messages about incidents: written for somebody who is woken by them, in the language and zone of the client."""

from collections.abc import Callable, Mapping
from datetime import datetime
from fractions import Fraction
from textwrap import wrap
from typing import Any
from zoneinfo import ZoneInfo

from sentry.domain.budget import Budget, floored
from sentry.domain.incident import Incident, Severity
from sentry.domain.month import Month, minute_of, parse_month
from sentry.domain.notice import Message, NoticeKind
from sentry.domain.public_url import public_url
from sentry.domain.result import Reason, Status
from sentry.domain.site import Language
from sentry.domain.watched_site import WatchedSite
from sentry.reports.attributions import BASIS_TEXT, SIDE_TEXT
from sentry.reports.facts import cause_headline, cause_sentence, host_of
from sentry.reports.failure_text import COLUMNS, evidence_text, failure_text, phase_bar
from sentry.reports.inert import inert_line
from sentry.reports.pages import page
from sentry.reports.summary import summary
from sentry.reports.wording import N_, Wording

LATE_S = 90.0
"""From here on a message says that it comes late (promise 001-31: accepted within 90 seconds)."""

_LABEL = 17
_SUBJECT_CHARS = 150

_DOWN = {
    NoticeKind.OPENED: N_("{site} is down: {cause}"),
    NoticeKind.REOPENED: N_("{site} is down again: {cause}"),
    NoticeKind.RESOLVED: N_("{site} works again after {duration}"),
}
_DEGRADED = {
    NoticeKind.OPENED: N_("{site} needs attention: {cause}"),
    NoticeKind.REOPENED: N_("{site} needs attention again: {cause}"),
    NoticeKind.RESOLVED: N_("{site} is well again after {duration}"),
}
# Between two openings the site worked: the span is not how long it was down.
_DOWN_SEVERAL_TIMES = N_("{site} works again after {times} outages within {duration}")
_DEGRADED_SEVERAL_TIMES = N_("{site} is well again after {times} spells within {duration}")

_FLAPPING = N_("{site} keeps failing and recovering: {cause}")

_OF_JOBS = frozenset({Reason.HEARTBEAT_MISSED, Reason.HEARTBEAT_FAILED})


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
        """Returns one line that anyone understands: what failed and why."""
        return cause_sentence(incident.report, self._wording(incident, language))

    def report_text(self, incident: Incident, language: Language) -> str:
        """Returns the whole failure report as readable text."""
        return failure_text(incident, self._wording(incident, language))

    def message(
        self, incident: Incident, kind: NoticeKind, *, key: str, language: Language, delayed_s: float
    ) -> Message:
        """Returns the opening, re-opening or resolving message of an incident."""
        wording = self._wording(incident, language)
        headline = self._headline(incident, kind, wording)
        late = _late(delayed_s, wording)
        rows = self._rows(incident, kind, wording)
        resolved = kind is NoticeKind.RESOLVED
        return Message(
            key=key,
            kind=kind,
            incident_key=f"incident:{incident.id}",
            severity=incident.severity,
            subject=_subject(incident, resolved, headline, late, wording),
            text=self._text(incident, resolved, headline, late, rows, wording),
            html=self._html(incident, resolved, headline, late, rows, wording),
            starts_at=incident.started_at,
            ends_at=incident.recovered_at if resolved else None,
            fields=self._fields(incident, kind, wording),
            labels=self._labels(incident),
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
        site = self._find_site(incident.site_key)
        return Wording(language, site.zone if site else self._zone)

    def _site_name(self, incident: Incident) -> str:
        site = self._find_site(incident.site_key)
        return inert_line(site.name, 60) if site else host_of(incident.report.url)

    def _headline(self, incident: Incident, kind: NoticeKind, wording: Wording) -> str:
        sentences, several = (
            (_DOWN, _DOWN_SEVERAL_TIMES) if _is_down(incident) else (_DEGRADED, _DEGRADED_SEVERAL_TIMES)
        )
        sentence = several if kind is NoticeKind.RESOLVED and incident.opening > 1 else sentences[kind]
        return wording.text(
            _FLAPPING if kind is NoticeKind.REOPENED and incident.flapping_since else sentence,
            site=self._site_name(incident),
            cause=cause_headline(incident.report, wording),
            duration=_duration(incident, wording),
            times=wording.number(incident.opening),
        )

    def _link(self, incident: Incident) -> str | None:
        return f"{self._base_url}/incidents/{incident.id}" if self._base_url else None

    def _rows(self, incident: Incident, kind: NoticeKind, wording: Wording) -> list[tuple[str, str]]:
        """What the reader needs before the report: since when, how it shows, whose side, where to look."""
        report = incident.report
        site = self._find_site(incident.site_key)
        owner = inert_line(site.client_name, 60) if site else inert_line(incident.client_key, 60)
        side = wording.text(SIDE_TEXT[report.attribution])
        if report.attribution_basis in BASIS_TEXT:
            side = f"{side}: {wording.text(BASIS_TEXT[report.attribution_basis])}"
        rows = [
            (
                wording.text("Since"),
                f"{wording.moment(incident.started_at)} ({wording.zone_name(incident.started_at)})",
            ),
            *self._end_rows(incident, kind, wording),
            *_flapping_rows(incident, kind, wording),
            (wording.text("Phases"), phase_bar(report.failed)),
            (wording.text("Detail"), inert_line(report.failed.detail, 300)),
            (wording.text("Site"), inert_line(f"{public_url(report.url)} · {owner}", 300)),
            (wording.text("Checks down"), ", ".join(sorted(incident.checks_down))),
            (wording.text("Likely side"), side),
            (wording.text("Ticket"), f"#{incident.ticket_number}" if incident.ticket_number else ""),
        ]
        return [(label, value) for label, value in rows if value]

    def _end_rows(self, incident: Incident, kind: NoticeKind, wording: Wording) -> list[tuple[str, str]]:
        if kind is not NoticeKind.RESOLVED or incident.recovered_at is None:
            return []
        rows = [
            (wording.text("Until"), wording.moment(incident.recovered_at)),
            (wording.text("Lasted"), _duration(incident, wording)),
        ]
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
        resolved: bool,
        headline: str,
        late: str,
        rows: list[tuple[str, str]],
        wording: Wording,
    ) -> str:
        lines = wrap(headline, COLUMNS)
        if late:
            lines += wrap(f"({late})", COLUMNS)
        lines += ["", *wrap(_told_cause(incident, resolved, wording), COLUMNS), ""]
        for label, value in rows:
            lines += wrap(
                f"{label:<{_LABEL}}{value}", COLUMNS, subsequent_indent=" " * _LABEL, break_on_hyphens=False
            )
        lines += ["", *self._where_to_look(incident, wording), ""]
        if not resolved:
            lines += ["─" * COLUMNS, "", evidence_text(incident, wording), ""]
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
            cause=_told_cause(incident, resolved, wording),
            rows=rows,
            link=self._link(incident),
            command=f"online-sentry incident show {incident.id}",
            report="" if resolved else evidence_text(incident, wording),
            agency=inert_line(self._agency_name, 80),
        )

    def _fields(self, incident: Incident, kind: NoticeKind, wording: Wording) -> dict[str, Any]:
        site = self._find_site(incident.site_key)
        return {
            "event": str(kind),
            "site_name": self._site_name(incident),
            "client_name": inert_line(site.client_name, 100) if site else None,
            "cause": cause_sentence(incident.report, wording),
            "link": self._link(incident),
            **summary(incident),
        }

    def _labels(self, incident: Incident) -> dict[str, str]:
        degraded = incident.report.failed.status is Status.DEGRADED
        return {
            "alertname": "SiteDegraded" if degraded else "SiteDown",
            "site": incident.site_key,
            "client": incident.client_key,
            "severity": str(incident.severity),
            "reason": str(incident.report.reason),
        }


def _is_down(incident: Incident) -> bool:
    """Whether visitors find it down: not where it answers, where a job failed, or by what a check only observes."""
    report = incident.report
    observed = report.reason in _OF_JOBS or incident.severity > Severity.SEV2
    return report.failed.status is not Status.DEGRADED and not observed


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


def _told_cause(incident: Incident, resolved: bool, wording: Wording) -> str:
    cause = cause_sentence(incident.report, wording)
    return wording.text("What had happened: {cause}", cause=cause) if resolved else cause


def _late(delayed_s: float, wording: Wording) -> str:
    if delayed_s <= LATE_S:
        return ""
    return wording.text("sent {minutes} min late", minutes=wording.number(int(delayed_s // 60)))


def _duration(incident: Incident, wording: Wording) -> str:
    spent = incident.time_to_resolve
    return wording.duration(spent.total_seconds()) if spent is not None else ""
