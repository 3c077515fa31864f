"""Through an HTTP proxy: a tunnel by CONNECT, or a request in absolute form; and what of it is the proxy's fault.

Whatever is wrong with the proxy itself says nothing of the site: it is the agent's own network (`AGENT_NETWORK`).
The site's name is resolved by the proxy; the phases dns and connect are those of reaching the proxy, and the making
of the tunnel counts to connect.
"""

from dataclasses import dataclass, replace
from http import HTTPStatus

from probes.connection import Connection, Endpoint, at_port, connect
from probes.engine import DeadlinePassedError
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.http_options import HttpOptions
from probes.http_reach import Reach, Zone
from probes.http_redaction import without
from probes.http_request import Request
from probes.http_response import Head, HttpBrokenError, ResponseParser
from probes.nameserver import ascii_name, is_literal_address
from probes.plain_text import one_line
from probes.proxy_address import ProxyAddress
from probes.trace import Trace
from sentry.domain.result import Phase, Reason

TUNNEL_STANDS = range(200, 300)
CANNOT_REACH = frozenset({502, 503, 504})
"""What a proxy answers to CONNECT when the server behind it is not reached: squid 503, most others 502 and 504."""

TINYPROXY_CANNOT_REACH = (500, "unable to connect")
"""tinyproxy says the same with another status."""

EXPLANATIONS = ("Proxy-Status", "X-Squid-Error")
"""Headers in which a proxy says why (the first: RFC 9209)."""

STATUS_LINE_CHARS = 120
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
            said = without(str(error), self.proxy.secrets)
            raise self.fault(f"gives no proper answer to CONNECT: {said}") from error
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

    def _judge(self, reply: "ConnectReply") -> None:
        status = reply.head.status
        if status in TUNNEL_STANDS:
            if reply.left_over:
                raise self.fault("sends data of its own into the tunnel")
            return
        words = f"answers {without(reply.words(), self.proxy.secrets)}"
        if refuses_credentials(reply.head):
            raise self.fault(f"{words}: {CREDENTIALS_ADVICE}")
        if status in CANNOT_REACH or reply.is_tinyproxys_failure:
            detail = f"the proxy {self.proxy} {words}: it cannot reach {self.goal}"
            raise ProbeFailure(Reason.CONNECT_UNREACHABLE, detail, phase=Phase.CONNECT)
        raise self.fault(f"{words}: it makes no tunnel to {self.goal}")

    def _asking(self, goal: Endpoint) -> bytes:
        name = goal.host if is_literal_address(goal.host) else ascii_name(goal.host)
        where = at_port(name, goal.port)
        lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}", f"User-Agent: {self.user_agent}"]
        lines += [f"Proxy-Authorization: {self.proxy.authorization}"] if self.proxy.authorization else []
        return "\r\n".join([*lines, "", ""]).encode()

    def _silence(self) -> str:
        return f"the proxy {self.proxy} has not answered CONNECT {self.goal}"

    def _blamed(self, failure: ProbeFailure) -> ProbeFailure:
        """Returns a failure to speak with the proxy as what it is; the agent's own lack of resources stays that."""
        if failure.reason is Reason.AGENT_RESOURCES:
            return failure
        return self.fault(f"cannot be used: {failure.detail}", failure.phase)


class ConnectReply:
    """A proxy's answer to CONNECT while it arrives; of a refusal the body is not read.

    Attributes:
        begun: whether anything has come.
        left_over: whether something came behind its end, where by rights the client speaks first.
    """

    __slots__ = ("_line", "_parser", "_status_line", "begun", "left_over")

    def __init__(self) -> None:
        # Of an answer to CONNECT the parser would take what follows it for a body.
        self._parser = ResponseParser(method="HEAD")
        self._line = self._status_line = b""
        self.begun = self.left_over = False

    @property
    def complete(self) -> bool:
        """Whether its headers have come; there is no more of it."""
        return self._parser.headers_complete

    @property
    def head(self) -> Head:
        """Status and headers, once complete."""
        return self._parser.head

    def feed(self, data: bytes | memoryview) -> None:
        """Takes what has arrived, line by line, so that it is known where the answer ends.

        Raises:
            HttpBrokenError: it is no HTTP, does not end within the bounds of a head, or ended too early.
        """
        came, at = bytes(data), 0
        if not came:
            raise HttpBrokenError("it closes the connection before the end of one")
        self.begun = True
        while at < len(came) and not self.complete:
            ends = came.find(b"\n", at) + 1 or len(came)
            self._parser.feed(came[at:ends])
            self._keep(came[at:ends])
            at = ends
        self.left_over = at < len(came)

    def _keep(self, piece: bytes) -> None:
        """Keeps the status line, of which the parser does not tell the phrase."""
        self._line += piece[: STATUS_LINE_CHARS - len(self._line)]
        if piece.endswith(b"\n"):
            if self._line.startswith(b"HTTP/"):
                self._status_line = self._line
            self._line = b""

    @property
    def is_tinyproxys_failure(self) -> bool:
        """Whether it says in tinyproxy's way that the site is not reached."""
        return (self.head.status, self._phrase().lower()) == TINYPROXY_CANNOT_REACH

    def words(self) -> str:
        """Returns status, reason phrase and the proxy's own explanation, harmless."""
        why = next(filter(None, map(self.head.get, EXPLANATIONS)), None)
        phrase = self._phrase()
        return f"{self.head.status}{f' {phrase}' if phrase else ''}" + (f" ({one_line(why, 200)})" if why else "")

    def _phrase(self) -> str:
        written = self._status_line.decode("latin-1").split(" ", 2)[2:]
        phrase = one_line(written[0], STATUS_LINE_CHARS) if written else ""
        try:
            return phrase or HTTPStatus(self.head.status).phrase
        except ValueError:
            return phrase


def refuses_credentials(head: Head) -> bool:
    """Whether an answer is the proxy's own word that we may not use it: 407, or what tinyproxy says instead."""
    if head.status == HTTPStatus.UNAUTHORIZED:
        return (head.get("Server") or "").startswith("tinyproxy/")
    return head.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED


LOCALHOST = "127.0.0.1"


def _literal(host: str) -> str | None:
    """Returns the address that a host is without anybody being asked, None for a name."""
    if is_literal_address(host):
        return host
    name = host.rstrip(".").lower()
    return LOCALHOST if name == "localhost" or name.endswith(".localhost") else None


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
