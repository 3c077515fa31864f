"""Reads a source from its first statement to its last, twice where it has functions, then what is hidden in it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from tree_sitter import Node

from scanners.php.computing import LOOPS, computed_loop, learn
from scanners.php.expressions import evaluate
from scanners.php.run import Function, Hit, Run, Scope
from scanners.php.signals import Weight
from scanners.php.style import combines_bits, style_hits
from scanners.php.syntax import named, parse, text
from scanners.php.tokens import Tokens, tokens
from scanners.php.value import UNKNOWN, union

MAX_SOURCE_BYTES = 3_000_000
"""What is looked at of one file; WordPress' longest sources have half a megabyte, packed ones two."""

MAX_MARKS, MARKS = 150_000, b";,.([{$"
"""Of a source with more of these only a part is looked at: each is a part of a tree, which has 250 MB then."""

NULS_OF_BINARY, MAX_BINARY_BYTES = 500, 200_000
"""A picture or an archive has a NUL among so many bytes; of such a file the script in it is looked at."""

READ_WHOLE_BYTES = 8_000
"""In a longer file functions without a word that matters are passed over; most of a framework are such."""

MAX_DEPTH = 7
"""Layers in layers that are followed."""

PHP_BEGINS = re.compile(rb"<\?(?:php|=|\s)|<script[^>]{0,40}language\s*=\s*[\"']?php", re.IGNORECASE)
_OPENS = re.compile(rb"<\?(?:php|=|\s)", re.IGNORECASE)
_OPENS_SURELY = re.compile(rb"<\?(?:php\b|=\s*[$`@])|<\?\s+(?:eval|@|\$|if|echo|include|require)", re.IGNORECASE)
_CURLY_INDEX = re.compile(rb"(\$\w+)\{(\d+)\}")
"""`$text{3}`, which PHP had until version 7 and the grammar does not know."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in one source.

    Attributes:
        hits: one of each sign and depth, the heaviest first.
        layers: the texts that were hidden in it, outermost first.
        whole: False where time or size ended the reading.
    """

    hits: tuple[Hit, ...] = ()
    layers: tuple[bytes, ...] = ()
    whole: bool = True

    @property
    def weight(self) -> Weight | None:
        """The heaviest sign's weight, None where there is none."""
        return max((hit.weight for hit in self.hits), default=None)


def read(source: bytes, is_late: Callable[[], bool]) -> Reading:
    """Reads a file.

    Args:
        source: all of it; what is beyond `MAX_SOURCE_BYTES` is not looked at.
        is_late: whether the time of this file is over.
    """
    script = _script_of(source)
    cut = _cut(script)
    words = tokens(cut) if PHP_BEGINS.search(cut) else None
    if words is None or not words.may_act:
        return Reading(whole=len(cut) == len(script))
    found = _read_layer(cut, 0, is_late, source, words if len(cut) > READ_WHOLE_BYTES else None)
    styles = style_hits(cut)
    hits = sorted((*found.hits, *styles), key=lambda hit: (-hit.weight, hit.depth, hit.line))
    return Reading(tuple(hits), found.layers, found.whole and len(cut) == len(script))


def _script_of(source: bytes) -> bytes:
    """Returns what of a file may be a script: all of a text; of a picture or an archive the part that opens PHP."""
    if source.count(b"\0") <= len(source) // NULS_OF_BINARY:
        return source
    opens = _OPENS_SURELY.search(source)
    return source[opens.start() :][:MAX_BINARY_BYTES] if opens is not None else b""


def _cut(source: bytes) -> bytes:
    cut = source[:MAX_SOURCE_BYTES]
    marks = sum(cut.count(mark) for mark in MARKS)
    return cut if marks <= MAX_MARKS else cut[: len(cut) * MAX_MARKS // marks]


def _read_layer(source: bytes, depth: int, is_late: Callable[[], bool], file: bytes, words: Tokens | None) -> Reading:
    run = Run(is_late, depth, combines_bits(source), words, source, file)
    source = _cut(source)
    root = parse(_CURLY_INDEX.sub(rb"\1[\2]", source), is_late)
    if root is None:
        return Reading(whole=False)
    learn(run.machine, root)
    _walk(run, root)
    if not run.over and (run.hits or any(function.is_outdated for function in run.functions.values())):
        _walk(run, root)  # now it is known what functions and properties are given that stand before their use
    hits, layers, whole = list(run.hits.values()), [], not run.over
    for layer, why in run.layers.items() if depth < MAX_DEPTH else ():
        inner = _read_layer(_as_source(layer), depth + 1, is_late, file, None)
        hits += [replace(hit, detail=f"{why}: {hit.detail}".rstrip(": ")[:80]) for hit in inner.hits]
        layers += [layer, *inner.layers]
        whole = whole and inner.whole
    return Reading(tuple({(hit.signal, hit.depth > 0): hit for hit in reversed(hits)}.values()), tuple(layers), whole)


def _as_source(layer: bytes) -> bytes:
    """Returns a text that is run as a source that begins outside of PHP."""
    code = layer.lstrip()
    if code.startswith(b"?>"):
        return code[2:]
    opens = _OPENS.search(code[:400])
    return code if opens is not None and opens.start() <= len(b"\xef\xbb\xbf") else b"<?php " + code


def _walk(run: Run, root: Node) -> None:
    """Looks at every statement in its order; expressions are evaluated from their top."""
    waiting = [root]
    while waiting and run.may_go_on():
        node = waiting.pop()
        if node.type in {"function_definition", "method_declaration"}:
            _function(run, node)
            continue
        if node.type in LOOPS and computed_loop(run, node):
            continue
        if node.type == "foreach_statement":
            _loop(run, node)
        elif node.type == "global_declaration":
            run.scope.shared |= {text(variable)[1:] for variable in node.named_children}
        if node.type.endswith("_expression") or node.type in {"encapsed_string", "string"}:
            evaluate(run, node)
            waiting += reversed(run.bodies)
            run.bodies.clear()
        else:
            waiting += reversed(node.named_children)


def _function(run: Run, node: Node) -> None:
    """Reads a function with variables of its own; its parameters are what its calls were seen to give them."""
    name, parameters, body = (named(node, field) for field in ("name", "parameters", "body"))
    if name is None or parameters is None or body is None:
        return
    if run.words is not None and not run.words.any_between(node.start_byte, node.end_byte):
        return
    names = [named(one, "name") for one in parameters.named_children]
    known = tuple(text(one)[1:] if one is not None else b"" for one in names)
    function = run.functions.setdefault(text(name).lower(), Function(known))
    function.is_outdated = False
    around, run.scope = run.scope, Scope()
    for place, parameter in enumerate(function.parameters):
        run.put(parameter, function.given.get(place, UNKNOWN))
    _walk(run, body)
    run.scope = around


def _loop(run: Run, node: Node) -> None:
    """Gives the variables of a foreach what the looped value is made of."""
    children = node.named_children
    if not children:
        return
    value = union(evaluate(run, children[0]))
    for target in children[1:-1]:
        nested = [child for child in target.named_children if child.type == "variable_name"]
        for variable in [target] if target.type == "variable_name" else nested:
            run.put(text(variable)[1:], value)
