"""The same, guided by coverage with atheris: `pip install atheris; python -m tests.fuzz.guided --minutes 10`."""

import argparse
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.fuzz.corpus import keep, seeds


def main() -> None:
    """Runs libFuzzer on the invariants until the time is over or one is broken; the input is then in `broken`."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long")
    parser.add_argument(
        "--keep",
        type=Path,
        default=Path(tempfile.gettempdir()) / "response-fuzz-guided",
        help="folder for the corpus that grows and for what breaks",
    )
    options = parser.parse_args()
    corpus, broken = options.keep / "corpus", options.keep / "broken"
    broken.mkdir(parents=True, exist_ok=True)
    for data in seeds().values():
        keep(data, corpus, "seed")
    atheris: Any = import_module("atheris")  # no dependency of the tests, so it is not imported above
    with atheris.instrument_imports(include=["probes"]):
        check = import_module("tests.fuzz.invariants").check
    flags = [f"-max_total_time={options.minutes * 60:.0f}", "-max_len=20000", f"-artifact_prefix={broken}/"]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], lambda data: check(data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
