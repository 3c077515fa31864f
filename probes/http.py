"""The http probe."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar

from probes.environment import ProbeEnvironment, ProbeFailure
from probes.http_checks import Demands
from probes.http_cookies import CookieJar
from probes.http_evidence import BEFORE_AN_ANSWER, http_evidence, note_values
from probes.http_exchange import Answer, Exchange
from probes.http_options import HttpOptions
from probes.http_redaction import shown_url
from probes.http_redirects import Redirects
from probes.http_request import Request, first_request, secrets_of
from probes.http_target import Target
from probes.task import TaskProbe, Trace
from probes.tls_handshake import Trust, expires_soon
from probes.tls_trust import TrustSetting
from sentry.domain.errors import ConfigurationError, Problem
from sentry.domain.result import Hop, Reason
from sentry.domain.site import Check, CheckOptions

REGEX_REASONS = frozenset({Reason.BODY_TEXT_MISSING, Reason.BODY_TEXT_FORBIDDEN})


class HttpProbe(TaskProbe):
    """Asks for a page once, on a new connection for each hop.

    Raises:
        ConfigurationError: on construction, where the address or a file of the check cannot be used.
    """

    Options: ClassVar[type[CheckOptions]] = HttpOptions

    def __init__(self, check: Check, environment: ProbeEnvironment) -> None:
        super().__init__(check, environment)
        self._options = options = HttpOptions.model_validate(check.options)
        target = _target(check, options)
        self._request = first_request(options, target, environment.user_agent)
        self._demands = Demands.prepare(options)
        self._secrets = secrets_of(options, target)
        setting = TrustSetting(
            verify=options.verify_tls,
            ca_file=environment.ca_file if options.verify_tls else None,
            client_cert_file=options.client_cert_file,
            client_key_file=options.client_key_file,
            alpn=("http/1.1",),
        )
        anonymous = replace(setting, client_cert_file=None, client_key_file=None)
        self._trust = Trust.prepare(setting, owner=check.key)
        self._trust_elsewhere = Trust.prepare(anonymous, owner=check.key)

    async def measure(self, trace: Trace) -> None:
        """Asks, follows redirects and compares the last answer with what is demanded.

        Raises:
            ProbeFailure: any of it failed.
        """
        trace.values.update(BEFORE_AN_ANSWER, http_ssl=float(self._request.target.tls))
        began = self.environment.clock.monotonic()
        visit = _Visit(self._options, self._demands, trace, self._secrets)
        with visit.kept():
            exchange = Exchange(
                self._options, self.environment, self._trust, self._trust_elsewhere, trace, visit.on_head
            )
            answer = await self._last_answer(exchange, visit)
        if trace.failure is not None:
            raise trace.failure
        failure = self._demands.failure(answer.head, answer.body)
        if failure is not None:
            trace.values["failed_due_to_regex"] = float(failure.reason in REGEX_REASONS)
            trace.note(f"check failed: {failure.detail}")
            raise failure
        trace.note(f"checks passed: {', '.join(self._demands.names())}")
        self._degrade(trace, self.environment.clock.monotonic() - began)

    async def _last_answer(self, exchange: Exchange, visit: "_Visit") -> Answer:
        request, cookies = self._request, CookieJar()
        redirects = Redirects(self._options, request)
        while True:
            answer = await exchange.hop(request, cookies.header(request.target))
            if not visit.redirects(answer):
                return answer
            cookies.take(answer.head.all("Set-Cookie"), request.target)
            request = redirects.next(request, answer.head, cookies)

    def _degrade(self, trace: Trace, took_s: float) -> None:
        limit_s = self._options.max_response_s
        if limit_s is not None and took_s > limit_s:
            longest = max(trace.phases, key=lambda phase: trace.phases[phase])
            share = f"{longest} {trace.phases[longest]:.3g} s"
            trace.degraded = (Reason.SLOW_RESPONSE, f"took {took_s:.3g} s, allowed {limit_s:g} s ({share})")
        elif self._options.min_days_left is not None and trace.tls is not None:
            soon = expires_soon(trace.tls.chain, self._options.min_days_left, self.environment.clock.now())
            trace.degraded = (Reason.TLS_EXPIRES_SOON, soon) if soon else None


class _Visit:
    """What one probe has seen so far, kept as evidence whatever ends it."""

    def __init__(self, options: HttpOptions, demands: Demands, trace: Trace, secrets: tuple[str, ...]) -> None:
        self._options, self._demands, self._trace, self._secrets = options, demands, trace, secrets
        self._hops: list[Hop] = []
        self._last: tuple[Request, Answer] | None = None

    def on_head(self, request: Request, answer: Answer) -> bool:
        """Keeps an answer whose headers have come; a bad status is the verdict, whatever becomes of the body.

        Returns:
            Whether the body is wanted; that of a redirect is not.
        """
        self._last = (request, answer)
        location = answer.head.get("Location")
        shown = None if location is None else shown_url(location, self._secrets)
        self._hops.append(Hop(shown_url(request.target.url, self._secrets), answer.head.status, shown))
        self._trace.note(f"{self._hops[-1].url} answers {answer.head.status}{f', to {shown}' if shown else ''}")
        if self.redirects(answer):
            return False
        if not self._demands.accepts(answer.head.status):
            self._trace.failure = self._demands.status_failure(answer.head.status)
        return True

    def redirects(self, answer: Answer) -> bool:
        """Whether an answer is a redirect that is to be followed."""
        followed = self._options.follow_redirects and not self._demands.accepts(answer.head.status)
        return followed and Redirects.is_redirect(answer.head)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Turns what was seen into evidence at the end, be it the deadline."""
        try:
            yield
        except ProbeFailure as failure:
            if self._trace.failure is None or self._trace.failure is failure:
                raise
            self._trace.note(f"after that: {failure.detail}")
            raise self._trace.failure from failure
        finally:
            if self._last is not None:
                request, answer = self._last
                self._trace.http = http_evidence(answer, tuple(self._hops), self._secrets)
                note_values(self._trace, self._trace.http, tls=request.target.tls)


def _target(check: Check, options: HttpOptions) -> Target:
    try:
        site = Target.parse(check.url)
        return site if options.url is None else site.joined(options.url)
    except ValueError as error:
        raise ConfigurationError([Problem(file="", line=0, path=f"{check.key}.url", message=str(error))]) from error
