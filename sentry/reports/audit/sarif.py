"""An audit as SARIF 2.1.0, for tools that show what analysers find (OASIS, Static Analysis Results Interchange)."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from sentry.domain.acting import why
from sentry.domain.audit_record import fingerprint
from sentry.domain.finding import AuditReport, Finding, FindingClass, Place, Sign
from sentry.reports.audit.titles import PLACES

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "DOCROOT"
ERRORS = (FindingClass.CONFIRMED, FindingClass.VULNERABLE, FindingClass.EXPOSED)
WARNINGS = (FindingClass.SUSPICIOUS, FindingClass.MODIFIED, FindingClass.ENCODED)

_Json = dict[str, Any]


def audit_sarif(report: AuditReport) -> str:
    """Returns one run with a result for each finding; what is allowed is suppressed, with its reason."""
    rules = _rules(report.findings)
    numbers = {rule["id"]: number for number, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "Online Sentry",
                "version": version("online-sentry"),
                "rules": rules,
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"uri": f"file://{quote(report.root)}/"}},
        "invocations": [_invocation(report)],
        "results": [_result(finding, numbers) for finding in report.findings],
        "properties": {"rules": dict(report.rules), "manifest": _manifest(report)},
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _rules(findings: Iterable[Finding]) -> list[_Json]:
    signs = {sign.rule: sign for finding in findings for sign in finding.signs}
    return [
        {
            "id": rule,
            "shortDescription": {"text": sign.meaning},
            "defaultConfiguration": {"level": _level(sign.verdict)},
            "properties": {"author": sign.author, "licence": sign.licence, "evidence": sign.evidence.value},
        }
        for rule, sign in sorted(signs.items())
    ]


def _level(verdict: FindingClass) -> str:
    return "error" if verdict in ERRORS else "warning" if verdict in WARNINGS else "note"


def _result(finding: Finding, numbers: dict[str, int]) -> _Json:
    first = finding.signs[0]
    result: _Json = {
        "ruleId": first.rule,
        "ruleIndex": numbers[first.rule],
        "level": _level(finding.verdict),
        "message": {"text": f"{_sentence(finding.signs)} {why(finding)}"},
        "locations": [_location(finding, first)],
        "partialFingerprints": {"onlineSentry/v1": fingerprint(finding)},
        "properties": {
            "class": finding.verdict.value,
            "place": finding.place.value,
            "sha256": finding.sha256,
            "sizeBytes": finding.size_bytes,
            "mayBeActedUpon": finding.may_be_acted_upon,
            "signs": [_sign(sign) for sign in finding.signs],
            "layers": list(finding.layers),
        },
    }
    flows = [_flow(finding, sign) for sign in finding.signs if sign.way]
    if flows:
        result["codeFlows"] = flows
    if finding.allowed:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": finding.allowed}]
    return result


def _sentence(signs: Sequence[Sign]) -> str:
    told = (f"{sign.meaning} ({sign.detail})" if sign.detail else sign.meaning for sign in signs)
    return "; ".join(dict.fromkeys(told)) + "."


def _sign(sign: Sign) -> _Json:
    return {
        "rule": sign.rule,
        "class": sign.verdict.value,
        "evidence": sign.evidence.value,
        "detail": sign.detail,
        "layer": sign.layer,
        "mendedIn": sign.mended_in,
    }


def _location(finding: Finding, sign: Sign, number: int | None = None, text: str = "") -> _Json:
    if finding.place is not Place.FILE:
        name = {"fullyQualifiedName": finding.path, "kind": "resource"}
        return {"logicalLocations": [name], "message": {"text": PLACES[finding.place]}}
    line = number if number is not None else sign.way[-1].number if sign.way else None
    physical: _Json = {"artifactLocation": {"uri": quote(finding.path), "uriBaseId": ROOT}}
    if line is not None and line > 0 and not sign.layer:
        physical["region"] = {"startLine": line} | ({"snippet": {"text": text}} if text else {})
    return {"physicalLocation": physical}


def _flow(finding: Finding, sign: Sign) -> _Json:
    hidden = f" (in hidden text {sign.layer} deep)" if sign.layer else ""
    steps = [
        {
            "location": {
                **_location(finding, sign, line.number, line.text),
                "message": {"text": f"line {line.number}{hidden}: {line.text}"},
            }
        }
        for line in sign.way
    ]
    return {"message": {"text": sign.meaning}, "threadFlows": [{"locations": steps}]}


def _invocation(report: AuditReport) -> _Json:
    manifest = report.manifest
    failures = [{"level": "error", "message": {"text": failure}} for failure in manifest.failures]
    skipped = [
        {"level": "warning", "message": {"text": f"not looked at: {one.path}: {one.why} ({one.size_bytes:,} bytes)"}}
        for one in manifest.skipped
    ]
    return {
        "executionSuccessful": not manifest.failures,
        "startTimeUtc": _instant(report.began_at),
        "endTimeUtc": _instant(report.ended_at),
        "toolExecutionNotifications": [*failures, *skipped],
    }


def _instant(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03}Z"


def _manifest(report: AuditReport) -> _Json:
    manifest = report.manifest
    figures = ("files", "scripts", "hidden", "folders", "known", "rows", "size_bytes")
    return {name: getattr(manifest, name) for name in figures} | {"parts": dict(manifest.parts)}
