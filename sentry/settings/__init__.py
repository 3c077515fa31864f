"""The configuration: YAML and environment in, frozen `Settings` out, every mistake named with its place and cure."""

from sentry.settings.configuration import Settings
from sentry.settings.difference import Changes, SettingsDifference, difference
from sentry.settings.kinds import json_schema
from sentry.settings.loading import load
from sentry.settings.starter_file import starter, write_new

__all__ = [
    "Changes",
    "Settings",
    "SettingsDifference",
    "difference",
    "json_schema",
    "load",
    "starter",
    "write_new",
]
