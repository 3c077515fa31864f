"""Findings in memory."""

import json
from collections.abc import Mapping

from sentry.ports import Observation


class MemoryObservations:
    """Fills the `ObservationBook` port."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Observation] = {}

    async def all(self, kind: str) -> Mapping[str, Observation]:
        return {subject: observation for (of, subject), observation in self.kept.items() if of == kind}

    async def keep(self, kind: str, subject: str, observation: Observation) -> None:
        facts = json.loads(json.dumps(observation.facts))  # as a store does: JSON goes in, JSON comes out
        self.kept[kind, subject] = Observation(observation.at, facts)

    async def keep_all(self, kind: str, observations: Mapping[str, Observation]) -> None:
        for subject, observation in observations.items():
            await self.keep(kind, subject, observation)

    async def forget(self, kind: str, subject: str) -> None:
        self.kept.pop((kind, subject), None)
