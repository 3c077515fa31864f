"""The security audits of a month in sentences for somebody who is no engineer."""

from collections.abc import Iterator
from datetime import datetime

from sentry.domain.client_report import SiteReport
from sentry.reports.wording import Wording


def audit_sentences(site: SiteReport, wording: Wording) -> Iterator[str]:
    """Yields how many audits were made, what the last one found, and what was mended."""
    if not site.audits:
        yield wording.text("No security audit of this site was made in this month.")
        return
    last = site.audits[-1]
    yield wording.plural(
        "{count} security audit was made; the last one, on {day}, looked at {files} files.",
        "{count} security audits were made; the last one, on {day}, looked at {files} files.",
        len(site.audits),
        day=wording.day(datetime.fromisoformat(last.ended_at).astimezone(wording.zone).date()),
        files=wording.number(last.files),
    )
    if not (last.malware or last.holes or last.others):
        yield wording.text("It found nothing that has to be mended.")
    if last.malware:
        yield wording.plural(
            "It found harmful code in {count} place.", "It found harmful code in {count} places.", last.malware
        )
    if last.holes:
        yield wording.plural(
            "It found {count} part with a known security hole.",
            "It found {count} parts with a known security hole.",
            last.holes,
        )
    if last.others:
        yield wording.plural(
            "It found {count} thing that we look at more closely.",
            "It found {count} things that we look at more closely.",
            last.others,
        )
    gone = sum(audit.gone for audit in site.audits)
    if gone:
        yield wording.plural(
            "{count} earlier finding was mended or is no longer there.",
            "{count} earlier findings were mended or are no longer there.",
            gone,
        )
