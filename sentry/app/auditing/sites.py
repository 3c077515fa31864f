"""The sites that audits can reach, and what is ordered for each."""

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from sentry.app.auditing.order import AuditOrder
from sentry.app.packs import configured
from sentry.domain.audit_policy import AuditTerms
from sentry.domain.audited_site import AuditedSite
from sentry.domain.errors import NotFound
from sentry.domain.finding import FindingClass
from sentry.domain.rule_folder import RuleFolder, RuleSource
from sentry.domain.site import Site
from sentry.settings import Settings

THIS_MACHINE = "this machine"


def audited_sites(settings: Settings) -> Sequence[AuditedSite]:
    """Returns every site whose files can be reached."""
    return [audited_site(settings, site) for site in settings.sites if site.access is not None]


def audited_site(settings: Settings, site: Site) -> AuditedSite:
    """Returns a site as its audits see it."""
    plan, client = settings.plans[site.plan], settings.clients[site.client]
    ssh = site.access.ssh if site.access is not None else None
    return AuditedSite(
        key=site.key,
        client_key=site.client,
        name=site.name or site.url.host or site.key,
        host=ssh.host.lower() if ssh is not None else THIS_MACHINE,
        zone=ZoneInfo(plan.time_zone or client.time_zone or settings.agency.time_zone),
        terms=AuditTerms.of(site.audit, plan.audit),
        allow=site.audit.allow if site.audit is not None else (),
    )


def reachable(settings: Settings, site_key: str) -> Site:
    """Returns a site whose files can be reached.

    Raises:
        NotFound: it is not configured, or nothing says where its files are.
    """
    site = next((one for one in settings.sites if one.key == site_key), None)
    if site is None:
        raise NotFound(f"there is no site '{site_key}'")
    if site.access is None:
        raise NotFound(f"nothing says where the files of '{site_key}' are; write its `access` (docs/access.md)")
    return site


def order_of(settings: Settings, site: Site) -> AuditOrder:
    """Returns what is ordered for a site."""
    home = settings.file.resolve().parent
    return AuditOrder(
        site=_plain(site),
        feeds=settings.audits.feeds,
        home=str(home),
        cache=str(home / settings.audits.cache_folder),
        visits=settings.audits.visits,
        user_agent=settings.probe.user_agent,
        packs=configured(settings),
        rules=tuple(_source(one, home) for one in settings.audits.rules_dirs),
    )


def _source(given: RuleFolder, home: Path) -> RuleSource:
    pins = tuple(sorted(given.sha256.items()))
    return RuleSource(str(home / given.folder), pins, FindingClass(given.finding_class))


def _plain(site: Site) -> Site:
    """Returns a site of the domain's own class: that of a configuration was made for its kinds of checks."""
    return Site.model_construct(**{name: getattr(site, name) for name in Site.model_fields})
