"""The probe kinds. A new kind is its module and a line here."""

from probes.http import HttpProbe
from probes.task import TaskProbe
from probes.tls import TlsProbe

KINDS: dict[str, type[TaskProbe]] = {
    "http": HttpProbe,
    "tls": TlsProbe,
}
"""Probe kind, as `kind` names it in the configuration, to the class that probes it."""
