"""A book of heartbeats in memory."""

from sentry.ports import Heartbeat


class MemoryHeartbeatBook:
    """Fills the `HeartbeatBook` port."""

    def __init__(self) -> None:
        self.calls: dict[str, Heartbeat] = {}

    def last(self, check_key: str) -> Heartbeat | None:
        return self.calls.get(check_key)

    async def record(self, check_key: str, heartbeat: Heartbeat) -> None:
        self.calls[check_key] = heartbeat
