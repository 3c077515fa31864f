"""Keys of a tcp check: where to connect, and the conversation to hold there."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from probes.connection import at_port
from probes.http_patterns import SEARCHED_CHARS
from sentry.domain.model import StrictModel
from sentry.domain.site import CheckOptions


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"'{pattern}' is no regular expression: {error}; test it with Python's re syntax") from None
    return pattern


Text = Annotated[str, Field(min_length=1, max_length=65_536)]
Pattern = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_compiles)]


class TcpStep(StrictModel):
    """One turn of a conversation: wait for a reply, then send, then go over to TLS; each part may be absent."""

    expect_text: Text | None = Field(None, description="Text that the reply must hold. Case matters.")
    expect_regex: Pattern | None = Field(None, description="Regular expression (Python) to be found in the reply.")
    send: Text | None = Field(None, description='Text to send; "\\r\\n" in double quotes ends a line.')
    start_tls: bool = Field(default=False, description="Turn the connection into TLS after this turn.")

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not (self.expect_text or self.expect_regex or self.send or self.start_tls):
            raise ValueError("a step is empty; give expect_text, expect_regex, send or start_tls")
        return self

    @property
    def expects(self) -> bool:
        """Whether it waits for a reply."""
        return bool(self.expect_text or self.expect_regex)


class TcpOptions(CheckOptions):
    """A TCP connection to a port; with `expect_text` or `steps`, also that the right service answers there."""

    kind: Literal["tcp"] = "tcp"
    host: str | None = Field(
        None,
        min_length=1,
        pattern=r"^[^\s/@\[\]]+$",
        description="Name or address, without brackets; the host of the site's url when absent.",
    )
    port: int = Field(ge=1, le=65_535, description="TCP port.")
    ip_version: Literal[4, 6] | None = Field(None, description="4 or 6 to use that family only.")
    tls: bool = Field(default=False, description="Speak TLS from the first byte and verify the certificate.")
    server_name: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._:-]+$", description="Name for SNI and verification; the host when absent."
    )
    min_days_left: int = Field(
        14, ge=0, le=398, description="Days of validity left, of any certificate shown, below which it is degraded."
    )
    send: Text | None = Field(None, description='Text to send first; "\\r\\n" in double quotes ends a line.')
    expect_text: Text | None = Field(None, description="Text that the reply must hold. Case matters.")
    expect_regex: Pattern | None = Field(None, description="Regular expression (Python) to be found in the reply.")
    steps: tuple[TcpStep, ...] = Field(
        (), max_length=20, description="A longer conversation, in place of send, expect_text and expect_regex."
    )
    max_reply_bytes: int = Field(
        65_536, ge=1, le=SEARCHED_CHARS, description="A reply that does not match within so many bytes is wrong."
    )
    max_response_s: float | None = Field(
        None, gt=0, le=300, description="Seconds over all phases above which the service counts as degraded."
    )

    @model_validator(mode="after")
    def _one_way_to_speak(self) -> Self:
        if self.steps and (self.send or self.expect_text or self.expect_regex):
            raise ValueError("send, expect_text and expect_regex are one exchange; with steps, write them as a step")
        if sum(step.start_tls for step in self.steps) + self.tls > 1:
            raise ValueError("a connection can become TLS only once; keep either tls or one start_tls")
        return self

    def watched_url(self, site_url: str) -> str:
        """Returns the port as an address: `tcp://host:25`, `tls://` where TLS is spoken from the first byte."""
        host = self.host or urlsplit(site_url).hostname or ""
        return f"{'tls' if self.tls else 'tcp'}://{at_port(host, self.port)}"

    def conversation(self) -> tuple[TcpStep, ...]:
        """Returns the turns to take, also where they were written as one exchange."""
        if self.steps:
            return self.steps
        turns = []
        if self.send:
            turns.append(TcpStep(send=self.send))
        if self.expect_text or self.expect_regex:
            turns.append(TcpStep(expect_text=self.expect_text, expect_regex=self.expect_regex))
        return tuple(turns)
