"""What a proxy answers when it is asked for a tunnel, and what that says of the site behind it."""

from collections.abc import Iterable
from http import HTTPStatus

from probes.http_redaction import without
from probes.http_response import Head, HttpBrokenError, ResponseParser
from probes.plain_text import one_line

TUNNEL_STANDS = range(200, 300)
CANNOT_REACH = frozenset({502, 503, 504})
"""What a proxy answers to CONNECT when the server behind it is not reached: squid 503, most others 502 and 504."""

TINYPROXY_CANNOT_REACH = (500, "unable to connect")
"""tinyproxy says the same with another status."""

EXPLANATIONS = ("Proxy-Status", "X-Squid-Error")
"""Headers in which a proxy says why (the first: RFC 9209)."""

STATUS_LINE_BYTES = 16_384
SHOWN_CHARS = 120
"""Of what the proxy says in its own words."""


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
        self._line += piece[: STATUS_LINE_BYTES - len(self._line)]
        if piece.endswith(b"\n"):
            if self._line.startswith(b"HTTP/"):
                self._status_line = self._line
            self._line = b""

    @property
    def is_consent(self) -> bool:
        """Whether the tunnel stands."""
        return self.head.status in TUNNEL_STANDS

    @property
    def is_of_the_site(self) -> bool:
        """Whether it says that the site is not reached, tinyproxy in a way of its own."""
        own_way = (self.head.status, self._phrase().lower()) == TINYPROXY_CANNOT_REACH
        return own_way or self.head.status in CANNOT_REACH

    def words(self, secrets: Iterable[str]) -> str:
        """Returns status, reason phrase and the proxy's own explanation, harmless.

        Args:
            secrets: what the proxy may echo and is not to be shown.
        """
        why = next(filter(None, map(self.head.get, EXPLANATIONS)), None)
        # Redacted before it is cut: half a secret would not be found.
        texts = [one_line(without(text, secrets), SHOWN_CHARS) for text in (self._phrase(), why) if text]
        return f"{self.head.status} {texts[0]} ({texts[1]})" if len(texts) > 1 else f"{self.head.status} {texts[0]}"

    def _phrase(self) -> str:
        written = self._status_line.decode("latin-1").split(" ", 2)[2:]
        phrase = written[0].strip() if written else ""
        try:
            return phrase or HTTPStatus(self.head.status).phrase
        except ValueError:
            return "without a word"


def refuses_credentials(head: Head) -> bool:
    """Whether an answer is the proxy's own word that we may not use it: 407, or what tinyproxy says instead."""
    if head.status == HTTPStatus.UNAUTHORIZED:
        return (head.get("Server") or "").startswith("tinyproxy/")
    return head.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
