"""The concerns that a slow watch has told of: said once, cleared once, over restarts."""

from collections.abc import Mapping
from typing import Any

from sentry.domain.concern import Concern, ConcernKind, cleared
from sentry.domain.severity import Severity
from sentry.ports import Clock, EventQueue, Observation, ObservationBook


class ToldConcerns:
    """Raises and clears the concerns of one kind, and remembers in observations which of them stand.

    Args:
        kind: of the concerns; `kind:subject` is the key of each.
        ticking: facts that change while nothing has to be told anew.
    """

    def __init__(
        self,
        kind: ConcernKind,
        observations: ObservationBook,
        events: EventQueue,
        clock: Clock,
        *,
        ticking: frozenset[str],
    ) -> None:
        self._kind = kind
        self._observations = observations
        self._events = events
        self._clock = clock
        self._ticking = ticking

    async def standing(self) -> Mapping[str, Observation]:
        """Returns those that stand, by subject: since when, and the facts `told` and `mark` of each."""
        return await self._observations.all(f"told_{self._kind}")

    async def raise_(
        self,
        subject: str,
        stands: Observation | None,
        *,
        owner: tuple[str, str],
        severity: Severity,
        facts: Mapping[str, Any],
        mark: Any = None,  # noqa: ANN401  # any JSON value
    ) -> None:
        """Tells of a concern, unless it stands with these facts.

        Args:
            subject: what it is about.
            stands: what `standing` said of the subject.
            owner: keys of the site and of its client.
            severity: how bad it is.
            facts: JSON values for its words.
            mark: a JSON value that the watch wants to find again in `standing`.
        """
        if stands is not None and self._is_same(stands.facts["told"], facts):
            return
        now = self._clock.now()
        began_at = now if stands is None else stands.at
        concern = Concern(f"{self._kind}:{subject}", self._kind, severity, began_at, *owner, facts)
        await self._events.publish([concern.raised(now)])
        kept = Observation(began_at, {"told": dict(facts), "mark": mark})
        await self._observations.keep(f"told_{self._kind}", subject, kept)

    async def clear(self, subject: str, facts: Mapping[str, Any] | None = None) -> None:
        """Says that a concern has ended, with what the words of its end need to know."""
        now = self._clock.now()
        await self._events.publish([cleared(f"{self._kind}:{subject}", now, now, facts)])
        await self._observations.forget(f"told_{self._kind}", subject)

    def _is_same(self, told: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
        still = dict.fromkeys(self._ticking)
        return {**told, **still} == {**now, **still}
