"""The facts of a failure that sentences and headlines are made of, as inert text in the reader's language."""

from urllib.parse import urlsplit

from sentry.domain.failure_report import FailureReport
from sentry.domain.public_url import public_url
from sentry.domain.result import Certificate, Reason
from sentry.reports.causes import CAUSES, STATUS_TEXT, Cause
from sentry.reports.inert import inert_line
from sentry.reports.wording import Wording

_NAMES_SHOWN = 3


def host_of(url: str) -> str:
    """Returns the host of a URL as people say it, the port only where it is not the usual one."""
    url = public_url(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or url, parts.port
    except ValueError:
        host, port = url, None
    usual = {"http": 80, "https": 443, "tls": 443}.get(parts.scheme) if port else None
    return inert_line(host if port in {None, usual} else f"{f'[{host}]' if ':' in host else host}:{port}", 253)


def cause_sentence(report: FailureReport, wording: Wording) -> str:
    """Returns one line that anyone understands: what failed and what visitors notice."""
    cause = CAUSES[report.reason]
    facts = cause_facts(report, wording)
    return inert_line(_fitting(cause, facts, wording), 400)


def cause_headline(report: FailureReport, wording: Wording) -> str:
    """Returns the cause in a few words, for a subject."""
    short = CAUSES[report.reason].short
    facts = {"status": "", **cause_facts(report, wording)}
    return inert_line(wording.facts(short, facts), 80)


def cause_facts(report: FailureReport, wording: Wording) -> dict[str, str]:
    """Returns the facts that are known, by the names of the places in the sentences."""
    facts = {"host": host_of(report.url)}
    facts |= _timing_facts(report, wording)
    facts |= _status_facts(report, wording)
    facts |= _certificate_facts(report, wording)
    return facts


def presented_chain(report: FailureReport) -> tuple[Certificate, ...]:
    """Returns the chain that the failed probe saw, else the first that the collection saw."""
    tls = report.failed.evidence.tls
    if tls is not None and tls.chain:
        return tls.chain
    trials = report.evidence.addresses if report.evidence else ()
    return next((trial.chain for trial in trials if trial.chain), ())


def _fitting(cause: Cause, facts: dict[str, str], wording: Wording) -> str:
    try:
        return wording.facts(cause.sentence, facts)
    except KeyError:
        return wording.facts(cause.plain, facts)


def _timing_facts(report: FailureReport, wording: Wording) -> dict[str, str]:
    failed = report.failed
    if failed.duration_s <= 0:
        return {"total": wording.text("too long")}
    spent = failed.phases.get(failed.failed_phase, 0.0) if failed.failed_phase else 0.0
    return {
        "seconds": _seconds(spent or failed.duration_s, wording),
        "total": _seconds(failed.duration_s, wording),
    }


def _seconds(value: float, wording: Wording) -> str:
    return wording.plural("{count} second", "{count} seconds", round(value, 1))


def _status_facts(report: FailureReport, wording: Wording) -> dict[str, str]:
    http = report.failed.evidence.http
    if http is None:
        return {}
    meaning = STATUS_TEXT.get(http.status)
    label = f"{http.status} ({wording.text(meaning)})" if meaning else str(http.status)
    return {"status": str(http.status), "status_label": label}


def _certificate_facts(report: FailureReport, wording: Wording) -> dict[str, str]:
    chain = presented_chain(report)
    if not chain:
        return {}
    at = report.failed.started_at
    first_to_end = min(chain, key=lambda certificate: certificate.not_after)
    facts = {"valid_from": wording.minute(max(certificate.not_before for certificate in chain))}
    if report.reason is Reason.TLS_EXPIRED and first_to_end.not_after <= at:
        facts["expired"] = wording.relative(first_to_end.not_after - at)
        facts["expiry"] = wording.day(first_to_end.not_after.astimezone(wording.zone).date())
    if first_to_end.not_after > at:
        facts["expires"] = wording.relative(first_to_end.not_after - at)
    if chain[0].names:
        shown = ", ".join(inert_line(name, 100) for name in chain[0].names[:_NAMES_SHOWN])
        facts["names"] = shown + ("…" if len(chain[0].names) > _NAMES_SHOWN else "")
    return facts
