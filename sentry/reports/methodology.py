"""The rules of the account, as every report prints them, and what a report does not hold yet."""

from sentry.domain.client_report import NOT_MEASURED, ReportData, SiteReport
from sentry.reports.inert import inert_line
from sentry.reports.wording import N_, Wording

RULES = (
    N_(
        "Every site is visited from outside as often as its plan says (the report names it), day and night, every "
        "day of the year, on a new connection each time."
    ),
    N_(
        "A failed visit is repeated at once on new connections. Only when all of them fail is the site down; it then "
        "counts as down from the minute of the first failed visit until the minute in which it answers again."
    ),
    N_("A site with several checks is down when any of them is down. A slow site counts as working."),
    N_(
        "Minutes that we could not watch ourselves are neither up nor down. They are shown, with the lowest and the "
        "highest figure that they allow."
    ),
    N_(
        "Maintenance is left out of the account only when it was announced in time; minutes beyond the announced "
        "time count."
    ),
    N_(
        "Every outage is put down to a side: the hosting, the web site itself, a third party, the client, or nobody "
        "as long as it is not clear. Minutes for which a third party or the client answers, as the contract says, "
        "are left out of the promise and named one by one; the figure with them in stands beside it. Whatever is not "
        "clear counts against us. A side is never changed without a name and a reason, and what was said before "
        "stays."
    ),
    N_(
        "The promise is for sites on our own servers. Of any other the report shows what was seen and promises "
        "nothing."
    ),
    N_(
        "The month is the calendar month in the time zone named here, with its real number of minutes. A contract "
        "that begins within the month counts from its first day."
    ),
    N_(
        "The promise is met if even the lowest figure reaches it, missed if even the highest does not, and otherwise "
        "inconclusive. Figures are compared exactly and shown cut off after three decimals, never rounded up."
    ),
    N_("Where several sites are one account, a minute in which any of them is down counts as down for the account."),
)

MISSING_TEXT = {
    "functionality": N_("Functions of the site (cart, payment, forms)"),
    "security": N_("Security audits"),
    "updates": N_("Updates of the system, themes and plugins"),
    "backups": N_("Backups"),
}

VERDICT_TEXT = {
    "met": N_("promise met"),
    "missed": N_("promise missed"),
    "inconclusive": N_("inconclusive"),
    "running": N_("month still running"),
    "observed": N_("watched, not promised"),
}


def blips_sentence(blips: int, wording: Wording) -> str:
    """Returns what is said of failures that were gone when looked at again."""
    return wording.plural(
        "{count} failure was gone when we looked again seconds later; it counts as no outage.",
        "{count} failures were gone when we looked again seconds later; they count as no outage.",
        blips,
    )


def verdict_sentence(site: SiteReport, wording: Wording) -> str:
    """Returns what the month came to, in one sentence for somebody who is no engineer."""
    figures = site.figures
    facts = {
        "site": inert_line(site.name, 100),
        "target": wording.share(figures.target),
        "worst": wording.percent_text(figures.worst),
        "best": wording.percent_text(figures.best),
    }
    if figures.measured is None:
        return wording.text("Nothing was measured in this month, so nothing can be said of the promise.")
    return wording.text(_VERDICT_SENTENCES[figures.verdict], **facts)


_VERDICT_SENTENCES = {
    "met": N_("{site} kept the promised {target} this month."),
    "missed": N_("{site} did not reach the promised {target} this month."),
    "inconclusive": N_(
        "We could not watch {site} in every minute: the true figure lies between {worst} and {best}, so whether the "
        "promised {target} was kept cannot be said."
    ),
    "observed": N_(
        "{site} does not stand on our servers: we watch it, and its availability is not part of a promise."
    ),
    "running": N_("The month is not over yet; so far {site} can still keep the promised {target}."),
}


def not_measured(report: ReportData, wording: Wording) -> list[str]:
    """Returns the parts that this report does not hold because they are not measured yet."""
    return [wording.text(MISSING_TEXT[part]) for part in NOT_MEASURED if part in report.not_measured]
