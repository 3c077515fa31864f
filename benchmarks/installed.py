"""What the benchmarks run besides Python: Debian packages by name, installed where this is root, and C programs."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

PATHS = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
"""Debian keeps servers where a plain user's PATH does not look."""

PACKAGES = {
    "nginx": "nginx-light",
    "prometheus": "prometheus",
    "prometheus-blackbox-exporter": "prometheus-blackbox-exporter",
    "gcc": "gcc",
    "/usr/include/openssl/ssl.h": "libssl-dev",
}
"""Program, or a file where there is no program → the Debian package that holds it."""

SERVICES_STAY_OFF = Path("/usr/sbin/policy-rc.d")
"""Where it exists and ends with 101, Debian starts no service of a package that it installs."""


def provide(*programs: str) -> Mapping[str, str]:
    """Sees to it that programs are there, and returns their paths. Ends the process where that cannot be done."""
    missing = sorted({PACKAGES[program] for program in programs if _path(program) is None})
    if missing:
        _install(missing)
    return {program: _path(program) or _give_up([PACKAGES[program]]) for program in programs}


def _path(program: str) -> str | None:
    if program.startswith("/"):
        return program if Path(program).exists() else None
    return shutil.which(program, path=PATHS)


def _install(packages: Sequence[str]) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        _give_up(packages)
    print(f"installing {' '.join(packages)}", file=sys.stderr)
    with _services_stay_off():
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            done = subprocess.run(  # noqa: S603  # the packages are those of the table above
                ["apt-get", *command],  # noqa: S607  # as root, whose PATH is root's own
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                stdout=subprocess.DEVNULL,
                check=False,
            )
            if done.returncode:
                _give_up(packages)
    if shutil.which("systemctl"):
        for package in packages:  # not at the next boot either
            service = package.removesuffix("-light")
            subprocess.run(  # noqa: S603  # as above
                ["systemctl", "disable", "--quiet", service],  # noqa: S607  # as above
                stderr=subprocess.DEVNULL,
                check=False,
            )


@contextmanager
def _services_stay_off() -> Iterator[None]:
    if SERVICES_STAY_OFF.exists():
        yield
        return
    SERVICES_STAY_OFF.write_text("#!/bin/sh\nexit 101\n")
    SERVICES_STAY_OFF.chmod(0o755)
    try:
        yield
    finally:
        SERVICES_STAY_OFF.unlink()


def _give_up(packages: Sequence[str]) -> NoReturn:
    print(f"This benchmark needs {', '.join(packages)}. As root:", file=sys.stderr)
    print(f"  apt-get update && apt-get install --no-install-recommends {' '.join(packages)}", file=sys.stderr)
    sys.exit(2)


def compiled(source: Path) -> str:
    """Compiles a C file with OpenSSL, unless that very text was compiled before, and returns the program's path."""
    gcc = provide("gcc", "/usr/include/openssl/ssl.h")["gcc"]
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"online-sentry-benchmarks-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        print(f"{folder} is someone else's; remove it", file=sys.stderr)
        sys.exit(2)
    program = folder / f"{source.stem}-{digest}"
    if not program.exists():
        made = program.with_suffix(f".{os.getpid()}")
        options = ["-O2", "-Wall", "-o", str(made), str(source), "-lssl", "-lcrypto"]
        subprocess.run([gcc, *options], check=True)  # noqa: S603  # our own source
        made.rename(program)
    return str(program)
