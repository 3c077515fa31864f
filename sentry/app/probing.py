"""Probes prepared from checks; what cannot be prepared is a problem of the configuration, and all come at once."""

from collections.abc import Iterable, Iterator, Mapping

import probes
from probes.environment import ProbeEnvironment, Resolver
from probes.resolver import AiodnsResolver
from probes.tls_library import TlsChoice
from probes.tls_rustls import require_library
from sentry.app.single import NoHeartbeats
from sentry.clock import SystemClock
from sentry.domain.errors import ConfigurationError, Problem
from sentry.domain.site import Check
from sentry.ports import Clock, HeartbeatBook, Probe
from sentry.settings import Settings
from sentry.settings.model import Probing


def probe_environment(
    probing: Probing,
    clock: Clock,
    resolver: Resolver,
    heartbeats: HeartbeatBook,
    own_ports: frozenset[int] = frozenset(),
) -> ProbeEnvironment:
    """Returns what every probe is given; the same for the agent and for each of its workers.

    Args:
        probing: the settings of all probes.
        clock: the time.
        resolver: of names.
        heartbeats: the calls that came in.
        own_ports: where the agent serves its own pages.
    """
    return ProbeEnvironment(
        clock=clock,
        resolver=resolver,
        heartbeats=heartbeats,
        ca_file=probing.ca_file,
        user_agent=probing.user_agent,
        tls=TlsChoice(probing.tls_library, probing.verified_chain_cache_s),
        own_ports=own_ports,
    )


def prepare(checks: Iterable[Check], environment: ProbeEnvironment) -> Mapping[str, tuple[Check, Probe]]:
    """Prepares one probe per check. Reads certificate files: call it in a thread where a loop runs.

    Raises:
        ConfigurationError: with every check whose files cannot be used.
    """
    return {check.key: (check, probe) for check, probe in _prepared(checks, environment)}


def require_preparable(checks: Iterable[Check], environment: ProbeEnvironment) -> None:
    """Prepares one probe per check and drops it at once. Reads files, as `prepare` does.

    Raises:
        ConfigurationError: with every check whose files cannot be used.
    """
    for _ in _prepared(checks, environment):
        pass


def _prepared(checks: Iterable[Check], environment: ProbeEnvironment) -> Iterator[tuple[Check, Probe]]:
    problems: list[Problem] = []
    require_library(environment.tls.library)  # once, and not for each check that would use it
    for check in checks:
        try:
            yield check, probes.KINDS[check.kind](check, environment)
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)


def prove(settings: Settings) -> None:
    """Prepares every probe as the agent would, and drops them: the files that checks name are read and understood.

    Raises:
        ConfigurationError: with every check whose files cannot be used.
    """
    clock = SystemClock()
    environment = probe_environment(settings.probe, clock, AiodnsResolver(clock), NoHeartbeats())
    require_preparable(settings.checks(), environment)
