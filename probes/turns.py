"""Which address of a name comes first: each in its turn, and those that were dead first of all.

A name with four addresses has four servers, and a probe that always took the first would never see that another one
is dead. A dead one is asked again by each probe, so that what it says of the site stays the same until it is mended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MAX_NAMES = 20_000
"""Names that are remembered; the oldest goes. A redirect may name any."""


@dataclass(slots=True)
class _Turn:
    probes: int = 0
    dead: frozenset[str] = frozenset()


@dataclass(slots=True)
class Turns:
    """What is remembered of every name that has several addresses, for all probes."""

    _turns: dict[tuple[str, int], _Turn] = field(default_factory=dict)

    def order(self, host: str, port: int, addresses: Sequence[str]) -> Sequence[str]:
        """Returns the addresses in the order to try them.

        The family that the resolver puts first stays first; its addresses take turns.

        Args:
            host: the name.
            port: of the connection.
            addresses: as the resolver gave them, the one to try first in front.
        """
        if len(addresses) < 2:  # noqa: PLR2004  # one has no turn
            return addresses
        turn = self._turns.setdefault((host, port), _Turn())
        if len(self._turns) > MAX_NAMES:
            del self._turns[next(iter(self._turns))]
        family = ":" in addresses[0]
        first = [address for address in sorted(addresses) if (":" in address) == family]
        start = turn.probes % len(first)
        turn.probes += 1
        rest = [address for address in addresses if (":" in address) != family]
        return sorted([*first[start:], *first[:start], *rest], key=lambda address: address not in turn.dead)

    def note(self, host: str, port: int, dead: Mapping[str, object]) -> None:
        """Remembers which addresses a probe found dead before one took the connection."""
        turn = self._turns.get((host, port))
        if turn is not None:
            turn.dead = frozenset(dead)
