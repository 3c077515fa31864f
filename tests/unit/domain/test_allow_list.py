"""What may stay although an audit finds it."""

from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from sentry.domain.allow_list import AllowedFinding, AllowListEntry, standing, with_allowed
from sentry.domain.finding import AuditReport, Evidence, Finding, FindingClass, Manifest, Sign

TODAY = date(2026, 11, 2)
LATER = date(2027, 1, 1)
DIGEST = "a" * 64


def _finding(path: str, verdict: FindingClass, *rules: str) -> Finding:
    signs = tuple(Sign(rule, "it does", verdict, Evidence.BEHAVIOUR) for rule in rules)
    return Finding(path, verdict, signs, sha256=DIGEST)


def _report(*findings: Finding) -> AuditReport:
    at = datetime(2026, 11, 2, tzinfo=UTC)
    return AuditReport("/srv/www", at, at, Manifest(files=1), findings, "shop")


def _entry(expires_on: date = LATER, **named: str) -> AllowedFinding:
    return AllowedFinding(reason="accountant", author="ana", expires_on=expires_on, **named)


def test_allowed_finding_is_shown_as_allowed_and_no_longer_the_worst() -> None:
    """It stands in the report with who says so, why and until when."""
    report = _report(_finding("tools/adminer.php", FindingClass.RISKY_TOOL, "adminer"))

    allowed = with_allowed(report, [_entry(path="tools/*.php")], TODAY)

    assert allowed.findings[0].allowed == "accountant (ana, until 2027-01-01)"
    assert allowed.worst is None
    assert report.worst is FindingClass.RISKY_TOOL


def test_allowed_by_rule_covers_no_other_reason_for_the_same_finding() -> None:
    """A file with a second sign is more than what somebody has looked at."""
    both = _report(_finding("a.php", FindingClass.SUSPICIOUS, "style", "remote"))

    assert with_allowed(both, [_entry(rule="style")], TODAY).findings[0].allowed == ""
    assert with_allowed(both, [_entry(rule="style"), _entry(rule="remote")], TODAY).findings[0].allowed != ""


def test_malware_is_never_allowed_by_where_it_stands() -> None:
    """Only by its content, which somebody has looked at."""
    shell = _report(_finding("uploads/x.php", FindingClass.CONFIRMED, "eval"))

    assert with_allowed(shell, [_entry(path="uploads/*", rule="eval")], TODAY).worst is FindingClass.CONFIRMED
    assert with_allowed(shell, [_entry(sha256=DIGEST)], TODAY).worst is None
    assert with_allowed(shell, [_entry(sha256="b" * 64)], TODAY).worst is FindingClass.CONFIRMED


def test_expired_entry_allows_nothing_and_is_named() -> None:
    """On the day that it names, and with its reason."""
    report = _report(_finding("a.php", FindingClass.SUSPICIOUS, "style"))

    judged = with_allowed(report, [_entry(TODAY, path="a.php")], TODAY)

    assert judged.worst is FindingClass.SUSPICIOUS
    assert judged.manifest.parts == {"allow-list": "no longer allowed: path a.php (until 2026-11-02, accountant)"}


def test_entry_that_would_allow_everything_is_refused() -> None:
    """It must say what it is about."""
    with pytest.raises(ValidationError, match="name a path, a sha256 or a rule"):
        _entry()


def test_entry_that_was_taken_back_no_longer_stands() -> None:
    """Both words stay in the book."""
    entries = [
        AllowListEntry(1, "shop", _entry(path="a")),
        AllowListEntry(2, "shop", _entry(path="b")),
        AllowListEntry(3, "shop", None, withdraws=1, reason="gone", author="ana"),
    ]

    assert [one.number for one in standing(entries)] == [2]
