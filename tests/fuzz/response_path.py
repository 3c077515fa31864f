"""Fuzzes the response path: `python -m tests.fuzz.response_path --minutes 10`; docs/fuzzing.md says more."""

import argparse
import random
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.fuzz.corpus import keep, seeds
from tests.fuzz.invariants import BrokenInvariantError, Signature, check
from tests.fuzz.mutation import Mutator

PROGRESS_EVERY_S = 30.0
MAX_POOL = 4000


@dataclass
class Campaign:
    """One run of mutated responses against the invariants, guided by new kinds of outcome.

    Attributes:
        findings: by where it broke, the first input that broke it there.
    """

    chance: random.Random
    keep_in: Path
    pool: list[bytes] = field(default_factory=lambda: list(seeds().values()))
    kinds: set[Signature] = field(default_factory=set)
    findings: dict[str, bytes] = field(default_factory=dict)
    executions: int = 0

    def run(self, enough: Callable[[], bool]) -> None:
        """Mutates and checks until it is enough."""
        for seed in tuple(self.pool):
            self.try_one(seed)
        mutator = Mutator(self.chance)
        while not enough():
            # Half of the time one of the newest: what took a new way is where further ones begin.
            among = self.pool if self.chance.random() < 0.5 else self.pool[-50:]
            self.try_one(mutator.changed(self.chance.choice(among), self.chance.choice(self.pool)))

    def try_one(self, data: bytes) -> None:
        """Checks one input; keeps it where it breaks an invariant or takes a new way."""
        self.executions += 1
        try:
            kind = check(data)
        except Exception as error:  # noqa: BLE001  # whatever comes out is what is looked for
            self._note(data, error)
            return
        if kind not in self.kinds and len(self.pool) < MAX_POOL:
            self.kinds.add(kind)
            self.pool.append(data)
            keep(data, self.keep_in / "new", "way")

    def _note(self, data: bytes, error: Exception) -> None:
        where = _where(error)
        if where not in self.findings or len(data) < len(self.findings[where]):
            if where not in self.findings:
                sys.stdout.write(f"\nFOUND {where}\n{error}\nin {keep(data, self.keep_in / 'broken', 'input')}\n")
            self.findings[where] = data


def _where(error: Exception) -> str:
    if isinstance(error, BrokenInvariantError):
        told = " / ".join(line.partition(",")[0] for line in str(error).splitlines())
        return re.sub(r"\d[\d.,]*", "#", told)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a campaign and prints what it found.

    Returns:
        0 where nothing broke, else 1.
    """
    options = _parser().parse_args(arguments)
    campaign = Campaign(random.Random(options.seed), options.keep)  # noqa: S311  # not for secrets
    began = time.monotonic()
    told = count(1)
    next_told = PROGRESS_EVERY_S

    def enough() -> bool:
        nonlocal next_told
        ran_s = time.monotonic() - began
        if ran_s > next_told:
            next_told = PROGRESS_EVERY_S * (next(told) + 1)
            sys.stdout.write(f"{ran_s:5.0f} s: {_summary(campaign)}\n")
            sys.stdout.flush()
        return ran_s > float(options.minutes) * 60

    campaign.run(enough)
    sys.stdout.write(f"seed {options.seed}, {time.monotonic() - began:.0f} s: {_summary(campaign)}\n")
    for where, data in campaign.findings.items():
        sys.stdout.write(f"  {where}: {keep(data, options.keep / 'broken', 'smallest')}\n")
    return 1 if campaign.findings else 0


def _summary(campaign: Campaign) -> str:
    return (
        f"{campaign.executions:,} inputs, {len(campaign.kinds)} kinds of outcome, {len(campaign.findings)} findings"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.response_path", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the mutations; printed")  # noqa: S311  # no secret
    parser.add_argument(
        "--keep",
        type=Path,
        default=Path(tempfile.gettempdir()) / "response-fuzz",
        help="folder for what breaks and for what takes a new way",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
