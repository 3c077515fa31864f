"""One reading of one source: what its variables hold, which functions it has, and what was found so far."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tree_sitter import Node

from scanners.php.machine.running import Machine
from scanners.php.signals import SIGNALS, Weight
from scanners.php.syntax import line, text
from scanners.php.tokens import Tokens
from scanners.php.value import STEP_BYTES, UNKNOWN, Constant, Origin, Value, union

MAX_NODES = 400_000
"""Nodes that are looked at in one reading: a script of a megabyte."""

ASK_EVERY = 1_024
"""Nodes between two looks at the clock."""

MAX_LAYERS = 64
"""Texts found inside one source that are read as sources themselves."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One sign that was found.

    Attributes:
        signal: a key of `SIGNALS`.
        line: of the layer it stands in, from 1.
        text: the source of the sink, cut.
        detail: a word on what it is, e.g. the function.
        trail: the way from the source of foreign data to the sink, as line and source, oldest first.
        depth: 0 in the file itself, more in what is hidden in it.
        loose: the way leads through a method whose work is not known.
    """

    signal: str
    line: int
    text: bytes
    detail: str = ""
    trail: tuple[tuple[int, bytes], ...] = ()
    depth: int = 0
    loose: bool = False

    @property
    def weight(self) -> Weight:
        """How much it says; where the way is not sure it is no proof."""
        weight = SIGNALS[self.signal].in_depth(self.depth)
        return min(weight, Weight.SUSPICION) if self.loose else weight


@dataclass(slots=True)
class Function:
    """A function or method of the source, and what its parameters were seen to be given.

    Attributes:
        given: by place.
        is_outdated: whether a call gave it something worth knowing since its body was read.
    """

    parameters: tuple[bytes, ...]
    given: dict[int, Value] = field(default_factory=dict)
    is_outdated: bool = False

    def bind(self, arguments: tuple[Value, ...]) -> None:
        """Takes note of one call; what says nothing new changes nothing."""
        for place, value in enumerate(arguments[: len(self.parameters)]):
            known = self.given.get(place)
            if known is None:
                self.given[place] = now = value
            else:
                constant = known.constant if known.constant == value.constant else None
                now = self.given[place] = union(known, value, constant=constant)
            self.is_outdated = self.is_outdated or (now.tells and now != known)


@dataclass(slots=True)
class Scope:
    """The variables of one function, or those outside of all.

    Attributes:
        shared: names that mean the variables outside (`global $name`).
        is_open: whether variables are made of what a visitor sends, so that any may be his.
    """

    variables: dict[bytes, Value] = field(default_factory=dict)
    shared: set[bytes] = field(default_factory=set)
    is_open: bool = False


@dataclass(slots=True)
class Run:
    """The state of a reading.

    Attributes:
        is_late: says whether the time of the file is over.
        depth: how many layers deep the source stands.
        outside: the variables outside of functions, and the properties of all objects: `->name`.
        scope: the variables of the function that is being read.
        has_bare_words: whether unquoted words are texts, as in sources that combine them bit by bit; else constants.
        words: those that matter, where the source is long enough for the rest to be passed over.
        source: all of it.
        file: all that the file holds whose source, or a layer of it, this is.
        machine: computes what is pure.
        written: variables that name or hold a file into which something foreign or hidden was written.
        layers: texts that the source would run, with what runs them.
        bodies: of closures, still to be read.
    """

    is_late: Callable[[], bool]
    depth: int = 0
    has_bare_words: bool = False
    words: Tokens | None = None
    source: bytes = b""
    file: bytes = b""
    machine: Machine = field(init=False)
    outside: Scope = field(default_factory=Scope)
    scope: Scope = field(init=False)
    functions: dict[bytes, Function] = field(default_factory=dict)
    hits: dict[str, Hit] = field(default_factory=dict)
    layers: dict[bytes, str] = field(default_factory=dict)
    bodies: list[Node] = field(default_factory=list)
    written: set[bytes] = field(default_factory=set)
    nodes: int = 0
    over: bool = False

    def may_go_on(self) -> bool:
        """Counts a node; says whether there is room and time for it."""
        self.nodes += 1
        if self.over or self.nodes > MAX_NODES or (self.nodes % ASK_EVERY == 0 and self.is_late()):
            self.over = True
        return not self.over

    def hit(self, signal: str, node: Node, detail: bytes | str = "", value: Value = UNKNOWN) -> None:
        """Notes a sign; the first of a kind is kept, unless the next one is surer."""
        known = self.hits.get(signal)
        if known is not None and not (known.loose and not value.loose):
            return
        word = detail.decode("latin-1") if isinstance(detail, bytes) else detail
        trail = value.trail.lines if value.trail is not None else ()
        self.hits[signal] = Hit(
            signal, line(node), text(node)[:STEP_BYTES], word[:80], trail, self.depth, value.loose
        )

    def layer(self, value: Value, why: str) -> None:
        """Keeps a text that the source would run, to be read as a source itself."""
        if value.word is not None and len(value.word) >= SHORTEST_LAYER and len(self.layers) < MAX_LAYERS:
            self.layers.setdefault(value.word, why)

    def __post_init__(self) -> None:
        """Begins outside of all functions."""
        self.scope = self.outside
        self.machine = Machine(self.is_late)

    def variable(self, name: bytes) -> Value:
        """Returns what a variable holds."""
        known = self._variables_with(name).get(name)
        if known is not None:
            return known
        return Value(origin=Origin.REQUEST) if self.scope.is_open and name != b"this" else UNKNOWN

    @property
    def is_page_of_its_own(self) -> bool:
        """Whether it is no part of anything larger: neither a class nor anything that loads other files."""
        return len(self.source) < LONGEST_PAGE and _PARTS.search(self.source) is None

    def has(self, name: bytes) -> bool:
        """Whether a variable was given anything; where variables are made of what is sent, any may be."""
        return name in self._variables_with(name) or self.scope.is_open

    def put(self, name: bytes, value: Value) -> None:
        """Gives a variable a value."""
        self._variables_with(name)[name] = value

    def put_element(self, name: bytes, key: bytes | None, value: Value) -> None:
        """Gives an element of a variable a value; one without a key is appended."""
        old = self._variables_with(name).get(name, UNKNOWN)
        elements = _elements(old)
        if elements is None or len(elements) >= MAX_ELEMENTS:
            self.put(name, union(old, value))
            return
        elements[key if key is not None else b"%d" % len(elements)] = value.constant
        self.put(name, union(old, value, constant=elements))

    def _variables_with(self, name: bytes) -> dict[bytes, Value]:
        outside = name in self.scope.shared or name.startswith(PROPERTY)
        return self.outside.variables if outside else self.scope.variables


def _elements(value: Value) -> dict[bytes, Constant | None] | None:
    if value.constant is None:
        return {}
    if isinstance(value.constant, Mapping):
        return dict(value.constant)
    if isinstance(value.constant, tuple):
        return {b"%d" % place: one for place, one in enumerate(value.constant)}
    return None


LONGEST_PAGE = 100_000
_PARTS = re.compile(
    rb"^\s{0,40}(?:namespace|use|abstract\s+class|final\s+class|class|interface|trait)\s+\w|\b(?:include|require)(?:_once)?\b"
    rb"|\bdefined\s*\(|\badd_action\b",
    re.MULTILINE,
)

PROPERTY = b"->"
"""What the names of properties begin with here."""

SHORTEST_LAYER = 6
MAX_ELEMENTS = 3_000
