"""Security audits: the interface that lists and shows them, the page of one, and what the page of a site says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from pydantic import BaseModel, Field

from sentry.domain.acting import why
from sentry.domain.audit_record import AuditRecord, KeptAudit, fingerprint
from sentry.domain.errors import NotFound
from sentry.domain.finding import WORST_FIRST, Finding, FindingClass, Manifest
from sentry.web.interface import answer, read_id
from sentry.web.problems import not_found
from sentry.web.rendering import render
from sentry.web.route import LIMIT, number_parameter, read_number, read_text
from sentry.web.sources import SOURCES, Sources
from sentry.web.terms import FINDING_WORDS

BEFORE = number_parameter("before", "Only audits of a lower number.", minimum=1, maximum=2**31 - 1, default=2**31 - 1)
FINDINGS_SHOWN = 300
SIGNS_SHOWN = 5
GRAVE = (FindingClass.CONFIRMED, FindingClass.VULNERABLE, FindingClass.EXPOSED)
TO_LOOK_AT = (FindingClass.SUSPICIOUS, FindingClass.MODIFIED, FindingClass.ENCODED)


class AuditDocument(BaseModel):
    """One audit in figures."""

    number: int
    site: str
    began_at: datetime
    ended_at: datetime
    worst: FindingClass | None = Field(description="Class of the worst finding that is not allowed.")
    counts: dict[FindingClass, int] = Field(description="Findings that are not allowed, by class.")
    allowed: int = Field(description="Findings that may stay.")
    new: int = Field(description="Findings that the audit before had not.")
    gone: int = Field(description="Findings of the audit before that this one has not.")
    files: int
    sha256: str = Field(description="Of the whole report as it is kept.")


class AuditListDocument(BaseModel):
    """Audits, newest first."""

    items: list[AuditDocument]


class FindingDocument(BaseModel):
    """One finding of an audit."""

    finding: Finding
    since: datetime = Field(description="When it was first seen.")
    may_be_acted_upon: bool
    why: str = Field(description="Why it may or may not be acted upon without a person.")


class AuditDetailDocument(AuditDocument):
    """One audit, whole."""

    root: str
    manifest: Manifest
    rules: dict[str, str] = Field(description="What it was judged by, each with its SHA-256.")
    findings: list[FindingDocument]
    gone_findings: list[Finding]


@dataclass(frozen=True, slots=True)
class AuditPanel:
    """What the page of a site says of its audits.

    Attributes:
        last: None where none has come to its end.
        next_at: when the next begins.
        why: what went wrong at the last attempt, empty where nothing did.
    """

    last: AuditRecord | None
    next_at: datetime | None
    why: str
    tone: str


async def audits(request: web.Request) -> web.Response:
    """Audits, newest first."""
    found = await request.app[SOURCES].audits.list(
        site_key=read_text(request, "site") or None,
        before=read_number(request, BEFORE),
        limit=read_number(request, LIMIT),
    )
    return answer(AuditListDocument(items=[AuditDocument(**_figures(record)) for record in found]))


async def audit(request: web.Request) -> web.Response:
    """One audit, whole."""
    kept = await _find(request)
    findings = [
        FindingDocument(
            finding=finding,
            since=_since(kept, finding),
            may_be_acted_upon=finding.may_be_acted_upon,
            why=why(finding),
        )
        for finding in kept.report.findings
    ]
    document = AuditDetailDocument(
        **_figures(kept.record),
        root=kept.report.root,
        manifest=kept.report.manifest,
        rules=dict(kept.report.rules),
        findings=findings,
        gone_findings=list(kept.gone),
    )
    return answer(document)


async def page(request: web.Request) -> web.Response:
    """The page of one audit."""
    kept = await _find(request)
    site = next((one for one in request.app[SOURCES].sites() if one.key == kept.record.site_key), None)
    shown = kept.report.findings[:FINDINGS_SHOWN]
    facts = {
        "kept": kept,
        "record": kept.record,
        "manifest": kept.report.manifest,
        "site": site,
        "tone": tone_of(kept.record.worst),
        "findings": [
            (one, _since(kept, one), why(one), "" if one.allowed else tone_of(one.verdict)) for one in shown
        ],
        "more": len(kept.report.findings) - len(shown),
        "signs_shown": SIGNS_SHOWN,
        "finding_words": FINDING_WORDS,
        "counts": counts_of(kept.record),
    }
    return await render(request, "audit.html", facts)


def panel(sources: Sources, site_key: str) -> AuditPanel | None:
    """Returns what the page of a site says of its audits, None where it is not audited."""
    standing, last = sources.audit_rounds.standing(site_key), sources.audit_rounds.newest(site_key)
    if standing is None:
        return None
    tone = "unknown" if last is None else tone_of(last.worst)
    return AuditPanel(last, sources.audit_rounds.next_at(site_key), standing.why, tone)


def counts_of(record: AuditRecord) -> Sequence[tuple[FindingClass, int]]:
    """Returns how many findings of each class there are, the worst first."""
    return [(verdict, record.counts[verdict]) for verdict in WORST_FIRST if record.counts.get(verdict)]


def tone_of(worst: FindingClass | None) -> str:
    """Returns the colour of a class by its name in the style sheet."""
    return "down" if worst in GRAVE else "degraded" if worst in TO_LOOK_AT else "up"


async def _find(request: web.Request) -> KeptAudit:
    try:
        return await request.app[SOURCES].audits.load(read_id(request, "number"))
    except NotFound as error:
        raise not_found(str(error)) from None


def _since(kept: KeptAudit, finding: Finding) -> datetime:
    return kept.since.get(fingerprint(finding), kept.record.ended_at)


def _figures(record: AuditRecord) -> dict[str, object]:
    return {
        "number": record.number,
        "site": record.site_key,
        "began_at": record.began_at,
        "ended_at": record.ended_at,
        "worst": record.worst,
        "counts": dict(record.counts),
        "allowed": record.allowed,
        "new": record.new,
        "gone": record.gone,
        "files": record.files,
        "sha256": record.sha256,
    }
