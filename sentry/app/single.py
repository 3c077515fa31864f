"""One probe of one target without a configuration, and a look around it where one is asked for."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from pydantic import ValidationError

from probes import KINDS
from probes.environment import ProbeEnvironment
from probes.evidence import Collector
from probes.resolver import AiodnsResolver
from sentry.app.target import Target, parse_target
from sentry.clock import SystemClock
from sentry.domain.errors import ConfigurationError, Problem
from sentry.domain.failure_report import CollectedEvidence
from sentry.domain.result import ProbeResult
from sentry.domain.site import Check, CheckOptions, Language, Plan
from sentry.ports import Clock, Heartbeat
from sentry.settings.sentences import sentence
from sentry.settings.verdict import suggestion

KINDS_BY_NAME = tuple(name for name in KINDS if name != "heartbeat")
"""A heartbeat is a call that comes in: there is nothing to probe."""


class NoHeartbeats:
    """No calls come in to a single probe."""

    def last(self, check_key: str) -> Heartbeat | None:
        """Returns nothing."""
        del check_key
        return None

    async def record(self, check_key: str, heartbeat: Heartbeat) -> None:
        """Keeps nothing."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What one probe found.

    Attributes:
        url: what was looked at.
        around: what two resolvers and every address said; None where nobody asked for it.
    """

    url: str
    result: ProbeResult
    around: CollectedEvidence | None = None


async def probe_once(
    text: str,
    *,
    kind: str = "",
    settings: Sequence[str] = (),
    timeout_s: float,
    resolvers: Sequence[str] = (),
    ca_file: Path | None = None,
    look_around: bool = False,
) -> Probed:
    """Probes a target once, now.

    Args:
        text: a URL, `host:port`, or a host name; see `sentry.app.target`.
        kind: the probe kind; follows from the target when empty.
        settings: further keys of the check, `key=value`, the value as YAML.
        timeout_s: deadline over all phases; the look around has as long again.
        resolvers: DNS servers to ask instead of the system's, `address` or `address:port`.
        ca_file: further trusted roots, PEM.
        look_around: whether to collect, after the probe, what a failure report would hold.

    Raises:
        ConfigurationError: the target, the kind, a key or a file cannot be used.
    """
    if kind and kind not in KINDS_BY_NAME:
        raise _problem("--kind", f"there is no kind '{kind}'; use one of {', '.join(KINDS_BY_NAME)}")
    target = parse_target(text, kind)
    check = _check(target, _options(target, settings, timeout_s, resolvers))
    clock = SystemClock()
    async with _resolver(clock, resolvers) as resolver:
        environment = ProbeEnvironment(
            clock=clock, resolver=resolver, heartbeats=NoHeartbeats(), ca_file=ca_file, whole_evidence=True
        )
        result = await _run(check, environment)
        around = None
        if look_around:
            collector = Collector(clock, resolvers, ca_file, resolver=resolver)
            around = await collector.collect(check.watched_url, timeout_s)
    return Probed(check.watched_url, result, around)


@asynccontextmanager
async def _resolver(clock: Clock, servers: Sequence[str]) -> AsyncIterator[AiodnsResolver]:
    try:
        resolver = AiodnsResolver(clock, servers)
    except ValueError as error:
        raise _problem("--resolver", str(error)) from None
    try:
        yield resolver
    finally:
        await resolver.close()


async def _run(check: Check, environment: ProbeEnvironment) -> ProbeResult:
    try:
        probe = KINDS[check.kind](check, environment)
    except ConfigurationError as error:
        problems = [replace(one, file=one.file or "command line", path="TARGET") for one in error.problems]
        raise ConfigurationError(problems) from error
    ended: asyncio.Future[ProbeResult] = asyncio.get_running_loop().create_future()
    handle = probe.start(environment.clock.now(), ended.set_result)
    try:
        return await ended
    finally:
        handle.cancel()


def _options(target: Target, settings: Sequence[str], timeout_s: float, resolvers: Sequence[str]) -> CheckOptions:
    given: dict[str, object] = {"kind": target.kind, "timeout_s": timeout_s, **target.options}
    if target.kind == "dns" and resolvers:
        given["resolver"] = resolvers[0]
    given |= dict(_setting(setting) for setting in settings)
    model = KINDS[target.kind].Options
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ConfigurationError(_problems(error, model)) from None


def _setting(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise _problem(f"--set {text}", "write KEY=VALUE, e.g. --set expect_text=Carrito")
    try:
        return key, yaml.safe_load(value) if value else ""
    except yaml.YAMLError:
        raise _problem(
            f"--set {key}", "the value is no YAML; put it in quotes: --set 'KEY=\"text: of any kind\"'"
        ) from None


def _problems(error: ValidationError, model: type[CheckOptions]) -> list[Problem]:
    problems = []
    for detail in error.errors(include_input=False, include_url=False):
        path = ".".join(str(part) for part in detail["loc"])
        message = sentence(detail["type"], detail.get("ctx", {}))
        if detail["type"] == "extra_forbidden":
            message += f" of kind {model.model_fields['kind'].default}" + suggestion(path, model.model_fields)
        flag = "--timeout" if path == "timeout_s" else f"--set {path}" if path else "--set"
        problems.append(Problem("command line", 0, flag, message))
    return problems


def _check(target: Target, options: CheckOptions) -> Check:
    return Check(
        key=f"probe/{options.kind}",
        site_key="probe",
        client_key="",
        plan_key="",
        url=target.url,
        interval_s=60,
        options=options,
        plan=Plan(),
        time_zone=ZoneInfo("UTC"),
        language=Language.EN,
        host_group="probe",
        host_cap=1,
    )


def _problem(path: str, message: str) -> ConfigurationError:
    return ConfigurationError([Problem("command line", 0, path, message)])
