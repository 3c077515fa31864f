"""The shape of the whole configuration, with the kinds of checks and channels that the agent was built with."""

from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache, reduce
from operator import or_
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, Discriminator, Field, SerializeAsAny, Tag, create_model

from sentry.domain.notice import ChannelOptions
from sentry.domain.site import CheckOptions, Key, Site
from sentry.settings.configuration import Settings

Options = TypeVar("Options", bound=BaseModel)
Kinds = tuple[tuple[str, type[Options]], ...]
"""Kinds in a form that can be a key of a cache."""
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def shape(
    check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
) -> type[Settings]:
    """Returns `Settings` that accepts exactly these kinds; the same kinds give the same class."""
    return _shape(tuple(check_kinds.items()), tuple(channel_kinds.items()))


def site_shape(
    check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
) -> type[Site]:
    """Returns the `Site` of that shape."""
    made: type[Site] = get_args(shape(check_kinds, channel_kinds).model_fields["sites"].annotation)[0]
    return made


@lru_cache(maxsize=32)
def _shape(check_kinds: Kinds[CheckOptions], channel_kinds: Kinds[ChannelOptions]) -> type[Settings]:
    check, channel = _one_of(dict(check_kinds)), _one_of(dict(channel_kinds))
    site = create_model(
        "Site",
        __base__=Site,
        __doc__=Site.__doc__,
        checks=(
            tuple[SerializeAsAny[check], ...],  # type: ignore[valid-type]  # a type made at run time
            Field(
                min_length=1,
                description="What is probed; when absent, http with a response-time limit, and tls for https.",
            ),
        ),
    )
    return create_model(
        "Settings",
        __base__=Settings,
        __doc__="The configuration of Online Sentry.",
        sites=(tuple[site, ...], _described("sites", ())),
        channels=(Mapping[Key, SerializeAsAny[channel]], _described("channels", {})),  # type: ignore[valid-type]  # as above
    )


def _described(name: str, default: object) -> Any:  # noqa: ANN401  # what pydantic's Field is declared to return
    return Field(default, description=Settings.model_fields[name].description)


def _kind_of(value: object) -> str | None:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) else None


def _one_of(kinds: Mapping[str, type[BaseModel]]) -> Any:  # noqa: ANN401  # a type expression
    """Returns the union of the kinds' option models, told apart by `kind`."""
    if not kinds:
        return BaseModel
    variants = [Annotated[options, Tag(kind)] for kind, options in kinds.items()]
    return Annotated[reduce(or_, variants), Discriminator(_kind_of)]


def json_schema(
    check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
) -> dict[str, Any]:
    """Returns the JSON Schema of the main file, for editors and other tools."""
    return deepcopy(_json_schema(tuple(check_kinds.items()), tuple(channel_kinds.items())))


@lru_cache(maxsize=32)
def _json_schema(check_kinds: Kinds[CheckOptions], channel_kinds: Kinds[ChannelOptions]) -> dict[str, Any]:
    schema = _shape(check_kinds, channel_kinds).model_json_schema()
    schema["$schema"] = DRAFT
    schema["title"] = "Online Sentry configuration"
    # Keys that begin with x- are the user's own: a place for YAML anchors.
    schema["patternProperties"] = {"^x-": {}}
    definitions = schema.get("$defs", {})
    for kinds in (check_kinds, channel_kinds):
        for kind, options in kinds:
            _name_kind(definitions.get(options.__name__, {}), kind)
    site = definitions.get("Site", {})
    site["required"] = [key for key in site.get("required", ()) if key not in {"checks", "client", "plan"}]
    return schema


def _name_kind(definition: dict[str, Any], kind: str) -> None:
    """Says in the schema which kind a model is, so that an editor offers its keys alone."""
    properties = definition.get("properties", {})
    if "kind" not in properties:
        return
    properties["kind"] = {"const": kind, "type": "string", "title": "Kind"}
    required = definition.setdefault("required", [])
    if "kind" not in required:
        required.insert(0, "kind")
