"""Through an HTTP proxy: a tunnel by CONNECT, or a request in absolute form; and what of it is the proxy's fault.

Whatever is wrong with the proxy itself says nothing of the site: it is the agent's own network (`AGENT_NETWORK`).
The site's name is resolved by the proxy; the phases dns and connect are those of reaching the proxy, and the making
of the tunnel counts to connect.
"""

from dataclasses import dataclass, replace

from probes.connect_reply import ConnectReply, refuses_credentials
from probes.connection import Connection, Endpoint, at_port, connect, is_this_machine
from probes.engine import DeadlinePassedError
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.http_options import HttpOptions
from probes.http_reach import Reach, Zone
from probes.http_request import Request
from probes.http_response import HttpBrokenError
from probes.nameserver import ascii_name, is_literal_address
from probes.proxy_address import ProxyAddress
from probes.trace import Trace
from sentry.domain.result import Phase, Reason

CREDENTIALS_ADVICE = "it wants other credentials than those in its address"


@dataclass(frozen=True, slots=True)
class ProxyRoute:
    """The way of one request through the proxy.

    Attributes:
        endpoint: of the proxy.
        goal: what the proxy is asked to make a tunnel to; None where the request itself tells it where to go.
        timeout_s: the probe's deadline, for what is said when it passes.
        user_agent: what is told to the proxy with CONNECT.
    """

    proxy: ProxyAddress
    endpoint: Endpoint
    goal: Endpoint | None
    timeout_s: float
    user_agent: str

    @classmethod
    def to(
        cls, goal: Endpoint, request: Request, options: HttpOptions, reach: Reach | None, user_agent: str
    ) -> "ProxyRoute | None":
        """Returns the way to where a request goes, None where the check has no proxy.

        Args:
            goal: where the request is brought.
            request: to be sent.
            options: of the check.
            reach: where redirects may lead; None for the page that the check itself names.
            user_agent: of the agent.

        Raises:
            ProbeFailure: a redirect must not lead there.
        """
        proxy = options.through
        if proxy is None:
            return None
        if reach is not None:
            _refuse_forbidden(goal, _home(request, options), reach)
        # In absolute form the proxy makes the Host header from the address (RFC 9112, 3.2.2): where the two differ by
        # the user's wish, only a tunnel keeps them apart.
        differs = request.is_home and (options.connect_to is not None or options.host_header is not None)
        own = Endpoint(proxy.host, proxy.port, options.ip_version)
        return cls(proxy, own, goal if request.target.tls or differs else None, options.timeout_s, user_agent)

    @property
    def asked_directly(self) -> ProxyAddress | None:
        """The proxy where it gets the request itself, None where a tunnel leads to the site."""
        return self.proxy if self.goal is None else None

    async def connect(self, environment: ProbeEnvironment, trace: Trace) -> Connection:
        """Connects to the proxy, and has it make the tunnel where one is wanted.

        Raises:
            ProbeFailure: the proxy was not reached or refused, or it does not reach the site.
        """
        trace.note("going through the proxy {}", self.proxy)
        try:
            connection = await connect(self.endpoint, environment, trace)
        except DeadlinePassedError as error:
            words = "was not found by its name" if trace.phase is Phase.DNS else "does not take the connection"
            raise self.fault(f"{words} within {self.timeout_s:g} s", trace.phase) from error
        except ProbeFailure as failure:
            raise self._blamed(failure) from failure
        try:
            await self.tunnel(connection, trace)
        except BaseException:
            connection.close()
            raise
        return connection

    async def tunnel(self, connection: Connection, trace: Trace) -> None:
        """Has the proxy make the tunnel over a connection to it; does nothing where none is wanted.

        Raises:
            ProbeFailure: it did not, and the fault is its own or that of the site behind it.
        """
        if self.goal is None:
            return
        asking = self._asking(self.goal)
        trace.progress = self._silence
        reply = ConnectReply()
        try:
            await connection.send(asking)
            while not reply.complete:
                reply.feed(await connection.receive())
        except DeadlinePassedError as error:
            if not reply.begun:
                raise  # nobody can know whether it is the proxy or the site that is silent
            raise self.fault(f"does not end its answer to CONNECT within {self.timeout_s:g} s") from error
        except ProbeFailure as failure:
            raise self._blamed(failure) from failure
        except HttpBrokenError as error:
            raise self.fault(f"gives no proper answer to CONNECT: {self._harmless(error)}") from error
        self._judge(reply)
        trace.progress = None
        trace.note("the proxy has made a tunnel to {} after {took:.1f} ms", self.goal)

    def fault(self, words: str, phase: Phase | None = Phase.CONNECT) -> ProbeFailure:
        """Returns the verdict that the proxy itself is what is wrong.

        Args:
            words: what it does, to follow its name.
            phase: in which it does that.
        """
        return ProbeFailure(Reason.AGENT_NETWORK, f"the proxy {self.proxy} {words}", phase=phase)

    def _judge(self, reply: ConnectReply) -> None:
        if reply.is_consent:
            if reply.left_over:
                raise self.fault("sends data of its own into the tunnel")
            return
        words = f"answers {reply.words(self.proxy.secrets)}"
        if refuses_credentials(reply.head):
            raise self.fault(f"{words}: {CREDENTIALS_ADVICE}")
        if reply.is_of_the_site:
            detail = f"the proxy {self.proxy} {words}: it cannot reach {self.goal}"
            raise ProbeFailure(Reason.CONNECT_UNREACHABLE, detail, phase=Phase.CONNECT)
        raise self.fault(f"{words}: it makes no tunnel to {self.goal}")

    def _asking(self, goal: Endpoint) -> bytes:
        name = goal.host if is_literal_address(goal.host) else ascii_name(goal.host)
        where = at_port(name, goal.port)
        lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}", f"User-Agent: {self.user_agent}"]
        lines += [f"Proxy-Authorization: {self.proxy.authorization}"] if self.proxy.authorization else []
        return "\r\n".join([*lines, "", ""]).encode()

    def _harmless(self, error: HttpBrokenError) -> str:
        """Returns what is broken without the bytes it begins with, where these may be a part of our credentials."""
        return str(error).partition("; it begins")[0] if self.proxy.authorization else str(error)

    def _silence(self) -> str:
        return f"the proxy {self.proxy} has not answered CONNECT {self.goal}"

    def _blamed(self, failure: ProbeFailure) -> ProbeFailure:
        """Returns a failure to speak with the proxy as what it is; the agent's own lack of resources stays that."""
        if failure.reason is Reason.AGENT_RESOURCES:
            return failure
        return self.fault(f"cannot be used: {failure.detail}", failure.phase)


LOCALHOST = "127.0.0.1"


def _literal(host: str) -> str | None:
    """Returns the address that a host is without anybody being asked, None for a name."""
    if is_literal_address(host):
        return host
    return LOCALHOST if is_this_machine(host) else None


def _home(request: Request, options: HttpOptions) -> Endpoint:
    return Endpoint((options.connect_to or request.home.host).strip("[]"), request.home.port)


def _refuse_forbidden(endpoint: Endpoint, home: Endpoint, reach: Reach) -> None:
    """Refuses a redirect nearer to the agent than the site is, as far as that can be seen without asking for names.

    Names are the proxy's to resolve and to refuse; a site known by its name is taken for a public one.
    """
    address, at_home = _literal(endpoint.host), _literal(home.host)
    if address is None:
        return
    if at_home is None:
        reach = replace(reach, home=Zone.PUBLIC)
    else:
        reach = Reach.of(
            at_home, home.port, own_ports=reach.own_ports, allow_all=reach.allow_all, is_own=reach.is_own
        )
    why = reach.refusal(address, endpoint.port)
    if why is not None:
        detail = f"a redirect leads to {endpoint}, and so to {why}; allow_private_redirects would permit it"
        raise ProbeFailure(Reason.REDIRECT_INVALID, detail, phase=Phase.PROCESSING)
