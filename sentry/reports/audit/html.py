"""An audit as one self-contained page: no script, nothing loaded from anywhere, every stranger's byte escaped."""

from collections import defaultdict
from zoneinfo import ZoneInfo

from sentry.domain.acting import EVIDENCE, why
from sentry.domain.finding import WORST_FIRST, AuditReport, Finding, FindingClass
from sentry.domain.site import Language
from sentry.reports.audit.titles import PLACES, TITLES
from sentry.reports.inert import inert_line
from sentry.reports.pages import page
from sentry.reports.wording import Wording

SHOWN_OF_CLASS = 200
"""Cards of one class; a browser shows no ten thousand of them well. The JSON report has all."""

SKIPPED_SHOWN = 500
UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
GRAVE = (FindingClass.CONFIRMED, FindingClass.VULNERABLE, FindingClass.EXPOSED)
TO_LOOK_AT = (FindingClass.SUSPICIOUS, FindingClass.MODIFIED, FindingClass.ENCODED)


def audit_html(report: AuditReport) -> str:
    """Returns the page."""
    wording = Wording(Language.EN, ZoneInfo("UTC"))
    classes: dict[FindingClass, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        classes[finding.verdict].append(finding)
    counts = {
        verdict: sum(not one.allowed for one in classes[verdict]) for verdict in WORST_FIRST if verdict in classes
    }
    return page(
        "audit.html",
        wording,
        report=report,
        manifest=report.manifest,
        classes=[(verdict, classes[verdict]) for verdict in WORST_FIRST if verdict in classes],
        counts=counts,
        allowed=sum(bool(finding.allowed) for finding in report.findings),
        headline=_headline(report),
        tone=_tone(report.worst),
        tone_of=_tone,
        titles=TITLES,
        places=PLACES,
        evidence=EVIDENCE,
        why=why,
        inert=inert_line,
        size=_size,
        took=wording.duration(round((report.ended_at - report.began_at).total_seconds())),
        shown_of_class=SHOWN_OF_CLASS,
        skipped=report.manifest.skipped[:SKIPPED_SHOWN],
        more_skipped=max(0, len(report.manifest.skipped) - SKIPPED_SHOWN),
    )


def _tone(worst: FindingClass | None) -> str:
    return "bad" if worst in GRAVE else "warn" if worst in TO_LOOK_AT else "good"


def _headline(report: AuditReport) -> str:
    if report.worst is None:
        return "Nothing was found"
    return {"bad": f"Act now: {TITLES[report.worst][0].lower()}", "warn": "Somebody should look at this"}.get(
        _tone(report.worst), "Nothing that has to be mended"
    )


def _size(count: int) -> str:
    """Returns a size as people write it, in decimal units."""
    for unit, name in UNITS:
        if count >= unit:
            return f"{count / unit:,.1f} {name}"
    return f"{count:,} bytes"
