"""What is to be audited, as the process of an audit is told."""

from dataclasses import dataclass, field

from sentry.app.pack_access import PackAccess
from sentry.domain.audit_visits import AuditVisits
from sentry.domain.rule_folder import RuleSource
from sentry.domain.site import Site
from sentry.domain.vulnerability_feed import VulnerabilityFeed


@dataclass(frozen=True, slots=True)
class AuditOrder:
    """One audit.

    Attributes:
        folder: of this machine, where it is no site's.
        site: what is audited, None for a folder.
        feeds: where known holes are looked up.
        home: the folder that relative paths of the configuration begin at.
        cache: the folder of what is made ready once for all audits.
        visits: what a site may be asked over the web.
        user_agent: what the audit calls itself.
        packs: what is known to be good.
        rules: folders of rules that the user adds.
    """

    folder: str = ""
    site: Site | None = None
    feeds: tuple[VulnerabilityFeed, ...] = ()
    home: str = ""
    cache: str = ""
    visits: AuditVisits = field(default_factory=AuditVisits)
    user_agent: str = "online-sentry"
    packs: PackAccess = field(default_factory=PackAccess)
    rules: tuple[RuleSource, ...] = ()
