"""The report of an audit as files: whole, valid, and harmless to whoever opens them."""

import csv
import json
import re
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest

from sentry.domain.finding import AuditReport, Evidence, Finding, FindingClass, Place, Sign, Skipped, SourceLine
from sentry.reports.audit.formats import FORMATS, REPORT
from sentry.reports.audit.sarif import audit_sarif
from tests.fakes.audits import audited, found

NASTY = "=cmd|'/c calc'!A1</code></pre><script>alert(1)</script>\x1b[2J\u202e{{7*7}}"
WAY = (SourceLine(2, "$c = $_POST['b'];"), SourceLine(3, "eval($c);"))
SIGN = Sign(
    "request_to_code",
    "what a visitor sends is run",
    FindingClass.CONFIRMED,
    Evidence.BEHAVIOUR,
    detail="eval",
    way=WAY,
    author="Ana",
    licence="CC0",
)
SHELL = Finding("uploads/a b.php", FindingClass.CONFIRMED, (SIGN,), layers=("system($_GET);",), sha256="a" * 64)
HOLE = Finding(
    "woocommerce 8.1.0",
    FindingClass.VULNERABLE,
    (Sign("CVE-1", "orders", FindingClass.VULNERABLE, Evidence.SETTING, mended_in="8.1.1"),),
    place=Place.COMPONENT,
)


@pytest.fixture
def report() -> AuditReport:
    """One with a finding of each form, hostile names, and something that was not looked at."""
    hostile = (replace(SIGN, rule=NASTY, meaning=NASTY, detail=NASTY, way=(SourceLine(1, NASTY),), author=NASTY),)
    allowed = found("tools/adminer.php", FindingClass.RISKY_TOOL, allowed="accountant (ana, until 2027-01-01)")
    built = audited(SHELL, HOLE, Finding(NASTY, FindingClass.CONFIRMED, hostile, layers=(NASTY,)), allowed)
    built.manifest.skipped.append(Skipped(NASTY, "cannot be read", 40))
    built.manifest.failures.append("files failed: " + NASTY)
    built.manifest.parts["components"] = NASTY
    return built


def test_json_is_the_whole_report(report: AuditReport) -> None:
    """What is read back is what was written."""
    assert REPORT.validate_json(FORMATS["json"](report)) == report


def _required(node: dict[str, Any], *keys: str) -> None:
    assert set(keys) <= node.keys()


def test_sarif_has_the_form_of_its_schema(report: AuditReport) -> None:
    """The keys that SARIF 2.1.0 asks for, and no level or kind that it does not know."""
    document = json.loads(audit_sarif(report))

    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    _required(run["tool"]["driver"], "name", "version")
    _required(run["invocations"][0], "executionSuccessful")
    assert re.fullmatch(r"[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z", run["invocations"][0]["startTimeUtc"])
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note", "none"}
        assert result["message"]["text"]
        for location in result["locations"]:
            assert location.keys() & {"physicalLocation", "logicalLocations"}
        for flow in result.get("codeFlows", ()):
            assert flow["threadFlows"][0]["locations"][0]["location"]["message"]["text"]


def test_sarif_shows_the_way_from_source_to_sink_and_what_is_allowed(report: AuditReport) -> None:
    """So that an editor can walk along it; an address is escaped, and what may stay is suppressed."""
    results = {one["ruleId"]: one for one in json.loads(audit_sarif(report))["runs"][0]["results"]}

    shell = results["request_to_code"]
    place = shell["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("uploads/a%20b.php", 3)
    steps = [one["location"] for one in shell["codeFlows"][0]["threadFlows"][0]["locations"]]
    assert [one["physicalLocation"]["region"]["startLine"] for one in steps] == [2, 3]
    assert results["rule"]["suppressions"][0]["justification"] == "accountant (ana, until 2027-01-01)"
    assert results["CVE-1"]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "woocommerce 8.1.0"


def test_csv_runs_nothing_in_a_spreadsheet(report: AuditReport) -> None:
    """No cell begins as a formula does, and what was not looked at has its rows."""
    rows = list(csv.reader(StringIO(FORMATS["csv"](report).removeprefix("\ufeff"))))

    assert {len(row) for row in rows} == {len(rows[0])}
    assert not [value for row in rows for value in row if value.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [row[0] for row in rows[1:]] == ["confirmed", "vulnerable", "confirmed", "risky_tool", "not_looked_at"]
    assert rows[2][rows[0].index("mended_in")] == "8.1.1"


def test_html_escapes_every_byte_of_a_stranger_and_loads_nothing(report: AuditReport) -> None:
    """No script, no address that a browser would fetch, and a policy that forbids both."""
    page = FORMATS["html"](report)

    assert "<script" not in page
    assert "{{" not in page.replace("{{7*7}}", "")
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=|url\(|@import", page)


def test_html_shows_way_layers_rule_and_why(report: AuditReport) -> None:
    """What a person needs to decide."""
    page = FORMATS["html"](report)

    assert "Act now: malware" in page
    assert "<code>eval($c);</code>" in page
    assert "system($_GET);" in page
    assert "<code>request_to_code</code> by Ana, CC0" in page
    assert "A person must say so: one kind of evidence alone speaks against it (what it does)." in page
    assert "It may stay: accountant (ana, until 2027-01-01)." in page
    assert "mended in 8.1.1" in page


def test_html_of_a_clean_site_says_so() -> None:
    """In one sentence, with what was looked at."""
    page = FORMATS["html"](audited())

    assert "Nothing was found" in page
    assert "banner good" in page
