"""What must be told of an audit: an infection of the site, each vulnerable component, and what operators look at."""

from collections.abc import Mapping, Sequence
from typing import Any

from sentry.domain.finding import AuditReport, Finding, FindingClass, Manifest, Place

NAMES_TOLD = 20
LOOKED_AT_BY_OPERATORS = (
    FindingClass.EXPOSED,
    FindingClass.SUSPICIOUS,
    FindingClass.MODIFIED,
    FindingClass.ENCODED,
)
COMPONENTS = "components"
"""The part of the manifest that says whether all known holes were looked up."""

UNKNOWN = "unknown"


def infected(report: AuditReport) -> Sequence[Finding]:
    """Returns what is malware and not allowed."""
    return _of(report, FindingClass.CONFIRMED)


def vulnerable(report: AuditReport) -> Mapping[str, Finding]:
    """Returns the components with a known hole that are not allowed, by what names them."""
    return {finding.path: finding for finding in _of(report, FindingClass.VULNERABLE)}


def _of(report: AuditReport, verdict: FindingClass) -> Sequence[Finding]:
    return [finding for finding in report.findings if finding.verdict is verdict and not finding.allowed]


def infection_facts(findings: Sequence[Finding]) -> dict[str, Any]:
    """Returns what is told of an infection."""
    return {"count": len(findings), "places": [finding.path for finding in findings[:NAMES_TOLD]]}


def vulnerability_facts(finding: Finding) -> dict[str, Any]:
    """Returns what is told of a vulnerable component."""
    versions = list(dict.fromkeys(sign.mended_in for sign in finding.signs if sign.mended_in))
    facts: dict[str, Any] = {
        "component": finding.path,
        "holes": [f"{sign.rule}: {sign.meaning}" for sign in finding.signs if sign.verdict is finding.verdict],
    }
    return facts | ({"mended_in": versions} if versions else {})


def operators_facts(report: AuditReport, site_name: str) -> dict[str, Any]:
    """Returns what operators are told, empty where there is nothing to look at.

    Places and not only their numbers: another file of the same kind is a change as well.
    """
    found = {verdict: _of(report, verdict) for verdict in LOOKED_AT_BY_OPERATORS}
    named = [f"{verdict}: {one.path}" for verdict, findings in found.items() for one in findings]
    if not named:
        return {}
    return {"audited": site_name, "count": len(named), "findings": named[:NAMES_TOLD]}


def is_no_longer_infected(report: AuditReport, before: Sequence[tuple[str, str]]) -> bool:
    """Whether an audit that found no malware says so of where it was.

    Args:
        report: of that audit.
        before: where malware was, each by its kind of place and its path.
    """
    skipped = report.manifest.skipped
    unseen: set[str] = {one.place for one in report.findings if one.verdict is FindingClass.NOT_LOOKED_AT}
    unseen |= {place for place in Place if any(one.path.startswith(place) for one in skipped)}
    folders = [one.path.strip("/.") for one in skipped]
    return not report.manifest.failures and not any(
        _is_below(path, folders) if place == Place.FILE else place in unseen for place, path in before
    )


def _is_below(path: str, folders: Sequence[str]) -> bool:
    """Whether a file was skipped, or stands in a folder that was; the root has no name."""
    bare = path.strip("/.")
    return any(not folder or bare == folder or bare.startswith(folder + "/") for folder in folders)


def knows_holes(manifest: Manifest) -> bool:
    """Whether an audit can say that a component has no known hole; without its feeds it cannot."""
    failed = any(failure.startswith(f"{COMPONENTS} ") for failure in manifest.failures)
    state = manifest.parts.get(COMPONENTS, UNKNOWN)
    return not failed and not state.startswith(UNKNOWN)
