"""The failure report as readable text: sections of at most 78 columns, in the reader's language and zone."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from textwrap import wrap

from sentry.domain.failure_report import AddressTrial, CollectedEvidence, DnsAnswer, FailureReport
from sentry.domain.incident import Incident, TimelineEntry
from sentry.domain.public_url import public_url
from sentry.domain.result import Certificate, Evidence, HttpEvidence, Phase, ProbeResult
from sentry.reports.attributions import BASIS_TEXT, SAID_BY_CHECK, SAID_BY_LABEL, SIDE_TEXT, TIMELINE_TEXT
from sentry.reports.causes import STATUS_TEXT
from sentry.reports.facts import cause_sentence, presented_chain
from sentry.reports.inert import inert_line, inert_lines
from sentry.reports.wording import N_, Wording

COLUMNS = 78
"""Width of the text: it survives quoting in mail and fits a terminal."""

BODY_LINES = 20
HEADER_LINES = 30
TIMELINE_LINES = 40
LOG_LINES = 40
_LABEL = 17

PHASE_TEXT = {
    Phase.DNS: N_("name (DNS)"),
    Phase.CONNECT: N_("connection"),
    Phase.TLS: N_("security (TLS)"),
    Phase.PROCESSING: N_("waiting"),
    Phase.TRANSFER: N_("download"),
}

RCODE_TEXT = {
    "NXDOMAIN": N_("this name does not exist (NXDOMAIN)"),
    "SERVFAIL": N_("the server could not find out (SERVFAIL)"),
    "REFUSED": N_("the server refuses the question (REFUSED)"),
}
"""Answers that are no address. Whatever else an `error` says, there was no answer."""


def failure_text(incident: Incident, report: FailureReport, wording: Wording) -> str:
    """Returns the whole failure report, the cause first."""
    cause = section(wording.text("Cause"), wrap(cause_sentence(report, wording), COLUMNS - 2))
    return f"{cause}\n\n{evidence_text(incident, report, wording)}"


def evidence_text(incident: Incident, report: FailureReport, wording: Wording) -> str:
    """Returns what the cause rests on, section by section; what a probe did not reach is left out."""
    sections = (
        (wording.text("What failed"), list(_what_failed(report, wording))),
        (wording.text("This time and the last time it worked"), list(_compared(report, wording))),
        (wording.text("Answers of the name servers"), list(_dns(report.evidence, wording))),
        (wording.text("Every address tried"), list(_addresses(report.evidence, wording))),
        (wording.text("Certificates shown"), list(_certificates(presented_chain(report), report, wording))),
        (wording.text("Answer of the web server"), list(_answer(report.failed.evidence.http, wording))),
        (wording.text("Beginning of the page"), list(_body(report.failed.evidence.http))),
        (wording.text("What changed in the last 24 hours"), list(_changes(report, wording))),
        (wording.text("Course of events"), list(course_of_events(incident, wording))),
        (wording.text("Steps of the probe"), list(_log(report.failed.evidence))),
    )
    return "\n\n".join(section(title, lines) for title, lines in sections if lines)


def phase_bar(result: ProbeResult) -> str:
    """Returns the phases in order with what became of each: `dns ✓  connect ✓  tls ✗  processing ·  transfer ·`.

    They keep their field names, which metrics and logs use too. A phase that was passed over (TLS of a plain
    address) is left out; where no phase was reached, as of a job that does not call in, there is nothing to show.
    """
    reached = [phase for phase in Phase if phase in result.phases or phase is result.failed_phase]
    if not reached:
        return ""
    order = list(Phase)
    marks = []
    for phase in order:
        failed = phase is result.failed_phase
        if phase in reached or order.index(phase) > order.index(reached[-1]):
            marks.append(f"{phase} {'✗' if failed else '✓' if phase in reached else '·'}")
    return "  ".join(marks)


def section(title: str, lines: Sequence[str]) -> str:
    """Returns a titled part of the text, its lines indented."""
    return "\n".join([title.upper(), *(f"  {line}".rstrip() for line in lines)])


def row(label: str, value: str) -> Iterator[str]:
    """Yields a label and its value; long values go on in the value's column."""
    pieces = wrap(value, COLUMNS - 2 - _LABEL, break_on_hyphens=False) or [""]
    yield f"{label:<{_LABEL}}{pieces[0]}"
    for piece in pieces[1:]:
        yield " " * _LABEL + piece


def _what_failed(report: FailureReport, wording: Wording) -> Iterator[str]:
    failed = report.failed
    yield from row(wording.text("Address"), inert_line(public_url(report.url)))
    yield from row(wording.text("Check"), inert_line(report.check_key))
    yield from row(wording.text("First failure"), wording.moment(failed.started_at))
    if failed.phases or failed.failed_phase:
        yield from row(wording.text("Phases"), phase_bar(failed))
    reason = str(report.reason)
    if failed.failed_phase is not None:
        phase = wording.text(PHASE_TEXT[failed.failed_phase])
        reason = wording.text("{reason}, in the phase: {phase}", reason=reason, phase=phase)
    yield from row(wording.text("Reason"), reason)
    if failed.detail:
        yield from row(wording.text("Detail"), inert_line(failed.detail, 600))
    if failed.evidence.address:
        yield from row(wording.text("Asked at"), inert_line(failed.evidence.address))
    side = wording.text(SIDE_TEXT[report.attribution])
    basis = wording.text(BASIS_TEXT[report.attribution_basis]) if report.attribution_basis in BASIS_TEXT else ""
    yield from row(wording.text("Likely side"), f"{side}: {basis}" if basis else side)


def _compared(report: FailureReport, wording: Wording) -> Iterator[str]:
    failed, good = report.failed, report.last_good
    if good is None:
        yield from wrap(wording.text("No good probe from before this failure is known."), COLUMNS - 2)
        return
    yield _columns("", wording.text("this time"), wording.text("last good"))
    yield _columns("", wording.clock(failed.started_at), wording.clock(good.started_at))
    for phase in Phase:
        if phase in failed.phases or phase in good.phases:
            mark = "✗ " if phase is failed.failed_phase else ""
            times = [_phase_time(result, phase, wording) for result in (failed, good)]
            yield _columns(wording.text(PHASE_TEXT[phase]), mark + times[0], times[1])
    total = [wording.milliseconds(result.duration_s) for result in (failed, good)]
    yield _columns(wording.text("total"), *total)
    status = [str(result.evidence.http.status) if result.evidence.http else "-" for result in (failed, good)]
    if status != ["-", "-"]:
        yield _columns(wording.text("status"), *status)
    if good.evidence.address and good.evidence.address != failed.evidence.address:
        yield from row(wording.text("Then asked at"), inert_line(good.evidence.address))


def _columns(label: str, this_time: str, last_good: str) -> str:
    return f"{label:<18}{this_time:>18}{last_good:>18}"


def _phase_time(result: ProbeResult, phase: Phase, wording: Wording) -> str:
    return wording.milliseconds(result.phases[phase]) if phase in result.phases else "-"


def _dns(evidence: CollectedEvidence | None, wording: Wording) -> Iterator[str]:
    for answer in evidence.dns if evidence else ():
        line = (
            f"{inert_line(answer.resolver, 60)}  {answer.name} {answer.record_type}: {_dns_answer(answer, wording)}"
        )
        yield from _hanging(inert_line(line, 600))


def _dns_answer(answer: DnsAnswer, wording: Wording) -> str:
    if answer.error in RCODE_TEXT:
        return wording.text(RCODE_TEXT[answer.error])
    if answer.error:
        error = answer.error.removeprefix(f"DNS server {answer.resolver} ").removeprefix("gave no answer ")
        return wording.text("no answer ({error})", error=inert_line(error, 120))
    values = ", ".join(inert_line(value, 80) for value in answer.values) or wording.text("no record")
    return f"{values} ({wording.milliseconds(answer.elapsed_s)})"


def _addresses(evidence: CollectedEvidence | None, wording: Wording) -> Iterator[str]:
    if evidence is None:
        yield wording.text("Still being collected; the incident page will show it.")
        return
    for trial in evidence.addresses:
        yield from _hanging(f"{inert_line(trial.address, 60)}  {_trial(trial, wording)}")
    if not evidence.complete:
        missing = ", ".join(inert_line(part, 60) for part in evidence.missing)
        yield from _hanging(wording.text("Not reached in time: {missing}", missing=missing or "-"))


def _trial(trial: AddressTrial, wording: Wording) -> str:
    if not trial.connected:
        return wording.text("TCP ✗ {error}", error=inert_line(trial.connect_error or "", 120))
    connected = f"TCP ✓ {wording.milliseconds(trial.connect_s or 0.0)}"
    if trial.tls_reason is not None or trial.tls_error:
        error = inert_line(trial.tls_error or "", 160)
        return f"{connected}, TLS ✗ {trial.tls_reason or ''} {error}".rstrip()
    return f"{connected}, TLS ✓ {inert_line(trial.tls_version, 20)}" if trial.tls_version else connected


def _certificates(chain: Sequence[Certificate], report: FailureReport, wording: Wording) -> Iterator[str]:
    at = report.failed.started_at
    tls = report.failed.evidence.tls
    if tls is not None and tls.error:
        yield from _hanging(wording.text("Verification: {error}", error=inert_line(tls.error, 300)))
    for number, certificate in enumerate(chain, 1):
        yield from _hanging(f"{number}. {inert_line(certificate.subject, 200)}")
        yield from _indented(wording.text("issued by {issuer}", issuer=inert_line(certificate.issuer, 200)))
        if certificate.names:
            names = ", ".join(inert_line(name, 100) for name in certificate.names[:8])
            yield from _indented(wording.text("for {names}", names=names))
        first, last = wording.minute(certificate.not_before), wording.minute(certificate.not_after)
        validity = wording.text("valid {first} to {last}", first=first, last=last)
        yield from _indented(f"{validity}{_out_of_date(certificate, at, wording)}")
        yield from _indented(f"SHA-256 {inert_line(certificate.fingerprint_sha256, 64)}")


def _out_of_date(certificate: Certificate, at: datetime, wording: Wording) -> str:
    if certificate.not_after <= at:
        return "  ✗ " + wording.text("expired")
    return "  ✗ " + wording.text("not valid yet") if certificate.not_before > at else ""


def _answer(http: HttpEvidence | None, wording: Wording) -> Iterator[str]:
    if http is None:
        return
    lone = len(http.hops) == 1 and http.hops[0].location is None
    for hop in () if lone else http.hops:
        location = f" → {inert_line(public_url(hop.location), 200)}" if hop.location else ""
        yield from _hanging(f"{hop.status} {inert_line(public_url(hop.url), 200)}{location}")
    meaning = STATUS_TEXT.get(http.status)
    label = f"{http.status} ({wording.text(meaning)})" if meaning else str(http.status)
    yield f"HTTP/{inert_line(http.version, 20)} {label}"
    for name, value in http.headers[:HEADER_LINES]:
        yield from _hanging(f"{inert_line(name, 60)}: {inert_line(value, 200)}")


def _body(http: HttpEvidence | None) -> Iterator[str]:
    if http is None:
        return
    lines = [line for line in inert_lines(http.body_head, 8192) if line.strip()]
    for line in lines[:BODY_LINES]:
        width = COLUMNS - 4
        yield "| " + (line if len(line) <= width else line[: width - 1] + "…")
    if len(lines) > BODY_LINES:
        yield "| …"


def _changes(report: FailureReport, wording: Wording) -> Iterator[str]:
    for change in report.changes:
        yield from _hanging(f"{wording.minute(change.at)}  {inert_line(change.text, 200)}")
    if not report.changes:
        yield wording.text("Nothing that we know of.")


def course_of_events(incident: Incident, wording: Wording) -> Iterator[str]:
    """Yields the newest entries of an incident's timeline, a line each."""
    yield wording.text("times in {zone}", zone=wording.zone_name(incident.started_at))
    for entry in incident.timeline[-TIMELINE_LINES:]:
        label = wording.text(TIMELINE_TEXT[entry.kind]) if entry.kind in TIMELINE_TEXT else inert_line(entry.kind, 40)
        text = inert_line(_entry_text(entry), 200)
        yield from _hanging(f"{wording.clock(entry.at)}  {label}" + (f": {text}" if text else ""), 10)


def _entry_text(entry: TimelineEntry) -> str:
    """What an entry adds to its label; stored texts are English, so facts are taken where there are some."""
    if entry.kind in SAID_BY_LABEL:
        return ""
    if "severity" in entry.data:
        return str(entry.data["severity"])
    check = str(entry.data.get("check", ""))
    if check and entry.kind in SAID_BY_CHECK:
        return check
    if check and entry.kind == "check_joined":
        return f"{check}: {entry.data.get('reason') or ''} {entry.data.get('detail') or ''}"
    return f"#{entry.data['ticket']}" if "ticket" in entry.data else entry.text


def _log(evidence: Evidence) -> Iterator[str]:
    log = evidence.log
    if len(log) > LOG_LINES:  # both how it began and how it ended
        log = (*log[: LOG_LINES // 2], "…", *log[-LOG_LINES // 2 :])
    for line in log:
        yield from _hanging(inert_line(line, 200))


def _hanging(line: str, indent: int = 4) -> list[str]:
    return wrap(line, COLUMNS - 2, subsequent_indent=" " * indent, break_on_hyphens=False)


def _indented(line: str) -> list[str]:
    return wrap(line, COLUMNS - 2, initial_indent=" " * 3, subsequent_indent=" " * 5, break_on_hyphens=False)
