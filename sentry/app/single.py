"""One probe of one target without a configuration."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import yaml
from pydantic import ValidationError

from probes import KINDS
from probes.environment import ProbeEnvironment
from probes.resolver import AiodnsResolver
from sentry.clock import SystemClock
from sentry.domain.errors import ConfigurationError, Problem
from sentry.domain.result import ProbeResult
from sentry.domain.site import Check, CheckOptions, Language, Plan
from sentry.ports import Heartbeat

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


async def probe_once(target: str, *, kind: str = "", settings: Sequence[str] = (), timeout_s: float) -> ProbeResult:
    """Probes a target once, now.

    Args:
        target: a URL, `host:port`, or a host name.
        kind: the probe kind; http where the target is a web address, tls for port 443, tcp for another port, else
            http.
        settings: further keys of the check, `key=value`, the value as YAML.
        timeout_s: deadline over all phases.

    Raises:
        ConfigurationError: the kind or a key is not known.
    """
    kind = kind or _kind_of(target)
    if kind not in KINDS_BY_NAME:
        raise _problem("--kind", f"there is no kind '{kind}'; use one of {', '.join(KINDS_BY_NAME)}")
    check = _check(target, _options(kind, target, settings, timeout_s))
    clock = SystemClock()
    resolver = AiodnsResolver(clock)
    environment = ProbeEnvironment(clock=clock, resolver=resolver, heartbeats=NoHeartbeats())
    ended: asyncio.Future[ProbeResult] = asyncio.get_running_loop().create_future()
    try:
        handle = KINDS[kind](check, environment).start(clock.now(), ended.set_result)
        try:
            return await ended
        finally:
            handle.cancel()
    finally:
        await resolver.close()


def _kind_of(target: str) -> str:
    if "://" in target:
        scheme = urlsplit(target).scheme
        return {"https": "http", "tcp": "tcp", "tls": "tls", "icmp": "icmp", "dns": "dns"}.get(scheme, "http")
    _, colon, port = target.rpartition(":")
    if colon and port.isdigit():
        return "tls" if port in {"443", "8443"} else "tcp"
    return "http"


def _options(kind: str, target: str, settings: Sequence[str], timeout_s: float) -> CheckOptions:
    given: dict[str, Any] = {"kind": kind, "timeout_s": timeout_s}
    port = urlsplit(_url(target)).port
    if kind == "tcp" and port is not None:
        given["port"] = port
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise _problem(f"--set {setting}", "write KEY=VALUE, e.g. --set expect_text=Carrito")
        given[key] = yaml.safe_load(value) if value else ""
    try:
        return KINDS[kind].Options.model_validate(given)
    except ValidationError as error:
        problems = [
            Problem("command line", 0, ".".join(str(part) for part in detail["loc"]), detail["msg"])
            for detail in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError(problems) from None


def _check(target: str, options: CheckOptions) -> Check:
    return Check(
        key=f"probe/{options.kind}",
        site_key="probe",
        client_key="",
        plan_key="",
        url=_url(target),
        interval_s=60,
        options=options,
        plan=Plan(),
        time_zone=ZoneInfo("UTC"),
        language=Language.EN,
        host_group="probe",
        host_cap=1,
    )


def _url(target: str) -> str:
    if "://" not in target:
        _, colon, port = target.rpartition(":")
        return f"{'http' if colon and port != '443' else 'https'}://{target}"
    scheme, _, rest = target.partition("://")
    return target if scheme in {"http", "https"} else f"https://{rest}"


def _problem(path: str, message: str) -> ConfigurationError:
    return ConfigurationError([Problem("command line", 0, path, message)])
