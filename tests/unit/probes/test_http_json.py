from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.http_json import JSON_BYTES, JsonMismatchError, check_json, json_steps


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$", ()),
        ("$.status.items[0].ok", ("status", "items", 0, "ok")),
        ("$[-1]", (-1,)),
        ("$[\"last seen\"]['it.is']", ("last seen", "it.is")),
        ("$.a-b_c.0", ("a-b_c", "0")),
    ],
)
def test_json_path_is_read_step_by_step(path: str, steps: tuple[str | int, ...]) -> None:
    """Every form of a step is understood."""
    assert json_steps(path) == steps


@pytest.mark.parametrize("path", ["", "status", "$.", "$..a", "$[", "$[a]", "$[1", "$['a]", "$ .a", "$.a b", "$.*"])
def test_json_path_that_is_none_is_refused(path: str) -> None:
    """What the syntax does not know raises, with the place."""
    with pytest.raises(ValueError, match="is no JSON path"):
        json_steps(path)


@pytest.mark.parametrize(
    ("body", "expected", "told"),
    [
        (b'{"a": 1}', {"$.a": True}, "$.a is 1, expected true"),
        (b'{"a": false}', {"$.a": 0}, "$.a is false, expected 0"),
        (b'{"a": [true]}', {"$.a": [1]}, "$.a is [true], expected [1]"),
        (b'{"a": {}}', {"$.a.b": None}, "$.a.b is not in the body's JSON"),
        (b"[1]", {"$[1]": 1}, "$[1] is not in the body's JSON"),
        (b"[1]", {"$[-2]": 1}, "$[-2] is not in the body's JSON"),
        (b"[1]", {"$.a": 1}, "$.a is not in the body's JSON"),
        (b"<html>", {"$": 1}, "the body is no JSON: Expecting value"),
        (b"[" * 100_000, {"$": 1}, "the body is no JSON: "),
        (b"\xff\xfe\xfd", {"$": 1}, "the body is no JSON: "),
        (b" " * (JSON_BYTES + 1), {"$": 1}, "the body has 1,048,577 bytes; JSON is read up to 1,048,576"),
        (b'"' + b"x" * 500 + b'"', {"$": "y"}, '..., expected "y"'),
    ],
)
def test_json_difference_is_told(body: bytes, expected: dict[str, object], told: str) -> None:
    """The first difference is told with its path, hostile bodies without a crash."""
    with pytest.raises(JsonMismatchError) as caught:
        check_json(body, expected)  # type: ignore[arg-type]  # literals of a table, JSON each
    assert told in str(caught.value)


def test_json_values_that_are_the_same_pass() -> None:
    """Equal values pass, 1 and 1.0 among them, null when null is there."""
    body = b'{"n": 1, "null": null, "list": [{"a": "b"}], "deep": {"x": [0.5]}}'
    check_json(body, {"$.n": 1.0, "$.null": None, "$.list": [{"a": "b"}], "$.deep.x[0]": 0.5, "$.list[0].a": "b"})


@given(st.text(max_size=40))
def test_json_path_of_any_text_raises_nothing_but_value_error(text: str) -> None:
    """No text makes the reader fail in another way than with its message."""
    with suppress(ValueError):
        assert isinstance(json_steps("$" + text), tuple)
