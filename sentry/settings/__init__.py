"""The configuration: YAML and environment in, frozen `Settings` out, every mistake named with its place and cure."""

from sentry.settings.configuration import Settings
from sentry.settings.kinds import json_schema
from sentry.settings.loading import load

__all__ = ["Settings", "json_schema", "load"]
