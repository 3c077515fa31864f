"""The words of every kind of concern: what has happened, what it means, and what to do about it.

Each text is a row of variants with `{places}` for facts of the concern; the first one whose facts are all known is
said, so the last of them names none but `{site}` (and `{duration}` at the end).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sentry.domain.concern import ConcernKind
from sentry.reports.causes import CAUSES
from sentry.reports.wording import N_

Variants = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConcernText:
    """How a kind of concern is put.

    Attributes:
        alertname: the label that machines group by.
        opened: the headline while it stands; resolved: when it has ended.
        meaning: what it is, for somebody who is woken by it.
        advice: what to do about it; remedies: what goes before it, where the facts that it names are known.
        rows: labels and the facts shown beside them, where they are known.
        words: of facts with a closed set of values, by the name of the fact; they may name other facts.
    """

    alertname: str
    opened: Variants
    resolved: Variants
    meaning: Variants
    advice: str
    remedies: Variants = ()
    rows: tuple[tuple[str, str], ...] = ()
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


CONCERNS: dict[ConcernKind, ConcernText] = {
    ConcernKind.OWN_FAULT: ConcernText(
        alertname="AgentFault",
        opened=(N_("The watch itself has a fault: {causes}"), N_("The watch itself has a fault")),
        resolved=(N_("The watch works again after {duration}"),),
        meaning=(
            N_(
                "The fault is on the side of the watch, so no site is reported down because of it. What it cannot "
                "see meanwhile counts as unknown, not as downtime."
            ),
        ),
        advice=N_(
            "Look at the machine that runs the watch: its network, its name servers, its clock and its load. Nothing "
            "has to be done at the sites."
        ),
        rows=((N_("Cause"), "causes"), (N_("What was seen"), "evidence"), (N_("Sites concerned"), "sites")),
        words={
            "causes": {
                "network": N_("no network"),
                "resolvers": N_("no name server answers"),
                "clock": N_("the clock was set"),
                "loop": N_("the process stood still"),
            }
        },
    ),
    ConcernKind.RESOLVER: ConcernText(
        alertname="ResolverDown",
        opened=(N_("The name server {resolver} does not answer"), N_("A name server does not answer")),
        resolved=(
            N_("The name server {resolver} answers again after {duration}"),
            N_("The name server answers again after {duration}"),
        ),
        meaning=(
            N_(
                "One of the name servers (DNS) that the watch asks is out of service. The others are asked instead; "
                "no site is affected."
            ),
        ),
        advice=N_("Mend it, or take it out of `probe.resolvers`. Should the others fail too, no site can be found."),
        rows=((N_("Name server"), "resolver"), (N_("Error"), "error")),
    ),
    ConcernKind.DEGRADED: ConcernText(
        alertname="SiteDegraded",
        opened=(
            N_("{sites} sites need attention at once: {reason}"),
            N_("{site} needs attention: {reason}"),
            N_("{site} needs attention"),
        ),
        resolved=(
            N_("Most of the {sites} sites are well again after {duration}"),
            N_("{site} is well again after {duration}"),
        ),
        meaning=(
            N_(
                "{sites} sites answer, but slowly or not as they should, and they began together. Likely they share "
                "what causes it: a server, a network, or that of the watch itself."
            ),
            N_("{site} answers, but slowly: it took {value_s} where at most {limit_s} are expected."),
            N_("{site} answers, but slowly: it took {value_s}."),
            N_("{site} answers, but not as it should: {detail}"),
            N_("{site} answers, but not as it should."),
        ),
        advice=N_("Visitors get in, so no minute counts as down. Have a look before it becomes an outage."),
        rows=((N_("Check"), "check"), (N_("Detail"), "detail"), (N_("Sites"), "names")),
        words={"reason": {str(reason): cause.short for reason, cause in CAUSES.items() if "{" not in cause.short}},
    ),
    ConcernKind.CERTIFICATE: ConcernText(
        alertname="CertificateProblem",
        opened=(N_("{site}: {problem}"), N_("{site}: the certificate needs attention")),
        resolved=(
            N_("{site}: the certificate is in order again, it is valid until {not_after}"),
            N_("{site}: the certificate is in order again"),
        ),
        meaning=(
            N_(
                "The server sends its certificates in the wrong order: {misplaced} does not stand behind the one "
                "that it issued. Browsers put that right; some phones, programs and payment services do not connect."
            ),
            N_(
                "The certificate {weak} is made in a way that is no longer safe. Newer browsers and systems refuse "
                "it."
            ),
            N_(
                "The security certificate ends on {not_after}. From then on browsers show a warning and customers do "
                "not get in."
            ),
            N_("Something is wrong with the security certificate. Browsers may show a warning, now or soon."),
        ),
        remedies=(
            N_(
                "Correct the file of certificates on the server: its own first, then each behind the one that it "
                "issued, as {misplaced} has to be."
            ),
            N_(
                "Have {weak} issued anew, with a key of today (RSA of 2048 bits or more, or elliptic) and a "
                "signature with SHA-256."
            ),
        ),
        advice=N_("Find out why the certificate was not renewed by itself; else order a new one and install it."),
        rows=((N_("Check"), "check"), (N_("Valid until"), "not_after"), (N_("Names"), "names")),
        words={
            "problem": {
                "expires_soon": N_("the certificate expires in {days_left}"),
                "expired": N_("the certificate has expired"),
                "chain_order": N_("the certificates are sent in the wrong order"),
                "weak_key": N_("the key of the certificate is weak"),
                "weak_signature": N_("the certificate is signed in an outdated way"),
                "revoked": N_("the certificate has been revoked"),
            }
        },
    ),
    ConcernKind.DOMAIN: ConcernText(
        alertname="DomainExpires",
        opened=(
            N_("{site}: the domain {domain} ended on {ended_on}"),
            N_("{site}: the domain {domain} expires in {days_left}"),
            N_("{site}: the domain {domain} expires soon"),
            N_("{site}: the domain expires soon"),
        ),
        resolved=(
            N_("{site}: the domain {domain} is registered until {expires_on}"),
            N_("{site}: the domain is registered for longer again"),
        ),
        meaning=(
            N_(
                "The registration of {domain} ends on {expires_on}. After that the site and its mail stop working, "
                "and somebody else may take the name."
            ),
            N_(
                "The registration of the domain ends soon. After that the site and its mail stop working, and "
                "somebody else may take the name."
            ),
        ),
        advice=N_("Renew the domain at its registrar, or ask whoever holds it to do so."),
        rows=((N_("Domain"), "domain"), (N_("Registered until"), "expires_on"), (N_("According to"), "source")),
    ),
    ConcernKind.DNS_DRIFT: ConcernText(
        alertname="DnsChanged",
        opened=(
            N_("{site}: the {record_type} records of {name} have changed"),
            N_("{site}: DNS records have changed"),
        ),
        resolved=(
            N_("{site}: the {record_type} records of {name} are settled"),
            N_("{site}: the DNS records are settled"),
        ),
        meaning=(
            N_("The DNS holds other data than before. Where nobody meant that, visitors or mail go elsewhere."),
        ),
        advice=N_(
            "Ask who made this change. If nobody did, look at the account with the DNS provider at once: the domain "
            "may have been taken over."
        ),
        rows=(
            (N_("Name"), "name"),
            (N_("Record"), "record_type"),
            (N_("Before"), "before"),
            (N_("Now"), "after"),
        ),
    ),
    ConcernKind.BURN_RATE: ConcernText(
        alertname="BudgetBurns",
        opened=(
            N_("{site}: the downtime allowed is used up {rate} times too fast"),
            N_("{site}: the downtime allowed is used up too fast"),
        ),
        resolved=(N_("{site}: the downtime allowed is no longer used up too fast"),),
        meaning=(
            N_(
                "Of the {allowed_minutes} allowed in {month}, {left_minutes} are left. At the pace of the last seven "
                "days, nothing is left on {runs_out_at}."
            ),
            N_(
                "Of the {allowed_minutes} allowed in {month}, {left_minutes} are left. They do not last if it goes "
                "on like that."
            ),
            N_("The downtime allowed this month does not last if it goes on like that."),
        ),
        advice=N_("Look at the site's outages of this month: what they have in common is what to mend first."),
        rows=(
            (N_("Pace"), "rate"),
            (N_("Measured over"), "window"),
            (N_("Used"), "spent_minutes"),
            (N_("Allowed"), "allowed_minutes"),
            (N_("Left this month"), "left_minutes"),
            (N_("Used up on"), "runs_out_at"),
        ),
    ),
    ConcernKind.REQUEST_BUDGET: ConcernText(
        alertname="RequestBudget",
        opened=(
            N_("{site}: the watch has used {used} of {allowed} {what} of today"),
            N_("{site}: the watch asks more often than agreed"),
        ),
        resolved=(N_("{site}: the watch is within what was agreed again"),),
        meaning=(
            N_(
                "So that the watch never becomes a burden, it asks a site only so often a day. Once that is used up, "
                "it looks less often until the next day."
            ),
        ),
        advice=N_("Raise `request_budget`, or let the site's checks run less often."),
        rows=((N_("Used"), "used"), (N_("Allowed"), "allowed")),
        words={"what": {"requests": N_("requests"), "bytes": N_("bytes")}},
    ),
    ConcernKind.SUSPENSION: ConcernText(
        alertname="SiteSuspended",
        opened=(
            N_("{site} {problem}: closed for {days} days while it is cleaned"),
            N_("{site} has been closed for long while it is cleaned"),
        ),
        resolved=(
            N_("{site} is open again, {duration} after it was told"),
            N_("{site} is open again"),
        ),
        meaning=(
            N_(
                "The site was closed to visitors so that harmful code could be taken out of it. That may last "
                "{most_days} days at most."
            ),
            N_("The site was closed to visitors so that harmful code could be taken out of it."),
        ),
        advice=N_("Finish the cleaning and open the site: `unsuspend SITE`."),
        rows=(
            (N_("Closed since"), "closed_at"),
            (N_("Must be open by"), "limit_at"),
            (N_("Why"), "cause"),
            (N_("Approved by"), "approver"),
        ),
        words={
            "problem": {
                "near": N_("must be open again soon"),
                "breach": N_("should be open again by now"),
            }
        },
    ),
    ConcernKind.INFECTION: ConcernText(
        alertname="SiteInfected",
        opened=(
            N_("{site}: harmful code was found in {count} places"),
            N_("{site}: harmful code was found"),
        ),
        resolved=(
            N_("{site}: the harmful code is gone, {duration} after it was found"),
            N_("{site}: the harmful code is gone"),
        ),
        meaning=(
            N_(
                "Somebody has put code on the site that does not belong there. With it a stranger can change pages, "
                "send mail in your name, or read what customers enter. The site may look just as ever."
            ),
        ),
        advice=N_(
            "We take the code out, put back what was changed, and close the way by which it came in. You need to do "
            "nothing now. Please put no old copy of the site back meanwhile, and change your passwords when we say "
            "so."
        ),
        rows=((N_("How many"), "count"), (N_("Where"), "places")),
    ),
    ConcernKind.VULNERABILITY: ConcernText(
        alertname="VulnerableComponent",
        opened=(
            N_("{site}: {component} has a known security hole"),
            N_("{site}: a part of the site has a known security hole"),
        ),
        resolved=(
            N_("{site}: {component} no longer has a known security hole"),
            N_("{site}: the security hole is closed"),
        ),
        meaning=(
            N_(
                "A hole in {component} has become publicly known, and whoever knows of it could use it. Version "
                "{mended_in} has it no longer."
            ),
            N_(
                "A hole in {component} has become publicly known, and whoever knows of it could use it. There is no "
                "version without it yet."
            ),
            N_("A hole in a part of the site has become publicly known, and whoever knows of it could use it."),
        ),
        remedies=(N_("We bring it to version {mended_in} and see that the site works as before."),),
        advice=N_("We switch it off or protect it until there is a version without the hole."),
        rows=((N_("Component"), "component"), (N_("Mended in"), "mended_in"), (N_("What is known"), "holes")),
    ),
    ConcernKind.AUDIT_FINDINGS: ConcernText(
        alertname="AuditFindings",
        opened=(
            N_("{audited}: the security audit found {count} things to look at"),
            N_("A security audit found something to look at"),
        ),
        resolved=(
            N_("{audited}: the security audit finds nothing to look at any more"),
            N_("The security audit finds nothing to look at any more"),
        ),
        meaning=(
            N_("None of it is proven to be harmful, so the client was not told. It is told again when it changes."),
        ),
        advice=N_(
            "Look at each: mend it, or allow it with a reason and a date (`audit allow`). What is allowed is told no "
            "more."
        ),
        rows=((N_("Site"), "audited"), (N_("How many"), "count"), (N_("Findings"), "findings")),
    ),
    ConcernKind.AUDIT_LATE: ConcernText(
        alertname="AuditLate",
        opened=(
            N_("{audited}: the security audit is late, it was due at {due_at}"),
            N_("A security audit is late"),
        ),
        resolved=(
            N_("{audited}: the security audit was made"),
            N_("The security audit was made"),
        ),
        meaning=(
            N_("The last attempt failed: {why}"),
            N_("The audit that was promised has not been made yet."),
        ),
        advice=N_("Find out what stands in its way: `audit SITE` makes one now and says what is wrong."),
        rows=((N_("Site"), "audited"), (N_("Due at"), "due_at"), (N_("Last error"), "why")),
    ),
    ConcernKind.GROUP: ConcernText(
        alertname="SitesDown",
        opened=(N_("{count} sites are down together: {trait}"), N_("Several sites are down together")),
        resolved=(
            N_("All {count} sites work again after {duration}"),
            N_("All these sites work again after {duration}"),
        ),
        meaning=(
            N_(
                "{count} sites fail at the same time, and what they have in common is {trait}. Of the sites with it, "
                "{failing} fail and {answering} answer. Each has an incident and a ticket of its own; this message "
                "stands for all of them."
            ),
            N_("Several sites fail at the same time. This message stands for all of them."),
        ),
        advice=N_("Begin with what they have in common: the sites themselves are probably in order."),
        rows=((N_("In common"), "trait"),),
        words={
            "trait": {
                "host": N_("the server {value}"),
                "address": N_("the address {value}"),
                "certificate": N_("the certificate"),
                "zone": N_("the domain {value}"),
                "resolution": N_("the name servers (DNS)"),
            }
        },
    ),
}
