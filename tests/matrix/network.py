"""Two network namespaces and the cable between them: the agent's machine, and the world that its sites live in.

Whoever enters `Network.inside` finds himself on the agent's machine: processes started there, and sockets opened
there, are the agent's. The world answers on every address of `WORLD`, so that each site, anchor and
resolver has its own.
"""

import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pytest

from tests.integration.servers.process import require

AGENT_ADDRESS, WORLD_ADDRESS = "10.77.0.2", "10.77.0.1"
WORLD = "11.80.0.0/12"
"""Public addresses, for the agent tells them from private ones; nothing leaves the namespaces."""

CLONE_NEWNET = 0x40000000
_OWN = Path("/proc/thread-self/ns/net")


class Network:
    """The cable is up while the block lasts; both namespaces are gone after it.

    Attributes:
        agent, world: names of the namespaces.
    """

    def __init__(self) -> None:
        self._ip = require("ip", "iproute2")
        self._nft = require("nft", "nftables")
        if os.geteuid() != 0:
            pytest.skip("network namespaces need root")
        self.agent, self.world = f"sm{os.getpid()}a", f"sm{os.getpid()}w"

    def __enter__(self) -> Self:
        self._remove()
        try:
            self._lay()
        except subprocess.CalledProcessError as error:
            self._remove()
            pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
        return self

    def __exit__(self, *failure: object) -> None:
        self._remove()

    def _lay(self) -> None:
        for name in (self.agent, self.world):
            self.ip("netns", "add", name)
            self.ip("-n", name, "link", "set", "lo", "up")
        self.ip("link", "add", "cable", "netns", self.agent, "type", "veth", "peer", "cable", "netns", self.world)
        for name, address in ((self.agent, AGENT_ADDRESS), (self.world, WORLD_ADDRESS)):
            self.ip("-n", name, "address", "add", f"{address}/30", "dev", "cable")
            self.ip("-n", name, "link", "set", "cable", "up")
        self.ip("-n", self.world, "route", "add", "local", WORLD, "dev", "lo")
        self._route()

    def _route(self) -> None:
        self.ip("-n", self.agent, "route", "replace", "default", "via", WORLD_ADDRESS)

    def _remove(self) -> None:
        for name in (self.agent, self.world):
            with suppress(subprocess.CalledProcessError):  # it was not there
                self.ip("netns", "delete", name)

    def ip(self, *words: str) -> None:
        """Runs `ip`."""
        _run([self._ip, *words])

    def in_world(self, command: Sequence[str]) -> list[str]:
        """Returns the command line that runs a command in the world."""
        return [self._ip, "netns", "exec", self.world, *command]

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Moves this thread, and what it starts, to the agent's machine."""
        before = os.open(_OWN, os.O_RDONLY)
        try:
            _enter(Path("/run/netns") / self.agent)
            yield
        finally:
            _set(before)
            os.close(before)

    # ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────

    def cut(self) -> None:
        """Pulls the cable at the far end."""
        self.ip("-n", self.world, "link", "set", "cable", "down")

    def join(self) -> None:
        """Plugs it in again."""
        self.ip("-n", self.world, "link", "set", "cable", "up")

    def lose(self, percent: int) -> None:
        """Drops so many of a hundred packets on their way to the world: as many pings are lost."""
        self.rule(f"numgen random mod 100 < {percent} drop")

    def refuse(self, address: str) -> None:
        """Answers whatever comes for an address with RST, as a machine without the server does."""
        self.rule(f"ip daddr {address} tcp flags syn reject with tcp reset")

    def swallow(self, address: str) -> None:
        """Drops whatever comes for an address, as a dead machine does."""
        self.rule(f"ip daddr {address} drop")

    def rule(self, text: str) -> None:
        """Adds a rule of nftables for what the agent sends, at the world's end of the cable."""
        script = "add table ip faults\n"
        script += "add chain ip faults sent { type filter hook input priority -150; policy accept; }\n"
        script += f'add rule ip faults sent iifname "cable" {text}\n'
        _run(self.in_world([self._nft, "-f", "-"]), script)

    def mend(self) -> None:
        """Takes every rule away."""
        with suppress(subprocess.CalledProcessError):  # there was none
            _run(self.in_world([self._nft, "delete", "table", "ip", "faults"]))


def _run(command: Sequence[str], text: str = "") -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, input=text)


def _enter(namespace: Path) -> None:
    descriptor = os.open(namespace, os.O_RDONLY)
    try:
        _set(descriptor)
    finally:
        os.close(descriptor)


def _set(descriptor: int) -> None:
    """`os.setns` comes with Python 3.12."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
