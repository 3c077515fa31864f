"""What pydantic found wrong, said in plain sentences: one for each type of error that it knows."""

from collections.abc import Mapping
from typing import Any

TEXT = "must be text"
WHOLE = "must be a whole number"
NUMBER = "must be a number"
TRUTH = "must be true or false"
MAPPING = "must be a mapping: lines of 'key: value'"
LIST = "must be a list: lines that begin with '- ', or [a, b]"
DATE = "must be a date like 2026-01-31"
TIME = "must be a time of day like 09:00"
INSTANT = "must be a date and time like 2026-01-31T09:00:00+01:00"
SPAN = "must be a length of time like 90 (seconds) or PT90S"
ADDRESS = "must be a full address like https://example.com/"
UNFIT = "cannot be used here"

SENTENCES: Mapping[str, str] = {
    "missing": "is missing; add this key",
    "extra_forbidden": "is no known key",
    "invalid_key": "must be a key of plain text",
    "model_type": MAPPING,
    "model_attributes_type": MAPPING,
    "dataclass_type": MAPPING,
    "dataclass_exact_type": MAPPING,
    "dict_type": MAPPING,
    "frozen_dict_type": MAPPING,
    "ordered_dict_type": MAPPING,
    "counter_type": MAPPING,
    "mapping_type": MAPPING,
    "arguments_type": MAPPING,
    "named_tuple_type": LIST,
    "list_type": LIST,
    "deque_type": LIST,
    "tuple_type": LIST,
    "set_type": LIST,
    "frozen_set_type": LIST,
    "iterable_type": LIST,
    "iteration_error": LIST,
    "set_item_not_hashable": "must be a list of plain values",
    "none_required": "must be empty",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "finite_number": "must be a number that is not infinite",
    "too_short": "needs at least {min_length} entries; it has {actual_length}",
    "too_long": "takes at most {max_length} entries",
    "string_type": TEXT,
    "string_unicode": TEXT,
    "string_too_short": "must be at least {min_length} characters long",
    "string_too_long": "must be at most {max_length} characters long",
    "string_pattern_mismatch": "must match {pattern}",
    "string_not_ascii": "must use plain ASCII characters only",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "bool_type": TRUTH,
    "bool_parsing": TRUTH,
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": "is too large a number",
    "int_from_float": WHOLE,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "decimal_type": NUMBER,
    "decimal_parsing": NUMBER,
    "decimal_max_digits": "takes at most {max_digits} digits",
    "decimal_max_places": "takes at most {decimal_places} digits after the point",
    "decimal_whole_digits": "takes at most {whole_digits} digits before the point",
    "fraction_type": NUMBER,
    "fraction_parsing": NUMBER,
    "complex_type": NUMBER,
    "complex_str_parsing": NUMBER,
    "bytes_type": TEXT,
    "bytes_too_short": "must be at least {min_length} bytes long",
    "bytes_too_long": "must be at most {max_length} bytes long",
    "bytes_invalid_encoding": "must be encoded as {encoding}",
    "value_error": "{error}",
    "assertion_error": "{error}",
    "date_type": DATE,
    "date_parsing": DATE,
    "date_from_datetime_parsing": DATE,
    "date_from_datetime_inexact": DATE,
    "date_past": "must be a date in the past",
    "date_future": "must be a date in the future",
    "time_type": TIME,
    "time_parsing": TIME,
    "datetime_type": INSTANT,
    "datetime_parsing": INSTANT,
    "datetime_object_invalid": INSTANT,
    "datetime_from_date_parsing": INSTANT,
    "datetime_past": "must be in the past",
    "datetime_future": "must be in the future",
    "timezone_naive": "must be without a time zone",
    "timezone_aware": "needs a time zone, e.g. +01:00 or Z at its end",
    "timezone_offset": "must have the offset {tz_expected}",
    "time_delta_type": SPAN,
    "time_delta_parsing": SPAN,
    "union_tag_invalid": "is of no known kind",
    "union_tag_not_found": "needs a kind; add 'kind: …'",
    "url_type": ADDRESS,
    "url_parsing": ADDRESS,
    "url_syntax_violation": ADDRESS,
    "url_too_long": "must be at most {max_length} characters long",
    "url_scheme": "must begin with one of {expected_schemes}, followed by ://",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "uuid_version": "must be a UUID of version {expected_version}",
    # What no configuration file can bring about; kept so that the table is whole.
    "no_such_attribute": UNFIT,
    "json_invalid": UNFIT,
    "json_type": UNFIT,
    "needs_python_object": UNFIT,
    "recursion_loop": UNFIT,
    "recursion_depth_exceeded": UNFIT,
    "frozen_field": UNFIT,
    "frozen_instance": UNFIT,
    "get_attribute_error": UNFIT,
    "default_factory_not_called": UNFIT,
    "missing_sentinel_error": UNFIT,
    "ellipsis_error": UNFIT,
    "is_instance_of": UNFIT,
    "is_subclass_of": UNFIT,
    "callable_type": UNFIT,
    "missing_argument": UNFIT,
    "unexpected_keyword_argument": UNFIT,
    "missing_keyword_only_argument": UNFIT,
    "unexpected_positional_argument": UNFIT,
    "missing_positional_only_argument": UNFIT,
    "multiple_argument_values": UNFIT,
}


def sentence(error_type: str, context: Mapping[str, Any]) -> str:
    """Returns the sentence for one error.

    Args:
        error_type: as pydantic names it; a validator's own name (PydanticCustomError) has no sentence here.
        context: the figures of this error.
    """
    plain = SENTENCES.get(error_type, UNFIT).format_map(_Figures(context))
    return "needs at least one entry" if plain.startswith("needs at least 1 entries") else plain


class _Figures(dict[str, Any]):
    """Figures of an error, numbers without a useless `.0`."""

    def __getitem__(self, key: str) -> object:
        value = super().__getitem__(key)
        return f"{value:g}" if isinstance(value, float) else value

    def __missing__(self, key: str) -> str:
        return "…"
