"""A row of the matrix: a server's behaviour, what is asked of it, and what both probes must make of it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sentry.domain.result import Reason
from tests.integration.authority import Identity
from tests.integration.hostile_servers import Behaviour, answer, serving
from tests.integration.parity.plain_probe import Question

HOST = "site.test"


@dataclass(frozen=True, slots=True)
class Stage:
    """What the rows play on.

    Attributes:
        folder: for certificates and pages.
        identities: certificates by name; each lies in the folder as `name.pem`, with its key.
        ca_file: the root that probes trust.
        ports: of the servers that run for all rows, by name.
    """

    folder: Path
    identities: Mapping[str, Identity]
    ca_file: Path
    ports: Mapping[str, int]

    def url(self, server: str, path: str = "/", *, scheme: str = "http", host: str = HOST) -> str:
        """Returns the address of a page of one of the lasting servers."""
        return f"{scheme}://{host}:{self.ports[server]}{path}"


Scene = Callable[[Stage], AbstractAsyncContextManager[str]]
"""Makes the server, gives the address to ask."""


@dataclass(frozen=True, slots=True)
class Row:
    """One behaviour.

    Attributes:
        reason: what both say, None for up; of a row that differs, what the engine says.
        plain: what plain aiohttp says where that is not the same.
        differs: why it is right that they are not the same; such a row does not count.
        client: the identity that both show to the server.
    """

    name: str
    scene: Scene
    question: Question
    reason: Reason | None = None
    plain: Reason | None = None
    differs: str = ""
    client: str | None = None

    def asked(self, stage: Stage, url: str) -> Question:
        """Returns the question, with the address that the scene gave and the files of the stage."""
        shown = None if self.client is None else stage.folder / f"{self.client}.pem"
        return replace(self.question, url=url, ca_file=stage.ca_file, client_cert_file=shown)

    def but(self, plain: Reason | None, why: str) -> "Row":
        """Returns the row as one in which aiohttp differs."""
        return replace(self, plain=plain, differs=why)


@dataclass(frozen=True, slots=True)
class Asking:
    """Takes a question's settings by keyword, all but the address, which the scene gives."""

    scene: Scene
    prefix: str

    def __call__(self, name: str, reason: Reason | None = None, *, client: str | None = None, **settings: Any) -> Row:
        return Row(f"{self.prefix}: {name}", self.scene, Question("", **settings), reason, client=client)


def on(server: str, path: str = "/", *, scheme: str = "http", host: str = HOST) -> Asking:
    """Asks one of the lasting servers."""

    @asynccontextmanager
    async def scene(stage: Stage) -> AsyncIterator[str]:
        yield stage.url(server, path, scheme=scheme, host=host)

    return Asking(scene, server)


def raw(behave: Behaviour | bytes) -> Asking:
    """Asks a server that sends these bytes, or behaves like this, whatever the request."""
    behaviour = answer(behave) if isinstance(behave, bytes) else behave

    @asynccontextmanager
    async def scene(_stage: Stage) -> AsyncIterator[str]:
        async with serving(behaviour) as server:
            yield server.url(HOST)

    return Asking(scene, "raw")
