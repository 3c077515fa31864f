"""An outage in words, from its failure report."""

from sentry.domain.failure_report import FailureReport
from sentry.domain.incident import Incident
from sentry.domain.notice import NoticeKind
from sentry.domain.result import Reason, Status
from sentry.domain.severity import Severity
from sentry.reports.account import Rows
from sentry.reports.attributions import BASIS_TEXT, SIDE_TEXT
from sentry.reports.facts import cause_headline, cause_sentence
from sentry.reports.failure_text import evidence_text, failure_text, phase_bar
from sentry.reports.inert import inert_line
from sentry.reports.wording import N_, Wording

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

_WITHDRAWN = N_("{site} was not down: the watch itself had a fault")
_NOT_DOWN = N_("the watch itself had a fault and could not see {site}. No minute of it counts as downtime.")

_OF_JOBS = frozenset({Reason.HEARTBEAT_MISSED, Reason.HEARTBEAT_FAILED})


class OutageAccount:
    """Fills `Account`.

    Args:
        incident: with its report.
        report: what failed.
        site_name: as people call the site.
        duration: how long it lasted, empty while it does.
    """

    def __init__(
        self, incident: Incident, report: FailureReport, *, site_name: str, duration: str, wording: Wording
    ) -> None:
        self._incident = incident
        self._report = report
        self._site_name = site_name
        self._duration = duration
        self._wording = wording
        self.alertname = "SiteDegraded" if report.failed.status is Status.DEGRADED else "SiteDown"
        self.reason = str(report.reason)

    def headline(self, kind: NoticeKind) -> str:
        """Returns the first line of a message."""
        if self._incident.is_withdrawn:
            return self._wording.text(_WITHDRAWN, site=self._site_name)
        sentences, several = (_DOWN, _DOWN_SEVERAL_TIMES) if self._is_down() else (_DEGRADED, _DEGRADED_SEVERAL_TIMES)
        sentence = several if kind is NoticeKind.RESOLVED and self._incident.opening > 1 else sentences[kind]
        return self._wording.text(
            _FLAPPING if kind is NoticeKind.REOPENED and self._incident.flapping_since else sentence,
            site=self._site_name,
            cause=cause_headline(self._report, self._wording),
            duration=self._duration,
            times=self._wording.number(self._incident.opening),
        )

    def cause(self) -> str:
        """Returns one line that anyone understands: what failed and why."""
        if self._incident.is_withdrawn:
            return self._wording.text(_NOT_DOWN, site=self._site_name)
        return cause_sentence(self._report, self._wording)

    def explanation(self) -> str:
        """Returns the cause."""
        return self.cause()

    def rows(self, *, resolved: bool) -> Rows:  # noqa: ARG002  # how it showed is said at the end too
        """Returns how it shows."""
        failed = self._report.failed
        return [
            (self._wording.text("Phases"), phase_bar(failed)),
            (self._wording.text("Detail"), inert_line(failed.detail, 300)),
        ]

    def last_rows(self, *, resolved: bool) -> Rows:  # noqa: ARG002  # see `rows`
        """Returns which checks are down, and whose side it is on."""
        side = self._wording.text(SIDE_TEXT[self._report.attribution])
        if self._report.attribution_basis in BASIS_TEXT:
            side = f"{side}: {self._wording.text(BASIS_TEXT[self._report.attribution_basis])}"
        return [
            (self._wording.text("Checks down"), ", ".join(sorted(self._incident.checks_down))),
            (self._wording.text("Likely side"), side),
        ]

    def evidence(self) -> str:
        """Returns what the cause rests on."""
        return evidence_text(self._incident, self._report, self._wording)

    def whole(self) -> str:
        """Returns the whole failure report."""
        return failure_text(self._incident, self._report, self._wording)

    def _is_down(self) -> bool:
        """Whether visitors find it down: not where it answers, where a job failed, or by what is only observed."""
        observed = self._report.reason in _OF_JOBS or self._incident.severity > Severity.SEV2
        return self._report.failed.status is not Status.DEGRADED and not observed
