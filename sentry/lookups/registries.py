"""The registries: RDAP where a top level has it, else WHOIS; which name is registered is theirs to say."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus

from sentry.domain.errors import LookupFailed
from sentry.domain.registration import Registration
from sentry.lookups import rdap, whois, whois_text
from sentry.lookups.download import Download
from sentry.ports import Clock, Observation, ObservationBook

OBSERVATIONS = "rdap"
BOOTSTRAP_FOR = timedelta(days=7)
BOOTSTRAP_RETRY = timedelta(hours=1)


class UnknownName(Exception):  # noqa: N818  # an answer, not an error of ours
    """A registry says that nobody has this name."""


class WebRegistries:
    """Fills the `Registries` port.

    Args:
        observations: where IANA's list of RDAP servers is kept.
        bootstrap: returns where that list is to be had.
        whois_server: returns the WHOIS server that knows the others.
    """

    def __init__(
        self,
        download: Download,
        observations: ObservationBook,
        clock: Clock,
        *,
        bootstrap: Callable[[], str],
        whois_server: Callable[[], str],
    ) -> None:
        self._download = download
        self._observations = observations
        self._clock = clock
        self._bootstrap = bootstrap
        self._whois_server = whois_server
        self._known: Observation | None = None
        self._tried_at = clock.now() - BOOTSTRAP_RETRY
        self._whois: dict[str, str] = {}

    async def ask(self, candidates: Sequence[str]) -> Registration:
        """Returns the registration of the first name that is one. Never raises for a registry that is silent.

        Args:
            candidates: names in the order to ask, which is not empty.
        """
        silent: Registration | None = None
        for domain in candidates:
            try:
                return await self._ask(domain)
            except UnknownName:
                continue
            except LookupFailed as failed:  # a registry may know nothing of `co.uk` and all of what is below it
                silent = silent or Registration(domain, why=str(failed))
        return silent or Registration(candidates[-1], why="no registry knows the name")

    async def _ask(self, domain: str) -> Registration:
        name = _ascii(domain)
        why = "the registry names no date"
        server = (await self._servers()).get(name.rpartition(".")[2])
        if server is not None:
            try:
                found = await self._by_rdap(server, name)
            except LookupFailed as failed:
                why = str(failed)
            else:
                if found is not None:
                    return found
        try:
            return await self._by_whois(name)
        except LookupFailed as failed:
            raise LookupFailed(f"{why}; {failed}") from failed

    async def _by_rdap(self, server: str, name: str) -> Registration | None:
        try:
            document = await self._download.get(
                f"{server}domain/{name}", max_bytes=rdap.MAX_ANSWER_BYTES, accept=rdap.ACCEPT
            )
        except LookupFailed as failed:
            if failed.status == HTTPStatus.NOT_FOUND:
                raise UnknownName from failed
            raise
        ends = rdap.expires_at(document, name)
        return None if ends is None else Registration(name, ends, server.split("/")[2])

    async def _by_whois(self, name: str) -> Registration:
        top = name.rpartition(".")[2]
        server = self._whois.get(top)
        if server is None:
            server = whois_text.referral(await whois.ask(self._whois_server(), top, self._download.names))
            if server is None:
                raise LookupFailed(f"no registry of .{top} is known")
            self._whois[top] = server
        text = await whois.ask(server, name, self._download.names)
        ends = whois_text.expires_at(text)
        if ends is None and whois_text.is_unknown(text):
            raise UnknownName
        if ends is None:
            raise LookupFailed(f"{server} names no date")
        return Registration(name, ends, server.partition(":")[0])

    async def _servers(self) -> Mapping[str, str]:
        """Returns the RDAP servers by top level: those of the last list that could be had."""
        now = self._clock.now()
        if self._known is None:
            self._known = (await self._observations.all(OBSERVATIONS)).get("servers")
        is_old = self._known is None or now - self._known.at > BOOTSTRAP_FOR
        if is_old and now - self._tried_at >= BOOTSTRAP_RETRY:
            self._tried_at = now
            try:
                document = await self._download.get(self._bootstrap(), max_bytes=rdap.MAX_BOOTSTRAP_BYTES)
                self._known = Observation(now, rdap.servers(document))
            except LookupFailed:
                pass  # the last list serves, or WHOIS does
            else:
                await self._observations.keep(OBSERVATIONS, "servers", self._known)
        return self._known.facts if self._known is not None else {}


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise LookupFailed(f"{domain} is no name") from error
