"""Probes prepared from checks; what cannot be prepared is a problem of the configuration, and all come at once."""

from collections.abc import Iterable, Mapping

import probes
from probes.environment import ProbeEnvironment
from probes.resolver import AiodnsResolver
from sentry.app.single import NoHeartbeats
from sentry.clock import SystemClock
from sentry.domain.errors import ConfigurationError, Problem
from sentry.domain.site import Check
from sentry.ports import Probe
from sentry.settings import Settings


def prepare(checks: Iterable[Check], environment: ProbeEnvironment) -> Mapping[str, tuple[Check, Probe]]:
    """Prepares one probe per check. Reads certificate files: call it in a thread where a loop runs.

    Raises:
        ConfigurationError: with every check whose files cannot be used.
    """
    prepared: dict[str, tuple[Check, Probe]] = {}
    problems: list[Problem] = []
    for check in checks:
        try:
            prepared[check.key] = (check, probes.KINDS[check.kind](check, environment))
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    return prepared


def prove(settings: Settings) -> None:
    """Prepares every probe as the agent would, and drops them: the files that checks name are read and understood.

    Raises:
        ConfigurationError: with every check whose files cannot be used.
    """
    clock = SystemClock()
    environment = ProbeEnvironment(
        clock=clock,
        resolver=AiodnsResolver(clock),
        heartbeats=NoHeartbeats(),
        ca_file=settings.probe.ca_file,
        user_agent=settings.probe.user_agent,
    )
    prepare(settings.checks(), environment)
