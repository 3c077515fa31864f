"""Figures as cells of the page: what stands after the labels of a line."""

from collections.abc import Mapping

from sentry.metrics.labels import label_value, number

_MAX_WHOLE = 1e15
_READY = {float(value): b"} %d\n" % value for value in range(-1, 1000)}


def cell(value: float) -> bytes:
    """Returns the cell of a figure, exactly as `number` writes it; those of small whole figures are made once."""
    ready = _READY.get(value)
    if ready is not None:
        return ready
    value = float(value)
    if value.is_integer() and abs(value) < _MAX_WHOLE:
        return b"} %d\n" % value
    return f"}} {number(value)}\n".encode()


def duration_cell(seconds: float) -> bytes:
    """Returns the cell of a measured time: six figures, as no clock of ours tells more, in half the time and room."""
    return b"} %.6g\n" % seconds


def info_cell(labels: Mapping[str, str]) -> bytes:
    """Returns the cell of an info metric: further labels, escaped, and the value 1."""
    extra = "".join(f',{name}="{label_value(value)}"' for name, value in labels.items())
    return f"{extra}}} 1\n".encode(errors="replace")
