"""A concern in words, from the table of `sentry.reports.concerns`."""

from textwrap import wrap

from sentry.domain.concern import ConcernKind, ConcernTold
from sentry.domain.incident import Incident
from sentry.domain.notice import NoticeKind
from sentry.reports.account import Rows
from sentry.reports.concern_facts import shown_facts
from sentry.reports.concerns import CONCERNS, Variants
from sentry.reports.failure_text import COLUMNS, course_of_events, row, section
from sentry.reports.inert import inert_line
from sentry.reports.wording import Wording

_HEADLINE_CHARS = 200


class ConcernAccount:
    """Fills `Account`.

    Args:
        incident: of a concern.
        kind: of the concern.
        site_name: as people call the site, empty for the agent itself.
        duration: how long it lasted, empty while it does.
    """

    def __init__(
        self, incident: Incident, kind: ConcernKind, *, site_name: str, duration: str, wording: Wording
    ) -> None:
        self._incident = incident
        self._wording = wording
        self._text = CONCERNS[kind]
        self._facts = {
            **shown_facts(incident.facts, self._text.words, wording),
            "site": site_name,
            "duration": duration,
        }
        self.alertname = self._text.alertname
        self.reason = kind.value

    def headline(self, kind: NoticeKind) -> str:
        """Returns the first line of a message."""
        if kind is NoticeKind.REOPENED and self._is_back():
            return self._wording.text("{headline}, again", headline=self.cause())
        return self._said(self._text.resolved) if kind is NoticeKind.RESOLVED else self.cause()

    def cause(self) -> str:
        """Returns one line that anyone understands: what is wrong."""
        return self._said(self._text.opened)

    def explanation(self) -> str:
        """Returns what it means."""
        return self._said(self._text.meaning)

    def rows(self, *, resolved: bool) -> Rows:  # noqa: ARG002  # the facts stand in the end too
        """Returns the facts that are known."""
        return [(self._wording.text(label), self._facts.get(name, "")) for label, name in self._text.rows]

    def last_rows(self, *, resolved: bool) -> Rows:
        """Returns what to do, as long as there is something to do."""
        return [] if resolved else [(self._wording.text("What to do"), self._advice())]

    def told(self) -> ConcernTold:
        """Returns its parts, for a page."""
        rows = tuple((label, value) for label, value in self.rows(resolved=False) if value)
        return ConcernTold(self.cause(), self.explanation(), self._advice(), rows)

    def evidence(self) -> str:
        """Returns the course of events, where there is more than its beginning."""
        return self._course() if len(self._incident.timeline) > 1 else ""

    def whole(self) -> str:
        """Returns everything as readable text."""
        wording, told = self._wording, self.told()
        facts = [line for label, value in told.facts for line in row(label, value)]
        sections = (
            (wording.text("Cause"), [*wrap(told.headline, COLUMNS - 2), "", *wrap(told.meaning, COLUMNS - 2)]),
            (wording.text("What to do"), wrap(told.advice, COLUMNS - 2)),
            (wording.text("Facts"), facts),
        )
        texts = [section(title, lines) for title, lines in sections if lines]
        return "\n\n".join([*texts, self._course()])

    def _is_back(self) -> bool:
        """Whether it was over meanwhile, and has not only come to its next stage."""
        told = [entry.kind for entry in self._incident.timeline if entry.kind in {"raised_again", "next_stage"}]
        return told[-1:] != ["next_stage"]

    def _advice(self) -> str:
        return self._said((*self._text.remedies, self._text.advice))

    def _course(self) -> str:
        return section(self._wording.text("Course of events"), list(course_of_events(self._incident, self._wording)))

    def _said(self, variants: Variants) -> str:
        """The first variant whose facts are all known; the last names none that may be missing."""
        for variant in variants:
            try:
                return inert_line(self._wording.facts(variant, self._facts), _HEADLINE_CHARS * 2)
            except KeyError:
                continue
        return inert_line(self._wording.text(variants[-1]), _HEADLINE_CHARS)
