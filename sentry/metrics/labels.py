"""Label values on the metrics page: escaped, and bounded in length and characters where others chose them."""

import re

MAX_LABEL_CHARS = 400
"""Longest label value. A certificate may carry thousands of names; a page of 10,000 sites must stay readable."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def label_value(text: str, max_chars: int = MAX_LABEL_CHARS) -> str:
    """Returns a value that may stand between the quotes of a label.

    Control characters, marks that turn the direction of text and half surrogates become `?`; what is too long ends
    in an ellipsis; backslash, quote and newline are escaped as the exposition format 0.0.4 wants.

    Args:
        text: anything, also from a certificate that an attacker wrote.
        max_chars: longest value before it is escaped, characters.
    """
    if len(text) > max_chars:
        text = text[: max_chars - 1] + "…"
    if not text.isprintable():
        text = _UNPRINTABLE.sub("?", text)
    return text.translate(_ESCAPED)


def labels(**values: str) -> str:
    """Returns `name="value",…` in the order given, without braces."""
    return ",".join(f'{name}="{label_value(value)}"' for name, value in values.items())


def number(value: float) -> str:
    """Returns a figure as the exposition format writes it; whole ones without decimals."""
    text = repr(float(value))
    if text.endswith(".0"):
        return text[:-2]
    return _NO_NUMBERS.get(text, text)


_NO_NUMBERS = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}
