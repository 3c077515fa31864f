"""The JSON Schema says what the loader does, so that an editor is no worse a judge than the agent."""

import re
import typing
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from pydantic_core import core_schema

from sentry.data import config_folder
from sentry.domain.notice import ChannelOptions
from sentry.domain.site import CheckOptions
from sentry.settings import json_schema, starter
from sentry.settings.document import parsed
from sentry.settings.sentences import SENTENCES, sentence

Schema = dict[str, Any]

TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}


@pytest.fixture
def schema(
    check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
) -> Schema:
    return json_schema(check_kinds, channel_kinds)


def faults(value: Any, part: Schema, root: Schema, at: str = "") -> list[str]:
    """A small validator of the keywords that pydantic writes; returns what does not fit."""
    if "$ref" in part:
        part = {**root["$defs"][part["$ref"].rpartition("/")[2]], **{k: v for k, v in part.items() if k != "$ref"}}
    for word in ("anyOf", "oneOf"):
        if word in part:
            tries = [faults(value, choice, root, at) for choice in part[word]]
            return [] if [] in tries else [f"{at}: fits none of {len(tries)}: {min(tries, key=len)}"]
    found = [f"{at}: is not {part['const']}"] if "const" in part and value != part["const"] else []
    found += [f"{at}: is none of {part['enum']}"] if "enum" in part and value not in part["enum"] else []
    kinds = TYPES.get(part.get("type", ""))
    if kinds and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
        return [*found, f"{at}: {value!r} is no {part['type']}"]
    if isinstance(value, dict):
        found += _faults_of_mapping(value, part, root, at)
    elif isinstance(value, list):
        found += [f"{at}: too short"] if len(value) < part.get("minItems", 0) else []
        for index, item in enumerate(value):
            found += faults(item, part.get("items", {}), root, f"{at}[{index}]")
    elif isinstance(value, str) and "pattern" in part and not re.search(part["pattern"], value):
        found.append(f"{at}: does not match")
    return found


def _faults_of_mapping(value: dict[str, Any], part: Schema, root: Schema, at: str) -> list[str]:
    found = [f"{at}: {key} is missing" for key in part.get("required", ()) if key not in value]
    for key, item in value.items():
        inner = part.get("properties", {}).get(key)
        if inner is None:
            patterns = part.get("patternProperties", {})
            inner = next((shape for pattern, shape in patterns.items() if re.search(pattern, key)), None)
        if inner is None:
            inner = part.get("additionalProperties", True)
        if inner is False:
            found.append(f"{at}: {key} is unknown")
        elif isinstance(inner, dict):
            found += faults(item, inner, root, f"{at}.{key}")
    return found


def test_schema_accepts_the_example_and_the_starter(schema: Schema) -> None:
    """Nothing that the agent takes is underlined in red."""
    for text in ((config_folder() / "sentry.example.yaml").read_text(), starter(["https://a.example/"])):
        value = {key: item for key, item in parsed(text, "f").value.items() if item is not None}
        assert faults(value, schema, schema) == []


@pytest.mark.parametrize(
    "text",
    [
        "sitess: []",
        "agency: {lang: es}",
        "sites: [{key: A B, url: 'https://a.example/'}]",
        "sites: [{url: 'https://a.example/'}]",
        "sites: [{key: a, url: 'https://a.example/', checks: [{kind: htpp}]}]",
        "sites: [{key: a, url: 'https://a.example/', checks: [{expect_text: x}]}]",
        "sites: [{key: a, url: 'https://a.example/', checks: [{kind: http, expect_txt: x}]}]",
        "channels: {duty: {kind: email}}",
        "routes: [{to: []}]",
        "routes: [{severities: [SEV9], to: [a]}]",
        "plans: {gold: {interval_s: fast}}",
    ],
)
def test_schema_refuses_what_the_loader_refuses(schema: Schema, text: str) -> None:
    """An editor shows the common mistakes before the agent does."""
    assert faults(yaml.safe_load(text), schema, schema)


def test_schema_leaves_own_keys_alone(schema: Schema) -> None:
    """A place for anchors is no mistake."""
    assert faults({"x-usual": {"any": ["thing"]}}, schema, schema) == []


def test_schema_names_each_kind_and_describes_every_key(
    schema: Schema, check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
) -> None:
    """An editor can offer kinds and say what a key is for."""
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for kinds in (check_kinds, channel_kinds):
        for kind, options in kinds.items():
            definition = schema["$defs"][options.__name__]
            assert definition["properties"]["kind"]["const"] == kind
            assert "kind" in definition["required"]
            assert definition["additionalProperties"] is False
    silent = [
        f"{name}.{key}"
        for name, definition in schema["$defs"].items()
        for key, part in definition.get("properties", {}).items()
        if "description" not in part and "$ref" not in part and key != "kind"
    ]
    assert silent == []


def test_schema_given_away_is_a_copy(
    check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
) -> None:
    """Whoever changes it changes nobody else's."""
    json_schema(check_kinds, channel_kinds)["$defs"].clear()
    assert json_schema(check_kinds, channel_kinds)["$defs"]


def test_every_error_type_of_pydantic_has_a_sentence() -> None:
    """No raw text of the library reaches a user, whatever a validator raises."""
    known = set(typing.get_args(core_schema.ErrorType))
    assert known == SENTENCES.keys()
    figures = dict.fromkeys(re.findall(r"{(\w+)}", " ".join(SENTENCES.values())), 3)
    for kind in known:
        text = sentence(kind, figures)
        assert text
        assert "{" not in text


def test_sentence_shows_figures_without_useless_decimals() -> None:
    """Nobody wrote 3.0."""
    assert sentence("greater_than", {"gt": 0.0}) == "must be more than 0"
    assert sentence("less_than_equal", {"le": 0.5}) == "must be at most 0.5"
    assert sentence("a_kind_of_tomorrow", {}) == "cannot be used here"
