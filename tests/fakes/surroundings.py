"""Anchors, resolvers and a gateway that answer as a test says."""

from collections.abc import Sequence

from sentry.domain.own_fault import Voice, VoiceKind
from sentry.ports import Clock


class ToldSurroundings:
    """Fills the `Surroundings` port.

    Args:
        clock: on which a silent one takes the whole deadline.

    Attributes:
        silent: who does not answer; asked: how often all were asked; broken: raise instead.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        anchors: Sequence[str] = ("192.0.2.1:443", "198.51.100.1:443"),
        resolvers: Sequence[str] = (),
    ) -> None:
        self._clock = clock
        self._anchors = anchors
        self._resolvers = resolvers
        self.silent: set[str] = set()
        self.asked = 0
        self.broken = False

    def cut(self) -> None:
        """Nobody answers."""
        self.silent = {*self._anchors, *self._resolvers}

    async def ask(self, deadline_s: float) -> Sequence[Voice]:
        self.asked += 1
        if self.broken:
            raise OSError("broken by the test")
        silent = set(self.silent)
        if silent:
            await self._clock.sleep(deadline_s)
        return [
            *(Voice(VoiceKind.ANCHOR, name, name, name not in silent) for name in self._anchors),
            *(Voice(VoiceKind.RESOLVER, name, name, name not in silent) for name in self._resolvers),
        ]
