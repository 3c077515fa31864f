"""The documentation of the configuration holds every key that there is."""

import os
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from sentry.domain.notice import ChannelOptions
from sentry.domain.site import CheckOptions
from sentry.settings import Settings
from sentry.settings.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"
MARK = "test_reference.py -->\n"


def test_reference_in_the_docs_is_the_one_of_the_models(
    check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
) -> None:
    """A changed key, meaning, bound or default shows in docs/configuration.md, or the gate is red."""
    written, mark, tables = PAGE.read_text().partition(MARK)
    expected = f"\n{reference(check_kinds, channel_kinds)}"
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(written + mark + expected)
        return
    assert tables.splitlines() == expected.splitlines(), (
        "make it anew: UPDATE_DOCS=1 scripts/test tests/unit/settings/test_reference.py"
    )


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from models_in(part)


def fields_of(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[tuple[str, str]]:
    """Every key of a model and of the models inside it, with its description."""
    if model in seen:
        return
    seen.add(model)
    for name, field in model.model_fields.items():
        yield field.alias or name, field.description or ""
        for inner in models_in(field.annotation):
            yield from fields_of(inner, seen)


def test_every_key_has_a_meaning_and_a_row(
    check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
) -> None:
    """Walks the models, not the generator: no key is left out of the page, and none is without an explanation."""
    page, seen = PAGE.read_text(), set[type[BaseModel]]()
    models: list[type[BaseModel]] = [Settings, *check_kinds.values(), *channel_kinds.values()]
    for model in models:
        for key, description in fields_of(model, seen):
            assert f"| `{key}` |" in page, f"{model.__name__}: {key}"
            assert description or key == "kind", f"{model.__name__}: {key}"
    assert len(seen) > 20


def test_every_kind_has_a_section(
    check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
) -> None:
    """Whoever looks for a kind finds it by its name."""
    page = PAGE.read_text()
    for place, kinds in (("sites[].checks[]", check_kinds), ("channels.KEY", channel_kinds)):
        for kind in kinds:
            assert f"### `{place}`, `kind: {kind}`\n" in page
