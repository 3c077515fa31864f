"""The dns check: asks a DNS server for records and compares them with what they should be."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
import dns.reversename
from pydantic import AfterValidator, Field, model_validator

from probes.connection import bracketed
from probes.dns_expectation import RecordExpectation, expected_text, records_of
from probes.dns_query import ask
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.nameserver import NameServer, ascii_name, is_literal_address, parse_nameserver, system_nameservers
from probes.task import TaskProbe
from probes.trace import Trace
from sentry.domain.result import Phase, Reason
from sentry.domain.site import Check, CheckOptions

RCODE_REASONS = {
    dns.rcode.NXDOMAIN: Reason.DNS_NXDOMAIN,
    dns.rcode.NOERROR: Reason.DNS_ANSWER_MISMATCH,
}
"""What an rcode means that was not the expected one; every other one is a failure of the server."""

MAX_SYSTEM_SERVERS = 3
"""MAXNS of resolv.conf(5)."""

RecordType = Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TLSA", "TXT"]
Values = Annotated[tuple[str, ...], Field(max_length=50)]


def _known_server(text: str) -> str:
    parse_nameserver(text)
    return text


def _known_rcode(text: str) -> str:
    try:
        return dns.rcode.to_text(dns.rcode.from_text(text))
    except dns.exception.DNSException:
        raise ValueError(f"'{text}' is no DNS rcode; write one like NOERROR or NXDOMAIN") from None


class DnsOptions(CheckOptions):
    """Keys of a dns check."""

    kind: Literal["dns"] = "dns"
    query_name: str | None = Field(None, max_length=253, description="Name to ask for; the site's host when absent.")
    record_type: RecordType = Field("A", description="Type of the records.")
    resolver: Annotated[str, AfterValidator(_known_server)] | None = Field(
        None, description="DNS server to ask, `address` or `address:port`; the system's when absent."
    )
    transport: Literal["udp", "tcp"] = Field("udp", description="udp turns to TCP by itself for long answers.")
    recursion_desired: bool = Field(
        default=True, description="False to ask an authoritative server as a resolver does."
    )
    rcode: Annotated[str, AfterValidator(_known_rcode)] = Field("NOERROR", description="Expected rcode.")
    expect: Values = Field((), description="Exactly these values, in any order.")
    expect_all: Values = Field((), description="At least these values.")
    expect_any: Values = Field((), description="At least one of these values.")
    expect_none: Values = Field((), description="None of these values.")
    max_response_s: float | None = Field(None, gt=0, description="Seconds above which an answer counts as degraded.")

    @model_validator(mode="after")
    def _values_fit_the_type(self) -> Self:
        self.expectation()
        return self

    def watched_url(self, site_url: str) -> str:
        """Returns the name that is asked for, as an address without a port."""
        return site_url if self.query_name is None else f"dns://{bracketed(self.query_name)}"

    def expectation(self) -> RecordExpectation:
        """Returns the expected values in their one spelling.

        Raises:
            ValueError: a value does not fit the record type.
        """
        exactly, all_of, any_of, none_of = (
            frozenset(expected_text(self.record_type, value) for value in values)
            for values in (self.expect, self.expect_all, self.expect_any, self.expect_none)
        )
        return RecordExpectation(exactly, all_of, any_of, none_of)


class DnsProbe(TaskProbe):
    """Asks one DNS server (of the system's, the first that answers) and judges the answer."""

    Options = DnsOptions

    def __init__(self, check: Check, environment: ProbeEnvironment) -> None:
        super().__init__(check, environment)
        assert isinstance(check.options, DnsOptions)  # noqa: S101  # KINDS pairs the two
        self.options = check.options
        self.query_name = check.options.query_name or urlsplit(check.url).hostname or ""
        self.expectation = check.options.expectation()
        named = check.options.resolver
        self.servers = (parse_nameserver(named),) if named else system_nameservers()[:MAX_SYSTEM_SERVERS]

    async def measure(self, trace: Trace) -> None:
        """Asks once and compares."""
        trace.enter(Phase.DNS)
        answer = await self._answer(self._wire_name(), trace)
        took_s = trace.lap_s
        trace.leave()
        trace.note("{} {} answered in {:.1f} ms", self.options.record_type, self.query_name, took_s * 1000)
        self._keep(answer, trace)
        self._judge(answer, trace)
        limit_s = self.options.max_response_s
        if limit_s is not None and took_s > limit_s:
            detail = f"answered in {took_s:.3f} s, limit {limit_s:g} s"
            trace.degraded = (Reason.SLOW_RESPONSE, detail)

    def _wire_name(self) -> str:
        if is_literal_address(self.query_name) and self.options.record_type == "PTR":
            return dns.reversename.from_address(self.query_name).to_text()
        return ascii_name(self.query_name)

    async def _answer(self, name: str, trace: Trace) -> dns.message.Message:
        failure = ProbeFailure(Reason.AGENT_NETWORK, "the system has no DNS server configured", phase=Phase.DNS)
        for server in self.servers:
            try:
                return await self._ask(server, name, trace)
            except ProbeFailure as error:
                trace.note(error.detail)
                failure = error
        raise failure

    async def _ask(self, server: NameServer, name: str, trace: Trace) -> dns.message.Message:
        trace.address = str(server)
        trace.progress = lambda: f"waiting for DNS server {server}"
        return await ask(
            server,
            name,
            self.options.record_type,
            transport=self.options.transport,
            timeout_s=self.options.timeout_s / len(self.servers),
            recursion_desired=self.options.recursion_desired,
        )

    def _keep(self, answer: dns.message.Message, trace: Trace) -> None:
        """Notes the figures under the names of blackbox_exporter."""
        trace.values["dns_query_succeeded"] = 1
        for section, records in (
            ("answer", answer.answer),
            ("authority", answer.authority),
            ("additional", answer.additional),
        ):
            trace.values[f"dns_{section}_rrs"] = sum(len(rrset) for rrset in records)
        serials = [rrset[0].serial for rrset in answer.answer if rrset.rdtype == dns.rdatatype.SOA]
        if serials:
            trace.values["dns_serial"] = serials[0]

    def _judge(self, answer: dns.message.Message, trace: Trace) -> None:
        question = f"{self.options.record_type} {self.query_name} at {trace.address}"
        rcode = dns.rcode.to_text(answer.rcode())
        if rcode != self.options.rcode:
            reason = RCODE_REASONS.get(answer.rcode(), Reason.DNS_SERVER_FAILURE)
            raise ProbeFailure(reason, f"{question}: rcode {rcode}, expected {self.options.rcode}", phase=Phase.DNS)
        values = records_of(answer, self.options.record_type)
        trace.note(_values_line(values))
        if answer.rcode() == dns.rcode.NOERROR:
            mismatch = self.expectation.mismatch(values)
            if mismatch is not None:
                raise ProbeFailure(Reason.DNS_ANSWER_MISMATCH, f"{question}: {mismatch}", phase=Phase.DNS)


def _values_line(values: Sequence[str]) -> str:
    return f"{len(values)} value{'' if len(values) == 1 else 's'}: {', '.join(value[:100] for value in values[:20])}"
