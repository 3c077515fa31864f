"""Reading YAML: what it means, where it stands, and that nothing in it can hurt."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest
import yaml

from sentry.domain.errors import ConfigurationError, Problem
from sentry.settings import Settings
from sentry.settings.composer import Composer
from sentry.settings.document import parsed
from sentry.settings.place import spelled
from sentry.settings.syntax import explained

Loader = Callable[..., Settings]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("No", "No"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("'~'", "~"),
        ("60", 60),
        ("-5", -5),
        ("+5", 5),
        ("0", 0),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("9" * 30, "9" * 30),
        ("99.7", 99.7),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.5e-3", 0.0015),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2026-01-31", "2026-01-31"),
        ("1.2.3", "1.2.3"),
        ("'60'", "60"),
        ('"true"', "true"),
        ("|\n  60", "60\n"),
        ("!!str 60", "60"),
    ],
)
def test_scalar_means_what_it_looks_like(text: str, value: object) -> None:
    """The core schema of YAML 1.2, which editors use too; what it would make of odd numbers stays text."""
    found = parsed(f"key: {text}\n", "f").value["key"]
    assert (type(found), found) == (type(value), value)


def test_places_name_the_line_of_each_key_and_item() -> None:
    """A problem points at the line of the key, not of the value below it."""
    document = parsed("a:\n  - x: 1\n    y:\n      z: 2\n  - - q\n", "f")
    assert {spelled(location): place.line for location, place in document.places.items()} == {
        "": 1,
        "a": 1,
        "a[0]": 2,
        "a[0].x": 2,
        "a[0].y": 3,
        "a[0].y.z": 4,
        "a[1]": 5,
        "a[1][0]": 5,
    }


def test_alias_gives_each_use_its_own_values() -> None:
    """Values are copied: filling one use of an anchor does not fill another."""
    value = parsed("a: &x {p: [1]}\nb: *x\n", "f").value
    assert value["a"] == value["b"]
    assert value["a"]["p"] is not value["b"]["p"]


def test_merge_list_takes_the_first_that_has_a_key() -> None:
    """As everywhere in YAML: own keys first, then the merged ones in their order."""
    text = "a: &a {p: 1, q: 1}\nb: &b {q: 2, r: 2}\nc: {<<: [*a, *b], p: 0}\n"
    assert parsed(text, "f").value["c"] == {"p": 0, "q": 1, "r": 2}


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ((), ""),
        (("sites", 2, "checks", 0, "expect_text"), "sites[2].checks[0].expect_text"),
        (("clients", "Acme S.L."), 'clients["Acme S.L."]'),
        (("headers", "X-Key"), "headers.X-Key"),
        (("k" * 200 + " ",), f'["{"k" * 80}"]'),
    ],
)
def test_location_is_spelled_as_people_write_it(location: tuple[str | int, ...], text: str) -> None:
    """A path can be followed by eye, whatever the keys are; it is bounded."""
    assert spelled(location) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b: c\n", "a ':' stands where none can be"),
        ("a: 'b\n", "never closed"),
        ('a: "\\q"\n', "unknown \\ sequence"),
        ("a: 1\nb\n", "a key without ':'"),
        ("a: [1, 2\nb: 3\n", "closing ']'"),
        ("a: {x: 1\nb: 3\n", "closing '}'"),
        ("a:\n  - 1\n b: 2\n", "indentation"),
        ("a:\n\t- 1\n", "a tab"),
        ("a: @b\n", "cannot begin with '@'"),
        ("a: `b`\n", "cannot begin with '`'"),
        ("a: %b\n", "in quotes"),
        ("a: &\n", "an anchor (&name)"),
        ("a: - b\n", "start the list on its own line"),
        ("a: |x\n  b\n", "after '|' or '>'"),
        ("a: \x07\n", "a control character"),
    ],
)
@pytest.mark.parametrize("parser", ["CSafeLoader", "SafeLoader"])
def test_syntax_error_is_explained_for_both_parsers(text: str, said: str, parser: str) -> None:
    """PyYAML's C parser words its errors otherwise than the Python one; both get the same cure."""
    loader = getattr(yaml, parser, None)
    if loader is None:
        pytest.skip("PyYAML is built without libyaml")
    with pytest.raises(yaml.YAMLError) as error:
        list(yaml.parse(text, Loader=loader))
    line, sentence = explained(error.value, text)
    assert said in sentence
    assert line >= 1


@hypothesis.given(st.text(max_size=200))
@hypothesis.settings(max_examples=300)
def test_parsed_of_any_text_gives_value_or_problem(text: str) -> None:
    """Nothing that a file may hold makes the reader fail in another way."""
    document = parsed(text, "f")
    for problem in document.problems:
        assert problem.message
        assert 0 <= problem.line <= text.count("\n") + text.count("\r") + text.count("\x85") + 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SECTIONS = [*sorted(Settings.model_fields), "x-own", "sitess"]


@hypothesis.given(st.dictionaries(st.sampled_from(SECTIONS), JSON, max_size=5))
@hypothesis.example({"sites": [{"key": "a", "url": "https://a.example/", "checks": [{"kind": ["http"]}]}]})
@hypothesis.example({"sites": {"a": 1}, "channels": [1], "routes": {"to": 1}, "plans": 3, "clients": [None]})
@hypothesis.example({"sites": [{"key": {}, "client": [], "plan": {}, "host": 1}], "hosts": {"": {"": ""}}})
@hypothesis.settings(max_examples=120, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_load_of_any_values_loads_or_names_problems(loaded: Loader, tmp_path: Path, value: Mapping[str, Any]) -> None:
    """Every wrong shape ends as a list of problems, never as an exception of another kind."""
    path = tmp_path / "sentry.yaml"
    path.write_text(yaml.safe_dump(dict(value), allow_unicode=True), encoding="utf-8")
    problems: tuple[Problem, ...] = ()
    try:
        loaded(path)
    except ConfigurationError as refused:
        problems = refused.problems or (Problem("", 0, "", ""),)
    assert all(problem.message for problem in problems)


def test_composer_keeps_no_anchor_of_an_unfinished_value() -> None:
    """A value that holds itself would be endless; it is refused as an unknown alias."""
    assert Composer("a: &x [1]\nb: *x\n").compose() is not None
    assert "no anchor before it" in parsed("a: &x [*x]\n", "f").problems[0].message
