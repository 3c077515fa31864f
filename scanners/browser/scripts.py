"""What a script does, read from its text and from what was hidden in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanners.browser.hosts import hosts_in
from scanners.browser.layers import Layer

_CARD = re.compile(
    r"(?:card|cc)[_\-\[. ]{0,2}(?:num(?:ber)?|no|holder|owner|exp\w*|cid|cvc|cvv)\b|\bcvv2?\b|\bcvc\b|cc_cid|cc-csc"
    r"|expir(?:y|ation)[_-]?(?:date|month|year)?\b|security[_-]?code|billing[\[_:.-]{1,2}\w{3,}",
    re.IGNORECASE,
)
_CHECKOUT = re.compile(r"checkout|onepage|onestep|/pay\b|/payment\b|firecheckout|order[_-]?pay", re.IGNORECASE)
_LOCATION_TEST = re.compile(
    r"location(?:\.href|\.pathname)?[^;{}]{0,80}(?:indexOf|match|test|includes|search)|\.test\(\s*(?:window\.)?location"
)
_ALL_FIELDS = re.compile(
    r"querySelectorAll\(\s*['\"][^'\"]{0,60}\b(?:input|select|textarea)|getElementsByTagName\(\s*['\"](?:input|select|textarea)"
    r"|\.serialize(?:Array)?\(\)|new FormData\("
)
_VALUE = re.compile(r"\.value\b|\.val\(\)|FormData|serialize")
_PACKS = re.compile(r"\bbtoa\s*\(|JSON\.stringify|encodeURIComponent\s*\(|window\.btoa|toString\(\s*16\s*\)")
_SENDS = re.compile(
    r"new\s+Image\b|createElement\(\s*['\"]img['\"]|sendBeacon\s*\(|XMLHttpRequest|\bfetch\s*\(|new\s+WebSocket"
    r"|\$\.(?:post|ajax|get)\s*\("
)
_LISTENS = re.compile(r"addEventListener|\.on(?:submit|click|change|blur|keyup)\b|setInterval\s*\(|\.on\(\s*['\"]")
_LOADS = re.compile(
    r"createElement\s*\(\s*['\"]script['\"]\s*\)|<script\b|\bimportScripts\s*\(|\.getScript\s*\(|\bimport\s*\(",
    re.IGNORECASE,
)
_FRAMES = re.compile(r"<iframe\b|createElement\s*\(\s*['\"]iframe", re.IGNORECASE)
_GOES = re.compile(
    r"(?:\blocation(?:\.href)?\s*=(?!=)|\blocation\.(?:replace|assign)\s*\(|\bwindow\.open\s*\()\s*['\"]?\s*(?:https?:)?//"
)
_GIVEN = re.compile(r"[=(,:]\s{0,9}['\"`]((?:(?:https?|wss?):)?//[^'\"`\s]{4,300})")
"""An address that is given to something, and does not only stand in a comment."""

_FROM_SEARCH = re.compile(
    r"\.referrer\b.{0,400}(?:google|bing|yahoo|yandex|baidu)|(?:google|bing|yahoo).{0,400}\.referrer\b", re.DOTALL
)
_PHONE = re.compile(
    r"userAgent.{0,300}(?:android|iphone|ipad|mobile)|(?:android|iphone).{0,300}userAgent", re.IGNORECASE | re.DOTALL
)
_MINES = re.compile(
    r"new\s+(?:CoinHive|CoinImp|Client|deepMiner|CRLT|Miner|CryptoLoot|WebMiner|PublicoinMiner)\.(?:Anonymous|User|Token)\s*\("
    r"|(?:coin-?hive|webminepool|crypto-?loot|minero\.cc|jsecoin|coinimp|deepminer|webminerpool|monerominer|cryptonight)"
    r"[\w.-]{0,30}\.(?:js|com|cc|wasm|pro|pw|net)\b|startMining\s*\(|cryptonight(?:_hash|-?wasm)|stratum\+(?:tcp|ssl)://",
    re.IGNORECASE,
)
_COPIES = re.compile(r"clipboard\.writeText\s*\(|execCommand\s*\(\s*['\"]copy")
_COMMAND = re.compile(
    r"powershell|\bmshta\b|cmd(?:\.exe)?\s*/[ck]|msiexec|\biex\b|Invoke-(?:Expression|WebRequest)|\bcertutil\b|bitsadmin"
    r"|curl\s[^|\n]{1,200}\|\s*(?:ba|z)?sh|\brundll32\b|-e(?:nc|ncodedcommand)\b\s+[A-Za-z0-9+/]{20}",
    re.IGNORECASE,
)
_PERSUADES = re.compile(
    r"(?:Win|Windows)(?:\s*Key)?\s*\+\s*R|verif(?:y|ication)|captcha|robot|human|update|fix it|terminal|paste",
    re.IGNORECASE,
)
_UPDATE = re.compile(
    r"(?:update|upgrade)\s+(?:your\s+)?(?:browser|chrome|firefox|edge|safari|flash)"
    r"|(?:chrome|firefox|edge|browser)\s+(?:update|is out of date)"
    r"|out[- ]of[- ]date version of (?:chrome|firefox)",
    re.IGNORECASE,
)
_DOWNLOAD = re.compile(
    r"\.(?:exe|msi|msix|apk|hta|scr|appx|dmg|zip|js)['\"?]|\bdownload\s*=|blob:|createObjectURL", re.IGNORECASE
)
_CHAIN = re.compile(
    r"bsc-dataseed|eth_call|polygon-rpc|data-seed-prebsc|binance\.org:8545|infura\.io|ethers\.providers|web3\.eth\.contract",
    re.IGNORECASE,
)
_RUNS = re.compile(
    r"\beval\s*\(|new\s+Function\s*\(|\bFunction\s*\(\s*['\"]|setTimeout\s*\(\s*[\w$.]{1,40}\.responseText"
)
_ANSWER = re.compile(
    r"\b(?:eval|new Function)\s*\(\s*(?:[\w$]{1,40}\.)?(?:responseText|response)\b"
    r"|\.then\(\s*(?:eval\b|[\w$]{1,9}\s*=>\s*eval\b)"
)
_BOT = re.compile(r"api\.telegram\.org/?(?:bot|['\"]|\$)|discord(?:app)?\.com/api/webhooks", re.IGNORECASE)
_TYPED = re.compile(r"password|passwd|\bcard|\bcvv|\blogin|\bemail|\bpin\b|\botp\b", re.IGNORECASE)
_PASSWORD = re.compile(
    r"type\s*=\s*[\\'\"]{0,2}password|#pwd|user_pass|\[name=[\\'\"]{0,2}(?:pwd|password|log)\b|getElementById\(\s*['\"](?:user_)?pass",
    re.IGNORECASE,
)
_WORKER = re.compile(
    r"^\s*(?:['\"]use strict['\"];?\s*)?(?:(?:self|var|let|const)\b[^\n]{0,200}\n\s*){0,4}importScripts\s*\(\s*['\"]https?://"
)
_MANY_SIGNS = 4

TRIGGERS = re.compile(
    rb"Image|sendBeacon|WebSocket|XMLHttpRequest|fetch|createElement|location|eval|Function|clipboard|telegram|importScripts"
    rb"|Miner|oin[Hh]ive|stratum|write|innerHTML|discord|execCommand"
)
"""Without one of these a script does nothing to a visitor."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A rule that fits a script.

    Attributes:
        offset: where in its text; layer: how deep that was hidden.
    """

    rule: str
    offset: int = 0
    layer: int = 0
    detail: str = ""


def seen(code: str, layers: Sequence[Layer]) -> Iterator[Seen]:
    """Yields what a script does.

    Args:
        code: as it stands in the file.
        layers: what is hidden in it.
    """
    lower = code.lower()
    yield from _plain(code, lower, 0, _given(code), hidden=False)
    for layer in layers:
        hosts = {host for host in hosts_in(layer.text) if host not in lower}
        yield from _plain(layer.text, layer.text.lower(), layer.depth, hosts, hidden=True)
        yield from _hidden(code, layer, hosts)


def _given(code: str) -> set[str]:
    """Returns the strangers that a script names where it does something with them."""
    return {host for found in _GIVEN.finditer(code) for host in hosts_in(found[1] + " ")}


def _hidden(code: str, layer: Layer, hosts: set[str]) -> Iterator[Seen]:
    """Yields what a hidden text does that would be ordinary if it were not hidden."""
    detail = ", ".join(sorted(hosts))
    whole = layer.text if not layer.is_run else f"{layer.text}\n{code}"
    loads = _LOADS.search(whole)
    goes = _GOES.search(layer.text)
    if hosts and goes is not None:
        yield Seen("script_redirects_hidden", goes.start(), layer.depth, detail)
    elif hosts and loads is not None:
        yield Seen("script_loads_hidden_script", 0, layer.depth, detail)
    elif layer.is_run and (_LOADS.search(layer.text) or _FRAMES.search(layer.text)):
        yield Seen("script_writes_decoded", 0, layer.depth, detail)


def _plain(text: str, lower: str, depth: int, hosts: set[str], *, hidden: bool) -> Iterator[Seen]:
    for rule, words, told in _WORDS:
        if not any(word in lower for word in words):
            continue
        first = told[0].search(text)
        if first is not None and all(pattern.search(text) for pattern in told[1:]):
            yield Seen(rule, first.start(), depth)
    if hosts:
        yield from _to_strangers(text, depth, ", ".join(sorted(hosts)), hidden=hidden)


_WORDS: Sequence[tuple[str, tuple[str, ...], tuple[re.Pattern[str], ...]]] = (
    (
        "script_mines",
        (
            *(
                "coinhive",
                "coin-hive",
                "coinimp",
                "deepminer",
                "crypto-loot",
                "cryptoloot",
                "webminepool",
                "minero.cc",
            ),
            *("jsecoin", "webminerpool", "monerominer", "cryptonight", "startmining", "stratum+", ".anonymous("),
        ),
        (_MINES,),
    ),
    ("script_gives_commands", ("clipboard.writetext", "execcommand"), (_COPIES, _COMMAND, _PERSUADES)),
    (
        "script_runs_from_chain",
        ("dataseed", "eth_call", "polygon-rpc", "binance.org", "infura.io", "ethers.providers", "web3.eth"),
        (_CHAIN, _RUNS),
    ),
    ("script_tells_bot", ("api.telegram.org", "/api/webhooks"), (_BOT, _TYPED, _SENDS)),
)
"""Rule, words without one of which it cannot fit, and what must all be there."""


def _to_strangers(text: str, depth: int, hosts: str, *, hidden: bool) -> Iterator[Seen]:
    goes = _GOES.search(text)
    if goes is not None and _FROM_SEARCH.search(text):
        yield Seen("script_redirects_searchers", goes.start(), depth, hosts)
    elif goes is not None and _PHONE.search(text):
        yield Seen("script_redirects_phones", goes.start(), depth, hosts)
    if _UPDATE.search(text) and _DOWNLOAD.search(text):
        yield Seen("script_fakes_update", 0, depth, hosts)
    if _ANSWER.search(text):
        yield Seen("script_runs_answer", 0, depth, hosts)
    if _WORKER.match(text):
        yield Seen("script_worker_of_stranger", 0, depth, hosts)
    sends = _SENDS.search(text)
    if sends is None:
        return
    if _PASSWORD.search(text) and _VALUE.search(text):
        yield Seen("script_takes_logins", sends.start(), depth, hosts)
    yield from _payments(text, Seen("script_sends_card_data", sends.start(), depth, hosts), hidden=hidden)


def _payments(text: str, sends: Seen, *, hidden: bool) -> Iterator[Seen]:
    cards = {found[0].lower() for found in _CARD.finditer(text)}
    signs = (
        len(cards) > 1,
        bool(_CHECKOUT.search(text) and _LOCATION_TEST.search(text)),
        _ALL_FIELDS.search(text) is not None,
        _PACKS.search(text) is not None,
        _LISTENS.search(text) is not None,
        _VALUE.search(text) is not None,
    )
    if not (cards or signs[1]) or not (signs[2] or signs[5]):
        return
    if sum(signs) >= _MANY_SIGNS or (hidden and sum(signs) >= _MANY_SIGNS - 1):
        yield Seen("script_skims_payments", sends.offset, sends.layer, sends.detail)
    elif len(cards) > 1 or (cards and hidden):
        yield sends
