"""The DNS half of the evidence: what each resolver says of a name, its alias chain and its zone's servers."""

from collections.abc import Iterator
from dataclasses import dataclass

import dns.message
import dns.rcode
import dns.rdatatype

from probes.dns_expectation import record_text
from probes.dns_query import ask
from probes.environment import ProbeFailure
from probes.nameserver import NameServer, is_literal_address
from probes.plain_text import one_line
from sentry.domain.failure_report import DnsAnswer
from sentry.ports import Clock

MAX_VALUES = 64
MAX_VALUE_CHARS = 255
MAX_ZONE_STEPS = 4
"""How many labels are dropped in search of the zone; names deeper than that are rare and never a site's."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One resolver to ask, and how long it may take for each question."""

    server: NameServer
    clock: Clock
    limit_s: float

    async def addresses(self, name: str, record_type: str) -> tuple[DnsAnswer, ...]:
        """Returns the answer to A or AAAA, and the alias chain as a second answer where there is one."""
        answer, message = await self._ask(name, record_type)
        aliases = tuple(_values(message, "CNAME")) if message is not None else ()
        if not aliases:
            return (answer,)
        chain = DnsAnswer(str(self.server), name, "CNAME", aliases, answer.elapsed_s)
        return (answer, chain)

    async def zone_servers(self, name: str) -> DnsAnswer | None:
        """Returns the NS records of the zone that holds a name, None where no zone was found."""
        labels = name.rstrip(".").split(".")
        for step in range(min(MAX_ZONE_STEPS, len(labels))):
            zone = ".".join(labels[step:])
            answer, message = await self._ask(zone, "NS")
            if answer.values or message is None:
                return answer
        return None

    async def _ask(self, name: str, record_type: str) -> tuple[DnsAnswer, dns.message.Message | None]:
        began = self.clock.monotonic()
        message, error = None, None
        try:
            message = await ask(self.server, name, record_type, timeout_s=self.limit_s)
            if message.rcode() != dns.rcode.NOERROR:
                error = dns.rcode.to_text(message.rcode())
        except ProbeFailure as failure:
            error = failure.detail
        values = tuple(_values(message, record_type)) if message is not None else ()
        elapsed_s = self.clock.monotonic() - began
        return DnsAnswer(str(self.server), name, record_type, values, elapsed_s, error), message


def _values(message: dns.message.Message, record_type: str) -> Iterator[str]:
    """Yields the values: an alias chain from the name to its end, anything else sorted, for servers shuffle."""
    kind = dns.rdatatype.from_text(record_type)
    found = [record_text(record) for rrset in message.answer if rrset.rdtype == kind for record in rrset]
    for text in (found if record_type == "CNAME" else sorted(found))[:MAX_VALUES]:
        yield one_line(text, MAX_VALUE_CHARS)


def addresses_in(answers: tuple[DnsAnswer, ...]) -> Iterator[str]:
    """Yields the addresses among answers."""
    for answer in answers:
        yield from filter(is_literal_address, answer.values)
