"""The http probe."""

from dataclasses import replace
from typing import ClassVar

from xxhash import xxh3_128_intdigest

from probes.driven import DrivenProbe
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.http_checks import demands_of
from probes.http_cookies import CookieJar
from probes.http_evidence import GoodEvidence, http_evidence
from probes.http_exchange import Answer, Exchange
from probes.http_options import HttpOptions
from probes.http_pages import pages_of
from probes.http_reach import Reach
from probes.http_redaction import shown_url
from probes.http_redirects import Redirects
from probes.http_request import Request, first_request, secrets_of
from probes.http_target import Target
from probes.own_machine import is_own_address
from probes.page_marks import SeenPage
from probes.tls_handshake import Trust, expires_soon
from probes.tls_trust import TrustSetting
from probes.trace import Trace
from sentry.domain.errors import ConfigurationError, Problem
from sentry.domain.result import Hop, HttpEvidence, Reason
from sentry.domain.site import Check, CheckOptions


class HttpProbe(DrivenProbe):
    """Asks for a page once, on a new connection for each hop.

    Raises:
        ConfigurationError: on construction, where the address or a file of the check cannot be used.
    """

    Options: ClassVar[type[CheckOptions]] = HttpOptions

    def __init__(self, check: Check, environment: ProbeEnvironment) -> None:
        super().__init__(check, environment)
        self.options = options = HttpOptions.model_validate(check.options)
        target = _target(check, options)
        request = first_request(options, target, environment.user_agent)
        self.demands, self.pages = demands_of(options), pages_of(options)
        self.secrets = secrets_of(options, target)
        setting = TrustSetting(
            verify=options.verify_tls,
            ca_file=environment.ca_file if options.verify_tls else None,
            client_cert_file=options.client_cert_file,
            client_key_file=options.client_key_file,
            alpn=("http/1.1",),
        )
        anonymous = replace(setting, client_cert_file=None, client_key_file=None)
        trust, elsewhere = (Trust.of_check(check, one, environment) for one in (setting, anonymous))
        self.exchange = Exchange(options, environment, trust, elsewhere)
        self.first = self.exchange.approach(request)
        self._shown_first = shown_url(request.target.url, self.secrets)
        self._judged_last: tuple[object, ProbeFailure | None] | None = None
        self.good_evidence = GoodEvidence(self.secrets)
        self._only_hop: tuple[Hop] | None = None
        self._may_degrade = options.max_response_s is not None or options.min_days_left is not None

    async def measure(self, trace: Trace) -> None:
        """Asks, follows redirects and compares the last answer with what is demanded.

        Raises:
            ProbeFailure: any of it failed.
        """
        visit = trace.http = _Visit(self, trace)
        try:
            answer = await self.exchange.hop(self.first, trace, visit)
            if visit.redirected:
                answer = await visit.follow(answer)
        except ProbeFailure as failure:
            if trace.failure is None or trace.failure is failure:
                raise
            trace.note("after that: {}", failure.detail)
            raise trace.failure from failure
        verdict = self._judged(answer, visit.host, trace)
        if verdict is not None:
            raise verdict
        trace.note("checks passed: {}", self.demands.names)
        if self._may_degrade:
            self._degrade(trace)

    def shown(self, request: Request) -> str:
        """Returns the address of a request, fit for evidence."""
        if request is self.first.request:
            return self._shown_first
        return shown_url(request.target.url, self.secrets)

    def only_hop(self, request: Request, status: int, location: str | None) -> tuple[Hop]:
        """Returns the only answer of a probe as evidence; nearly always it is the same as the last time."""
        only = self._only_hop
        if only is None or (only[0].status, only[0].location) != (status, location):
            only = self._only_hop = (Hop(self.shown(request), status, location),)
        return only

    def _judged(self, answer: Answer, host: str, trace: Trace) -> ProbeFailure | None:
        demands, failure = self.demands, trace.failure
        if failure is None and demands.on_headers:
            failure = demands.of_headers(answer.head)
        if failure is None:
            failure = self._judged_body(answer, host)
        elif not failure.reason.is_agents_fault:
            failure = self.pages.of_bad(self._seen(answer, host), failure)
        if failure is not None:
            trace.note("check failed: {}", failure.detail)
        return failure

    def _judged_body(self, answer: Answer, host: str) -> ProbeFailure | None:
        """Returns the first demand that the body does not meet, or whose page it is; one judged before is known."""
        content_type = answer.head.get("Content-Type")
        known_by = (xxh3_128_intdigest(answer.body), content_type, answer.head.status, host)
        if self._judged_last is None or self._judged_last[0] != known_by:
            failure = self.demands.of_body(answer.body, content_type) if self.demands.on_body else None
            page = self._seen(answer, host)
            if failure is None:
                failure = self.pages.of_good(page)
            elif not failure.reason.is_agents_fault:
                failure = self.pages.of_bad(page, failure)
            self._judged_last = (known_by, failure)
        failure = self._judged_last[1]
        return None if failure is None else failure.again()

    def _seen(self, answer: Answer, host: str) -> SeenPage:
        return SeenPage(answer.head, answer.body, host, self.first.request.target.host)

    def _degrade(self, trace: Trace) -> None:
        trace.leave()
        limit_s, took_s = self.options.max_response_s, sum(trace.phases.values())
        if limit_s is not None and took_s > limit_s:
            longest = max(trace.phases, key=lambda phase: trace.phases[phase])
            share = f"{longest} {trace.phases[longest]:.3g} s"
            trace.degraded = (Reason.SLOW_RESPONSE, f"took {took_s:.3g} s, allowed {limit_s:g} s ({share})")
        elif self.options.min_days_left is not None and trace.tls is not None:
            soon = expires_soon(trace.tls.chain, self.options.min_days_left, self.environment.clock.now())
            trace.degraded = (Reason.TLS_EXPIRES_SOON, soon) if soon else None


class _Visit:
    """One probe's way through redirects, and what it has seen so far."""

    __slots__ = ("_last", "_probe", "_trace", "_way", "redirected")

    def __init__(self, probe: HttpProbe, trace: Trace) -> None:
        self._probe, self._trace = probe, trace
        self._way: list[tuple[Request, int, str | None]] = []
        self._last: Answer | None = None
        self.redirected = False

    async def follow(self, answer: Answer) -> Answer:
        """Follows redirects to the last answer.

        Raises:
            ProbeFailure: a connection, a response or a redirect failed.
        """
        probe = self._probe
        request, cookies = probe.first.request, CookieJar()
        redirects, reach = Redirects(probe.options, request), self._reach()
        while self.redirected:
            cookies.take(answer.head.all("Set-Cookie"), request.target)
            request = redirects.next(request, answer.head, cookies)
            approach = probe.exchange.approach(request, cookies.header(request.target), reach)
            answer = await probe.exchange.hop(approach, self._trace, self)
        return answer

    def _reach(self) -> Reach:
        """Returns where redirects may lead, now that it is known at which address the check's own page was asked."""
        host, _, port = (self._trace.address or "").rpartition(":")
        return Reach.of(
            host.strip("[]"),
            int(port),
            own_ports=self._probe.environment.own_ports,
            allow_all=self._probe.options.allow_private_redirects,
            is_own=is_own_address,
        )

    def on_head(self, request: Request, answer: Answer) -> bool:
        """Keeps an answer whose headers have come; a bad status is the verdict, whatever becomes of the body.

        Returns:
            Whether the body is wanted; that of a redirect is not.
        """
        probe, head, trace = self._probe, answer.head, self._trace
        self._last = answer
        location = head.get("Location")
        shown = None if location is None else shown_url(location, probe.secrets)
        self._way.append((request, head.status, shown))
        trace.note("{} answers {}{}", probe.shown(request), head.status, f", to {shown}" if shown else "")
        accepted = probe.demands.accepts(head.status)
        self.redirected = not accepted and probe.options.follow_redirects and Redirects.is_redirect(head)
        if not accepted and not self.redirected:
            failure = probe.demands.status_failure(head.status)
            trace.failure = probe.pages.of_bad(
                SeenPage(head, b"", self.host, probe.first.request.target.host), failure
            )
        return not self.redirected

    @property
    def host(self) -> str:
        """Who gave the last answer."""
        return self._way[-1][0].target.host

    def hops(self) -> tuple[Hop, ...]:
        """Returns the answers so far, fit for evidence."""
        if len(self._way) == 1:
            return self._probe.only_hop(*self._way[0])
        return tuple(Hop(self._probe.shown(request), status, location) for request, status, location in self._way)

    def evidence(self) -> HttpEvidence | None:
        """Returns what the last answer showed as far as it came, None before any."""
        return None if self._last is None else http_evidence(self._last, self.hops(), self._probe.secrets)

    def evidence_of_good(self) -> HttpEvidence | None:
        """Returns what is kept of it when the probe went well."""
        return None if self._last is None else self._probe.good_evidence.of(self._last, self.hops())


def _target(check: Check, options: HttpOptions) -> Target:
    try:
        site = Target.parse(check.url)
        return site if options.url is None else site.joined(options.url)
    except ValueError as error:
        raise ConfigurationError([Problem(file="", line=0, path=f"{check.key}.url", message=str(error))]) from error
