"""How classes and places of findings are called."""

from collections.abc import Mapping

from sentry.domain.finding import FindingClass, Place

TITLES: Mapping[FindingClass, tuple[str, str]] = {
    FindingClass.CONFIRMED: ("Malware", "Proven by what it does, or by a rule that knows it."),
    FindingClass.VULNERABLE: ("Known security holes", "Components that whoever knows the hole can use."),
    FindingClass.EXPOSED: ("Exposed", "Anybody can fetch or write what is nobody's business."),
    FindingClass.SUSPICIOUS: ("Suspicious", "It looks like malware, and nothing proves it."),
    FindingClass.MODIFIED: ("Changed known files", "Files of known packages that are not as they were published."),
    FindingClass.ENCODED: ("Unreadable code", "Its vendor has made it unreadable."),
    FindingClass.RISKY_TOOL: ("Risky tools", "They do what an attacker wants, and may be there on purpose."),
    FindingClass.ADVICE: ("Advice", "Nothing is wrong, but it could be safer."),
    FindingClass.NOT_LOOKED_AT: ("Not looked at", "Nobody knows what it is."),
}
PLACES: Mapping[Place, str] = {
    Place.FILE: "file",
    Place.DATABASE: "database",
    Place.ACCOUNT: "outside the docroot",
    Place.OUTSIDE: "as visitors see it",
    Place.COMPONENT: "component",
}
