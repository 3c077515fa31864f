"""A thing to be told of a site's own answers: advice mostly, from headers, cookies and protocols."""

from sentry.domain.finding import Evidence, Finding, FindingClass, Place, Sign


def told(url: str, rule: str, meaning: str, detail: str = "", verdict: FindingClass = FindingClass.ADVICE) -> Finding:
    """Returns a finding of one sign.

    Args:
        url: where it was seen; with the rule it is what the finding is known by in the next audit.
        rule: its lasting name.
        meaning: what it says, and what to do.
        detail: what was seen, to be shown.
        verdict: what it is.
    """
    sign = Sign(rule=rule, meaning=meaning, verdict=verdict, evidence=Evidence.SETTING, detail=detail)
    return Finding(path=url, verdict=verdict, signs=(sign,), place=Place.OUTSIDE)
