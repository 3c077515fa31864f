"""The wheel that a user installs: built from the source distribution, whole, and importable by itself."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sentry.data import config_folder

pytestmark = pytest.mark.timeout(120)  # it builds, installs and imports everything, in processes of their own

ROOT = Path(__file__).parents[3]
PACKAGES = ("sentry", "probes", "scanners", "alerting")

IMPORT_EVERYTHING = """
import importlib, importlib.metadata, json, pkgutil, sys
files = {}
for name in ("sentry", "probes", "scanners", "alerting"):
    package = importlib.import_module(name)
    files[name] = package.__file__
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not module.name.startswith("sentry.store.migrations"):  # Alembic runs these
            files[module.name] = importlib.import_module(module.name).__file__
from sentry.data import config_folder
files["config"] = str(config_folder() / "README.md")
json.dump({"files": files, "owners": importlib.metadata.packages_distributions()}, sys.stdout)
"""


def run(*arguments: str, cwd: Path, pythonpath: Path | None = None) -> str:
    """Runs this interpreter without a network and returns what it printed."""
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if pythonpath:
        environment["PYTHONPATH"] = str(pythonpath)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution as an installer does."""
    folder = tmp_path_factory.mktemp("dist")
    run("-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    """The paths inside the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def test_wheel_holds_every_file_of_the_packages_and_the_data(contents: set[str]) -> None:
    """Code, templates, translations, migrations and `config/` travel; nothing else does."""
    inside = {name for name in contents if ".dist-info/" not in name}
    code = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    data = {
        f"sentry/_config/{path.relative_to(ROOT / 'config')}"
        for path in (ROOT / "config").rglob("*")
        if path.is_file()
    }
    assert inside == code | data


@pytest.mark.parametrize("part", ["sentry/reports/templates/", "sentry/reports/locale/", "sentry/store/migrations/"])
def test_wheel_holds_what_is_read_at_run_time(contents: set[str], part: str) -> None:
    """The folders that code reads but never imports are there."""
    assert any(name.startswith(part) for name in contents)


def test_wheel_metadata_forbid_upload_and_carry_the_licence(wheel: Path, contents: set[str]) -> None:
    """An upload by mistake is refused by the index, and the licence travels."""
    (metadata,) = (name for name in contents if name.endswith(".dist-info/METADATA"))
    with zipfile.ZipFile(wheel) as archive:
        assert b"Classifier: Private :: Do Not Upload" in archive.read(metadata)
    assert any(name.endswith("licenses/LICENSE") for name in contents)


def test_wheel_installed_elsewhere_imports_every_module(wheel: Path, tmp_path: Path) -> None:
    """From another folder, without the checkout, each module imports and the data are found."""
    target = tmp_path / "site"
    pip = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    run(*pip, cwd=tmp_path)
    found = json.loads(run("-W", "error", "-c", IMPORT_EVERYTHING, cwd=tmp_path, pythonpath=target))
    files = found["files"]
    assert {"sentry.ports", "sentry.domain.health", "probes", "alerting", "scanners"} <= files.keys()
    outside = {name: file for name, file in files.items() if file and not Path(file).is_relative_to(target)}
    assert outside == {}
    # The names exist on the package index too: none of them may come from another distribution.
    assert {name: set(found["owners"][name]) for name in PACKAGES} == {name: {"online-sentry"} for name in PACKAGES}


def test_config_folder_in_a_checkout_is_the_one_of_the_checkout() -> None:
    """The same function that finds the data in a wheel finds them here."""
    assert config_folder() == ROOT / "config"
