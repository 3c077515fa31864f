"""What works but is probably not meant: said as warnings, so that nobody learns of it from an outage."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sentry.domain.errors import Problem
from sentry.domain.severity import Severity
from sentry.domain.site import CheckOptions, Plan, Site
from sentry.domain.weight import Weight
from sentry.settings.configuration import Settings
from sentry.settings.document import Document
from sentry.settings.environment import Secrets
from sentry.settings.model import is_loopback

AVAILABILITY_KINDS = frozenset({"http", "tcp", "icmp", "dns"})
SECURITY_KINDS = frozenset({"tls", "audit"})
MAX_LISTED = 5
ALERT_WITHIN_S = 90.0
"""From the first failed probe to the acceptance of the alert (promise 001-31)."""

BLIND_SEVERITIES = (Severity.SEV1, Severity.SEV2)
"""How bad it is when the agent cannot see; what else befalls it (one resolver of several) can wait."""

RESPONSE_LIMITS = ("max_response_s", "max_rtt_s")
"""Options of any kind that set a limit to response time."""


def longest_confirmation_s(options: CheckOptions, plan: Plan) -> float:
    """Returns the seconds from the start of a first failed probe to its confirmation, if every probe times out.

    Re-checks count from the moment the first failure was known, and none begins before the one before it has ended
    (`sentry.domain.health`).
    """
    known_s = ended_s = options.timeout_s
    for after_s in plan.recheck_after_s if options.rechecked else ():
        ended_s = max(known_s + after_s, ended_s) + options.timeout_s
    return ended_s


def limits_response_time(options: CheckOptions) -> bool:
    """Whether a check says how slow is too slow."""
    return any(getattr(options, name, None) is not None for name in RESPONSE_LIMITS)


def lacks_anchors(settings: Settings) -> bool:
    """Whether the agent has nobody to ask if its own network works; where all is on this machine it needs none."""
    watches_afar = any(not is_loopback(site.url.host or "") for site in settings.sites)
    return watches_afar and not settings.probe.anchors


class Advice:
    """Looks at settings that hold, beside the document they were made of."""

    def __init__(self, settings: Settings, document: Document, secrets: Secrets) -> None:
        """Takes what was loaded."""
        self._settings = settings
        self._document = document
        self._secrets = secrets

    def warnings(self) -> list[Problem]:
        """Returns every warning."""
        return [
            *self._own_faults(),
            *self._sites(),
            *self._alerts(),
            *self._files(),
        ]

    def _own_faults(self) -> Iterator[Problem]:
        if lacks_anchors(self._settings):
            yield self._document.problem(
                ("probe", "anchors"),
                "no anchors are configured: when the agent's own network fails, it may take that for outages of the "
                "sites; add 'anchors' under 'probe', addresses on two networks that always answer",
            )

    def _sites(self) -> Iterator[Problem]:
        for index, site in enumerate(self._settings.sites):
            location = ("sites", index)
            for lack in _lacks(site):
                yield self._document.problem((*location, "checks"), lack)
            if (*location, "url") in self._secrets.locations:
                message = (
                    "holds a value from the environment; a site's address is shown on pages, metrics and reports"
                )
                yield self._document.problem((*location, "url"), message)
            yield from self._slow_checks(index, site)

    def _slow_checks(self, index: int, site: Site) -> Iterator[Problem]:
        plan = self._settings.plans[site.plan]
        for number, options in enumerate(site.checks):
            interval_s = options.interval_s or plan.interval_s
            if options.timeout_s > interval_s:
                message = (
                    f"timeout_s ({options.timeout_s:g}) is longer than the interval ({interval_s} s): a slow answer "
                    "makes the check miss its next slot; shorten timeout_s"
                )
                yield self._document.problem(("sites", index, "checks", number), message)
            told_s = longest_confirmation_s(options, plan)
            if told_s > ALERT_WITHIN_S:
                message = (
                    f"an outage that hangs is confirmed only {told_s:g} s after its first failed probe; the alert "
                    f"is promised within {ALERT_WITHIN_S:g} s; shorten timeout_s or the plan's recheck_after_s"
                )
                yield self._document.problem(("sites", index, "checks", number), message)

    def _alerts(self) -> Iterator[Problem]:
        if not self._settings.channels:
            yield self._document.problem(
                ("channels",), "no channel is configured: nobody is told of an outage; add 'channels'"
            )
            return
        unheard = [site.key for site in self._settings.sites if not self._is_heard(site)]
        if unheard:
            more = len(unheard) - MAX_LISTED
            listed = ", ".join(unheard[:MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
            message = f"no route takes SEV1 incidents of {listed}; add a route that matches them"
            yield self._document.problem(("routes",), message)
        deaf = [severity for severity in BLIND_SEVERITIES if not self._is_agent_heard(severity)]
        if deaf:
            message = (
                f"no route takes faults of the agent itself of {', '.join(deaf)}: nobody learns that it cannot see; "
                "add {about: agent, to: [...]}"
            )
            yield self._document.problem(("routes",), message)

    def _is_heard(self, site: Site) -> bool:
        return any(
            route.matches(severity=Severity.SEV1, client=site.client, plan=site.plan, site=site.key)
            for route in self._settings.routes
        )

    def _is_agent_heard(self, severity: Severity) -> bool:
        return any(route.matches(severity=severity, client="", plan=None, site="") for route in self._settings.routes)

    def _files(self) -> Iterator[Problem]:
        file = self._settings.web.token_file
        if file is not None and _read_by_all(file):
            message = f"every user of this machine may read the token; run: chmod 600 {file}"
            yield self._document.problem(("web", "token_file"), message)


def _read_by_all(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & stat.S_IROTH) and os.name == "posix"
    except OSError:
        return False


def _lacks(site: Site) -> Iterator[str]:
    """What a site that is to work well, safely and efficiently still lacks (promise 000-02)."""
    kinds = {options.kind for options in site.checks if options.weight is Weight.DECIDES}
    if not kinds & AVAILABILITY_KINDS:
        yield "no check watches whether the site answers; add {kind: http}"
    if not {options.kind for options in site.checks} & SECURITY_KINDS and not is_loopback(site.url.host or ""):
        yield (
            "no check watches the site's security; add {kind: tls}"
            if site.url.scheme == "https"
            else "no check watches the site's security; serve it over https and add {kind: tls}"
        )
    if not any(limits_response_time(options) for options in site.checks):
        yield "no check watches how fast the site answers; add max_response_s to a check of kind http"
