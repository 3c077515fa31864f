"""What the examiners found, put together."""

from sentry.domain.audit_outcome import MOST_FINDINGS, put_together
from sentry.domain.finding import Evidence, Finding, FindingClass, Manifest, Sign, Skipped


def _finding(path: str, verdict: FindingClass, evidence: Evidence = Evidence.BEHAVIOUR) -> Finding:
    return Finding(path, verdict, (Sign(f"rule_{evidence}", "it does", verdict, evidence),))


def test_file_seen_by_two_examiners_is_one_finding_with_the_signs_of_both() -> None:
    """What does as malware does and differs from what was published may be acted upon."""
    (finding,) = put_together(
        [
            _finding("a.php", FindingClass.MODIFIED, Evidence.INTEGRITY),
            _finding("a.php", FindingClass.CONFIRMED),
        ],
        Manifest(),
    )

    assert finding.verdict is FindingClass.CONFIRMED
    assert [sign.evidence for sign in finding.signs] == [Evidence.BEHAVIOUR, Evidence.INTEGRITY]
    assert finding.may_be_acted_upon


def test_findings_stand_with_the_worst_first() -> None:
    """Then by place and path, so that two audits of the same site read alike."""
    found = put_together(
        [
            _finding("c", FindingClass.ADVICE),
            _finding("b", FindingClass.CONFIRMED),
            _finding("a", FindingClass.CONFIRMED),
        ],
        Manifest(),
    )

    assert [finding.path for finding in found] == ["a", "b", "c"]


def test_what_was_not_looked_at_is_a_finding_for_each_folder_and_reason() -> None:
    """A thousand unreadable files of one folder are one line, and each stands in the manifest."""
    skipped = [Skipped(f"wp-content/uploads/2026/{number}.bin", "cannot be read", 10) for number in range(1000)]
    manifest = Manifest(skipped=[*skipped, Skipped("big.zip", "larger than 20,000,000 bytes", 30_000_000)])

    found = put_together([], manifest)

    assert [(one.path, one.size_bytes) for one in found] == [("big.zip", 30_000_000), ("wp-content/uploads/", 10_000)]
    assert {one.verdict for one in found} == {FindingClass.NOT_LOOKED_AT}
    assert found[1].signs[0].meaning == "1,000 times: cannot be read"
    assert len(manifest.skipped) == 1001


def test_more_findings_than_anybody_reads_are_cut_at_the_harmless_end_and_counted() -> None:
    """An attacker who leaves a million files fills neither the store nor the report."""
    manifest = Manifest()
    many = [_finding(f"{number:05}", FindingClass.ADVICE) for number in range(MOST_FINDINGS)]

    found = put_together([*many, _finding("z", FindingClass.CONFIRMED)], manifest)

    assert len(found) == MOST_FINDINGS
    assert found[0].path == "z"
    assert manifest.failures == ["1 more findings are not listed, none of them worse"]
