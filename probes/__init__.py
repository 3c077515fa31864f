"""The probe kinds. A new kind is its module and a line here."""

from probes.dns import DnsProbe
from probes.heartbeat import HeartbeatProbe
from probes.http import HttpProbe
from probes.icmp import IcmpProbe
from probes.kind import ProbeKind
from probes.tcp import TcpProbe
from probes.tls import TlsProbe

KINDS: dict[str, type[ProbeKind]] = {
    "http": HttpProbe,
    "tls": TlsProbe,
    "tcp": TcpProbe,
    "dns": DnsProbe,
    "icmp": IcmpProbe,
    "heartbeat": HeartbeatProbe,
}
"""Probe kind, as `kind` names it in the configuration, to the class that probes it."""
