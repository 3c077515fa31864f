"""Remembers which chain the standard library has verified for a name, so that a cheaper way may be taken to the same.

Two cheaper ways exist, each chosen by a setting, and both only for a chain that the standard library has accepted in
full, for this name and under this trust, within the life of a memory:

- `rtls`: rustls verifies the leaf anew (its issuer's signature, name, dates, possession of the key), trusting the one
  issuer that the standard library's path names for it;
- the verified-chain cache: OpenSSL proves the possession of the leaf's key, as in every handshake, and builds no
  path.

After either, the chain must be the remembered one, byte for byte. Whatever else happens (another chain, a refusal, an
alert, a close, silence) is no verdict: the memory of the name turns `slow`, and the probe begins anew with the
standard library in full. docs/adr/0015-tls-libraries-and-verified-chains.md says why that is safe.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from probes.certificate import read_certificate
from probes.tls_library import TlsContext
from sentry.ports import Clock

MAX_NAMES = 8
"""Names that one check remembers; redirects lead a check to more than its own, and strangers write redirects."""

JUDGED_EVERY_S = 3600.0
"""How long a verification by the standard library stands under rtls where no setting says otherwise."""

SPREAD = 0.25
"""Share of a life by which memories differ, so that ten thousand do not end in the same minute."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What one full verification of a name left.

    Attributes:
        until: when it is forgotten, on the monotonic clock.
        context: the cheaper way; None where the standard library shall verify in full until then.
        digest: SHA-256 of the presented chain.
        begins: the latest beginning of validity in the verified chain, root included, Unix time.
        ends: the earliest end of validity in it.
    """

    until: float
    context: TlsContext | None = None
    digest: bytes = b""
    begins: float = 0.0
    ends: float = 0.0

    def is_of(self, presented: Sequence[bytes]) -> bool:
        """Whether a chain is the remembered one."""
        return chain_digest(presented) == self.digest


@dataclass(frozen=True, slots=True)
class VerifiedChains:
    """The memories of one check under one trust setting.

    Attributes:
        life_s: how long a verification stands at most.
        shortcut: returns the cheaper way for a verified chain, leaf to root; None where there is none.
    """

    clock: Clock
    life_s: float
    shortcut: Callable[[Sequence[bytes]], TlsContext | None]
    _memories: dict[str, Memory] = field(default_factory=dict)

    def way(self, name: str) -> Memory | None:
        """Returns the memory of a name whose cheaper way may be taken now; None: verify in full."""
        memory = self._memories.get(name)
        if memory is None:
            return None
        now = self.clock.now().timestamp()
        if memory.until <= self.clock.monotonic() or (memory.context is not None and memory.ends <= now):
            del self._memories[name]
            return None
        return memory if memory.context is not None and memory.begins <= now else None

    def verified(self, name: str, presented: Sequence[bytes], verified: Sequence[bytes]) -> None:
        """Remembers what the standard library has just accepted in full; a name that is slow stays so.

        Args:
            name: that the certificate was verified for.
            presented: the chain as the server sent it, DER.
            verified: the chain that was built, leaf to root, DER.
        """
        if name in self._memories or not verified:
            return
        path = [one for one in map(read_certificate, verified) if one is not None]
        context = self.shortcut(verified) if len(path) == len(verified) else None
        until = self._until(presented)
        if context is None:
            self._keep(name, Memory(until))
            return
        begins = max(one.not_before.timestamp() for one in path)
        ends = min(one.not_after.timestamp() for one in path)
        self._keep(name, Memory(until, context, chain_digest(presented), begins, ends))

    def doubt(self, name: str) -> None:
        """Sends a name the long way for a whole life: the cheaper one has not come to the same end."""
        self._keep(name, Memory(self.clock.monotonic() + self.life_s))

    def _until(self, presented: Sequence[bytes]) -> float:
        share = chain_digest(presented)[0] / 255
        return self.clock.monotonic() + self.life_s * (1 - SPREAD * share)

    def _keep(self, name: str, memory: Memory) -> None:
        self._memories.pop(name, None)
        while len(self._memories) >= MAX_NAMES:
            del self._memories[next(iter(self._memories))]
        self._memories[name] = memory


def chain_digest(presented: Sequence[bytes]) -> bytes:
    """Returns the SHA-256 of a chain; DER tells its own length, so no two chains are joined alike."""
    return sha256(b"".join(presented)).digest()
