"""A probe told to a person: the verdict, the phases as a waterfall, and on request everything that was seen."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.markup import escape

from sentry.app.single import Probed
from sentry.domain.failure_report import AddressTrial, CollectedEvidence, DnsAnswer, FailureReport
from sentry.domain.public_url import public_url
from sentry.domain.result import Certificate, HttpEvidence, Phase, ProbeResult, Status, TlsEvidence
from sentry.domain.site import Language
from sentry.reports.facts import cause_sentence
from sentry.reports.wording import Wording

COLOURS = {Status.UP: "green", Status.DEGRADED: "yellow", Status.DOWN: "red", Status.UNKNOWN: "magenta"}
BAR_WIDTH = 40
BODY_CHARS, BODY_LINES = 4000, 40
ENGLISH = Wording(Language.EN, ZoneInfo("UTC"))


def verdict(probed: Probed) -> Iterator[str]:
    """Yields, as lines with rich's markup: status, cause, figures, where it was asked, and the phases."""
    result = probed.result
    colour = COLOURS[result.status]
    why = f"  {result.reason}" if result.reason else ""
    took = f"{result.duration_s * 1000:.1f} ms"
    yield f"[{colour} bold]{result.status.upper()}[/]{why}  {escape(public_url(probed.url))}  {took}"
    if result.reason is not None:
        report = FailureReport(result.check_key, probed.url, result.reason, result)
        yield f"  {escape(cause_sentence(report, ENGLISH))}"
    if result.detail:
        yield f"  {escape(result.detail)}"
    seen = " · ".join(_seen(result))
    if seen:
        yield f"  [dim]{escape(seen)}[/dim]"
    http = result.evidence.http
    yield from _hops(http) if http is not None and len(http.hops) > 1 else ()
    yield from _waterfall(result)


def _seen(result: ProbeResult) -> Iterator[str]:
    """What an engineer asks first: which address, which TLS, which status, how much."""
    evidence = result.evidence
    if evidence.address:
        yield f"asked {evidence.address}"
    if evidence.tls is not None:
        if evidence.tls.version:
            yield evidence.tls.version
        if evidence.tls.chain:
            yield f"certificate {_ends(evidence.tls.chain[0], result.started_at)}"
    if evidence.http is not None:
        yield f"HTTP/{evidence.http.version} {evidence.http.status}"
        yield f"{evidence.http.body_bytes:,} bytes"


def _hops(http: HttpEvidence) -> Iterator[str]:
    for hop in http.hops:
        yield f"  {hop.status} {escape(hop.url)}" + (f" → {escape(hop.location)}" if hop.location else "")


def _waterfall(result: ProbeResult) -> Iterator[str]:
    """The phases below each other, each bar beginning where the one before it ended."""
    whole = sum(result.phases.values()) or 1.0
    before = 0.0
    for phase in Phase:
        failed = phase is result.failed_phase
        mark = "[red]✗[/red]" if failed else "[green]✓[/green]"
        if phase not in result.phases:
            yield from [f"  {mark} {phase}"] if failed else []
            continue
        seconds = result.phases[phase]
        begin, end = round(BAR_WIDTH * before / whole), round(BAR_WIDTH * (before + seconds) / whole)
        bar = " " * min(begin, BAR_WIDTH - 1) + "━" * max(1, end - begin)
        yield f"  {mark} {phase:<11}{seconds * 1000:>9.1f} ms  [dim]{bar}[/dim]"
        before += seconds


def explanation(probed: Probed) -> Iterator[str]:
    """Yields everything that was seen, section by section, as lines with rich's markup."""
    evidence = probed.result.evidence
    yield from _section("Steps", map(escape, evidence.log))
    if probed.around is not None:
        yield from _around(probed.around)
    if evidence.tls is not None:
        yield from _section("Certificates as shown", _chain(evidence.tls, probed.result.started_at))
    if evidence.http is not None:
        yield from _section("Answer", _answer(evidence.http))
        yield from _section("Body, its beginning", _body(evidence.http))
    yield from _section("Figures, as metrics", _figures(probed.result))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if not number:
            yield f"\n[bold]{title}[/bold]"
        yield f"  {line}"


def _around(around: CollectedEvidence) -> Iterator[str]:
    yield from _section("Answers of the name servers", (escape(_dns(answer)) for answer in around.dns))
    yield from _section("Every address tried", map(_trial, around.addresses))
    yield from _section("Not reached in time", map(escape, around.missing))


def _dns(answer: DnsAnswer) -> str:
    said = answer.error or ", ".join(answer.values) or "no record"
    return f"{answer.resolver}  {answer.name} {answer.record_type}: {said} ({answer.elapsed_s * 1000:.1f} ms)"


def _trial(trial: AddressTrial) -> str:
    if not trial.connected:
        return f"[red]✗[/red] {trial.address}  {escape(trial.connect_error or 'not connected')}"
    connected = f"{trial.address}  connected in {(trial.connect_s or 0) * 1000:.1f} ms"
    if trial.tls_reason is not None:
        return f"[red]✗[/red] {connected}, {trial.tls_reason}: {escape(trial.tls_error or '')}"
    return f"[green]✓[/green] {connected}" + (f", {trial.tls_version}" if trial.tls_version else "")


def _chain(tls: TlsEvidence, at: datetime) -> Iterator[str]:
    if tls.version:
        yield f"{tls.version}, {escape(tls.cipher or 'no cipher')}, {'verified' if tls.verified else 'not verified'}"
    if tls.error:
        yield f"[red]✗[/red] {escape(tls.error)}"
    for number, one in enumerate(tls.chain):
        yield f"{number} {escape(one.subject)}"
        yield f"  issued by {escape(one.issuer)}"
        yield f"  from {one.not_before:%Y-%m-%d %H:%M}, {_ends(one, at)}"
        if one.names:
            yield f"  names {escape(', '.join(one.names))}"
        yield f"  {escape(one.key)}, {escape(one.signature)}, serial {escape(one.serial_number)}"
        yield f"  SHA-256 {one.fingerprint_sha256}"


def _ends(certificate: Certificate, at: datetime) -> str:
    lasts = certificate.not_after > at
    days = abs(certificate.not_after - at).days
    left = f"{days} days left" if lasts else f"expired {days} days ago"
    return f"until {certificate.not_after:%Y-%m-%d %H:%M} UTC ({left})"


def _answer(http: HttpEvidence) -> Iterator[str]:
    yield f"HTTP/{http.version} {http.status}"
    for name, value in http.headers:
        yield f"{escape(name)}: {escape(value)}"


def _body(http: HttpEvidence) -> Iterator[str]:
    lines = http.body_head[:BODY_CHARS].splitlines()
    for line in lines[:BODY_LINES]:
        yield f"│ {escape(line)}"
    if len(lines) > BODY_LINES or len(http.body_head) > BODY_CHARS:
        yield "│ …"


def _figures(result: ProbeResult) -> Iterator[str]:
    """The figures that a scrape of this probe would have, under blackbox_exporter's names where it has them."""
    yield f"probe_success {int(result.answers)}"
    yield f"probe_duration_seconds {result.duration_s:.6f}"
    for name, value in sorted(result.evidence.values.items()):
        yield f"probe_{name} {value:.15g}"
