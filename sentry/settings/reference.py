"""The reference of every key, made of the models themselves: docs/configuration.md holds it, and a test compares."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sentry.domain.notice import ChannelOptions
from sentry.domain.site import CheckOptions
from sentry.settings.kinds import json_schema

Part = Mapping[str, Any]
SECTIONS = {
    "agency": "Agency",
    "web": "Web",
    "probe": "Probing",
    "retention": "RetentionPolicy",
    "incidents": "IncidentPolicy",
    "lookups": "Lookups",
    "audits": "Audits",
    "audits.feeds[]": "VulnerabilityFeed",
    "audits.visits": "AuditVisits",
    "tickets": "Tickets",
    "defaults": "Defaults",
    "plans.KEY": "Plan",
    "clients.KEY": "Client",
    "hosts.KEY": "Host",
    "maintenance.KEY": "MaintenanceWindow",
    "routes[]": "Route",
    "sites[]": "Site",
}
"""Place → model. What a model holds further down follows it; kinds of checks and channels come last."""
FORMATS = {
    "password": "text, secret",
    "date": "date like 2026-01-31",
    "uri": "address",
    "path": "path of a file",
    "file-path": "path of a file",
}
TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
}


def reference(
    check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
) -> str:
    """Returns a Markdown table for each section, each kind of check and each kind of channel."""
    schema = json_schema(check_kinds, channel_kinds)
    schema["description"] = "The keys of the main file. All but `sites` may be absent."
    tables = _Tables(schema["$defs"])
    lines = [*tables.section("The file", schema)]
    for place, name in SECTIONS.items():
        lines += tables.section(f"`{place}`", tables.definitions[name], place=place)
    for place, common, kinds in (
        ("sites[].checks[]", CheckOptions, check_kinds),
        ("channels.KEY", ChannelOptions, channel_kinds),
    ):
        shared = common.model_json_schema()
        lines += tables.section(f"`{place}`, every kind", {**shared, "description": ""})
        for kind, options in kinds.items():
            own = _own_keys(tables.definitions[options.__name__], shared["properties"])
            lines += tables.section(f"`{place}`, `kind: {kind}`", own, place=place)
    return "\n".join(lines)


def _own_keys(definition: Part, shared: Part) -> dict[str, Any]:
    """Leaves out what every kind has, unless this kind has another default for it."""
    properties = {
        key: part
        for key, part in definition["properties"].items()
        if key not in shared or (key != "kind" and part.get("default") != shared[key].get("default"))
    }
    return {**definition, "properties": properties}


class _Tables:
    """Writes tables of a schema's models."""

    def __init__(self, definitions: Mapping[str, Part]) -> None:
        self.definitions = definitions

    def section(self, heading: str, model: Part, *, place: str = "") -> Iterator[str]:
        """One model as a table, then each model inside it, unless that has a section of its own."""
        yield f"### {heading}\n"
        if model.get("description"):
            yield f"{model['description'].splitlines()[0]}\n"
        yield "| key | meaning | value | default |"
        yield "|---|---|---|---|"
        for key, part in model["properties"].items():
            default = "**required**" if key in model.get("required", ()) else _default(part)
            cells = (f"`{key}`", self._meaning(part), self._value(part), default)
            yield f"| {' | '.join(map(_cell, cells))} |"
        yield ""
        for key, part in model["properties"].items() if place else ():
            for name, suffix in self._models_in(part):
                inner = f"{place}.{key}{suffix}"
                yield from self.section(f"`{inner}`", self.definitions[name], place=inner)

    def _models_in(self, part: Part, suffix: str = "") -> Iterator[tuple[str, str]]:
        name = _name_of(part)
        if name and "properties" in self.definitions[name] and "kind" not in self.definitions[name]["properties"]:
            yield name, suffix
        for member in part.get("anyOf", ()):
            yield from self._models_in(member, suffix)
        if isinstance(part.get("items"), dict):
            yield from self._models_in(part["items"], f"{suffix}[]")

    def _resolved(self, part: Part) -> Part:
        name = _name_of(part)
        return {**self.definitions[name], **part} if name else part

    def _meaning(self, part: Part) -> str:
        return str(part.get("description") or self._resolved(part).get("description", ""))

    def _value(self, part: Part) -> str:
        """What may be written, in a few words."""
        part = self._resolved(part)
        members = [*part.get("anyOf", ()), *part.get("oneOf", ())]
        if members:
            words = dict.fromkeys(self._value(member) for member in members if member.get("type") != "null")
            return " or ".join(words)
        if "const" in part or "enum" in part:
            return ", ".join(f"`{value}`" for value in part.get("enum", [part.get("const")]))
        if part.get("type") == "array":
            return f"list of {self._value(part.get('items', {}))}"
        return FORMATS.get(part.get("format", "")) or TYPES.get(part.get("type", ""), "any value") + _bounds(part)


def _name_of(part: Part) -> str:
    return str(part.get("$ref", "")).rpartition("/")[2]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _default(part: Part) -> str:
    value = part.get("default")
    return "" if value is None or isinstance(value, dict) or value == [] else f"`{json.dumps(value)}`"


def _bounds(part: Part) -> str:
    """The range of a number; `above` and `below` where the bound itself is not in it."""
    low, above = part.get("minimum"), part.get("exclusiveMinimum")
    high, below = part.get("maximum"), part.get("exclusiveMaximum")
    lowest = f"{low:,}" if low is not None else f"above {above:,}" if above is not None else ""
    highest = f"{high:,}" if high is not None else f"below {below:,}" if below is not None else ""
    if lowest and highest:
        return f", {lowest} to {highest}"
    return f", {lowest} or more" if low is not None else f", {lowest or highest}" if lowest or highest else ""
