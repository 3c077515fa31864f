"""Why something may or may not be taken out of a site without asking anybody."""

from collections.abc import Mapping

from sentry.domain.finding import Evidence, Finding, FindingClass

_WHY: Mapping[FindingClass, str] = {
    FindingClass.VULNERABLE: "Nothing is taken out: the component is to be updated, or switched off.",
    FindingClass.EXPOSED: "Nothing is changed by itself: who may reach it is for a person to say.",
    FindingClass.SUSPICIOUS: "A person must look at it: nothing proves that it does harm.",
    FindingClass.MODIFIED: "A person must look at the difference: somebody may have changed it on purpose.",
    FindingClass.ENCODED: "Nothing is taken out: vendors make code unreadable to protect a licence.",
    FindingClass.RISKY_TOOL: "Nothing is taken out: it may be there on purpose. Allow it, or remove it.",
    FindingClass.ADVICE: "Nothing has to be done today.",
    FindingClass.NOT_LOOKED_AT: "Nobody knows what it is: let the audit read it, or look at it.",
}
EVIDENCE: Mapping[Evidence, str] = {
    Evidence.BEHAVIOUR: "what it does",
    Evidence.SIGNATURE: "a rule that knows its family",
    Evidence.PLACE: "where it stands",
    Evidence.INTEGRITY: "how it differs from what was published",
    Evidence.STYLE: "how it is written",
    Evidence.SETTING: "a setting",
}


def why(finding: Finding) -> str:
    """Returns, in a sentence, whether a finding may be acted upon without a person, and why."""
    if finding.allowed:
        return f"It may stay: {finding.allowed}."
    if finding.verdict is not FindingClass.CONFIRMED:
        return _WHY[finding.verdict]
    kinds = ", ".join(EVIDENCE[kind] for kind in Evidence if kind in finding.evidence)
    if finding.may_be_acted_upon:
        count = len(finding.evidence)
        return f"It may be taken out without asking: {count} independent kinds of evidence say so ({kinds})."
    return f"A person must say so: one kind of evidence alone speaks against it ({kinds})."
