"""What a judge of PHP may find, and how much each says by itself: one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from sentry.domain.finding import Evidence


class Weight(IntEnum):
    """How much a signal says."""

    HINT = 1
    SUSPICION = 2
    PROOF = 3


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of sign.

    Attributes:
        weight: by itself; in_layer: where it stands in code that was hidden in the file.
        meaning: for the reader of a finding, in English.
        evidence: what it was seen by; that something is hidden is none of what it does, and the other way round.
    """

    weight: Weight
    meaning: str
    in_layer: Weight = Weight.SUSPICION
    evidence: Evidence = Evidence.BEHAVIOUR

    def in_depth(self, depth: int) -> Weight:
        """Returns what it says so many layers deep."""
        return max(self.weight, self.in_layer) if depth else self.weight


PROOF, SUSPICION, HINT = Weight.PROOF, Weight.SUSPICION, Weight.HINT
STYLE = Evidence.STYLE

SIGNALS: Mapping[str, Signal] = {
    # What a visitor sends is run.
    "request_to_code": Signal(PROOF, "what a visitor sends is run as PHP", PROOF),
    "request_to_command": Signal(PROOF, "what a visitor sends is run as a command of the server", PROOF),
    "request_to_call": Signal(PROOF, "a visitor chooses the function that is called", PROOF),
    "request_to_callback": Signal(PROOF, "a visitor chooses the function that is called back", PROOF),
    "request_to_include": Signal(SUSPICION, "a visitor chooses the file that is run", PROOF),
    "request_to_part_of_include": Signal(HINT, "a visitor chooses a part of the name of a file that is run"),
    "request_to_file": Signal(SUSPICION, "what a visitor sends is written into a file", PROOF),
    "request_to_chosen_file": Signal(PROOF, "a visitor chooses a file and what is written into it", PROOF),
    "request_to_written_code": Signal(PROOF, "what a visitor sends is written into a file and run from there", PROOF),
    "request_to_address": Signal(SUSPICION, "a visitor chooses the address that the server connects to"),
    "request_to_login": Signal(SUSPICION, "a visitor chooses as whom he is logged in"),
    "request_to_handle": Signal(HINT, "what a visitor sends is written into an open file"),
    "request_to_mail": Signal(SUSPICION, "a visitor chooses address and text of a mail"),
    "request_to_pattern": Signal(HINT, "a visitor chooses pattern and replacement, by which old versions run code"),
    "request_to_objects": Signal(HINT, "what a visitor sends is made into objects"),
    "request_to_variables": Signal(HINT, "what a visitor sends becomes variables"),
    "request_in_built_call": Signal(HINT, "what a visitor sends goes to a function whose name is not known"),
    "open_upload": Signal(PROOF, "whatever a visitor sends is put in place under the name that he gives it", PROOF),
    "upload": Signal(SUSPICION, "a visitor's file is put in place", PROOF),
    # What another server sends is run.
    "remote_to_code": Signal(PROOF, "what another server sends is run as PHP", PROOF),
    "remote_to_command": Signal(PROOF, "what another server sends is run as a command", PROOF),
    "remote_to_call": Signal(PROOF, "another server chooses the function that is called", PROOF),
    "remote_to_include": Signal(PROOF, "what another server sends is run as a file", PROOF),
    "remote_to_script": Signal(PROOF, "what another server sends is written into a script", PROOF),
    "remote_to_mail": Signal(SUSPICION, "another server says what is mailed to whom"),
    "stored_to_code": Signal(SUSPICION, "what was put into the database is run as PHP"),
    "stored_to_call": Signal(SUSPICION, "what was put into the database is called"),
    "remote_to_file": Signal(HINT, "what another server sends is written into a file", PROOF),
    # Hidden by way of writing.
    "hidden_source": Signal(
        PROOF, "the name of the request's data is put together from pieces", PROOF, evidence=STYLE
    ),
    "hidden_function": Signal(
        PROOF, "the name of a dangerous function is put together from pieces", PROOF, evidence=STYLE
    ),
    "hidden_include": Signal(SUSPICION, "the name of a file that is run is decoded", PROOF, evidence=STYLE),
    "decoded_code": Signal(PROOF, "text that was encoded is decoded and run", PROOF, evidence=STYLE),
    "decoded_code_unread": Signal(
        SUSPICION, "something is decoded and run that cannot be read here", PROOF, evidence=STYLE
    ),
    "built_code": Signal(SUSPICION, "text put together from pieces is run as PHP", evidence=STYLE),
    "opaque_code": Signal(SUSPICION, "a large unreadable text is made into code and run", evidence=STYLE),
    "opaque_call": Signal(
        SUSPICION, "a large unreadable text goes to a function whose name is hidden", evidence=STYLE
    ),
    "decoded_drop": Signal(PROOF, "decoded PHP is written into a file", PROOF),
    "plain_drop": Signal(PROOF, "PHP that runs commands is written into a file", PROOF),
    "dangerous_callback": Signal(PROOF, "code is run by way of a callback", PROOF),
    "pattern_code": Signal(SUSPICION, "a pattern runs what it finds as PHP (modifier e)", PROOF),
    "include_of_no_php": Signal(PROOF, "a file that is no PHP by its name is run as PHP", PROOF),
    "include_of_data": Signal(PROOF, "a text is run as if it were a file (data:)", PROOF),
    "reverse_shell": Signal(PROOF, "a command shell is handed to another machine", PROOF),
    "fetched_command": Signal(PROOF, "a command fetches a program and runs it, now or again and again", PROOF),
    "hidden_user": Signal(PROOF, "an administrator with a password of the script's own is made", PROOF),
    "windows_shell": Signal(PROOF, "a shell of Windows is started", PROOF),
    # What is odd in a layer, and ordinary outside.
    "code": Signal(HINT, "text is run as PHP", PROOF, evidence=STYLE),
    "command": Signal(HINT, "a command of the server is run", PROOF),
    "dynamic_danger": Signal(HINT, "a dangerous function is called by a variable", PROOF),
    "setting": Signal(HINT, "a setting is changed that decides what PHP runs", PROOF),
    # Style.
    "style_names": Signal(HINT, "names that look alike (O0O0, Il1l)", evidence=STYLE),
    "style_goto": Signal(HINT, "the order of the code is scrambled by goto", evidence=STYLE),
    "style_escapes": Signal(HINT, "texts are written in escapes", evidence=STYLE),
    "style_bits": Signal(HINT, "texts are combined bit by bit", evidence=STYLE),
    "style_comments": Signal(HINT, "comments stand between all parts of expressions", evidence=STYLE),
    "style_padding": Signal(SUSPICION, "code is moved out of sight to the right", evidence=STYLE),
    "style_indexes": Signal(HINT, "texts are picked together letter by letter", evidence=STYLE),
    "unfinished": Signal(HINT, "the file could not be looked at whole within its time", evidence=STYLE),
}
"""Every sign, by its lasting name."""
