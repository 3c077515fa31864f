"""What the families bring, by name, and the configuration read with it."""

import os
from pathlib import Path
from typing import Any

import alerting
import probes
from sentry import settings
from sentry.domain.notice import ChannelOptions
from sentry.domain.site import CheckOptions

CHECK_KINDS: dict[str, type[CheckOptions]] = {name: kind.Options for name, kind in probes.KINDS.items()}
CHANNEL_KINDS: dict[str, type[ChannelOptions]] = {name: kind.Options for name, kind in alerting.KINDS.items()}


def load_settings(path: Path, *, advised: bool = True) -> settings.Settings:
    """Reads the configuration with every kind that is installed. Reads files: call it in a thread within a loop.

    Args:
        path: the main file.
        advised: whether its warnings are wanted.

    Raises:
        ConfigurationError: with every problem in it.
    """
    return settings.load(
        path,
        check_kinds=CHECK_KINDS,
        channel_kinds=CHANNEL_KINDS,
        environment=dict(os.environ),
        advised=advised,
    )


def json_schema() -> dict[str, Any]:
    """Returns the JSON Schema of the configuration, for editors."""
    return settings.json_schema(CHECK_KINDS, CHANNEL_KINDS)
