"""Packages as they are published, made in a test: zip, tar and deb, and a small system with a plugin and a theme."""

import io
import lzma
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

VERSION_PHP = b"<?php\n$wp_version = '6.1.9';\n"
PLUGIN_PHP = b"<?php\n/*\nPlugin Name: Contact\nVersion: 2.1\n*/\nadd_action('init', 'contact');\n"
STYLE_CSS = b"/*\nTheme Name: Simple\nVersion: 1.4\n*/\nbody { margin: 0 }\n"

WORDPRESS: Mapping[str, bytes] = {
    "wp-includes/version.php": VERSION_PHP,
    "wp-includes/load.php": b"<?php\nfunction load($what) {\n    return $what;\n}\n",
    "wp-admin/index.php": b"<?php\necho 'admin';\n",
    "index.php": b"<?php\nrequire 'wp-includes/load.php';\n",
    "readme.html": b"<h1>WordPress</h1>\n",
    "wp-content/plugins/contact/contact.php": PLUGIN_PHP,
    "wp-content/plugins/contact/form.js": b"send();\n",
    "wp-content/themes/simple/style.css": STYLE_CSS,
    "wp-content/themes/simple/index.php": b"<?php get_header();\n",
}


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """Returns a zip."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


def tar_of(files: Mapping[str, bytes], links: Mapping[str, str] | None = None, mode: str = "w") -> bytes:
    """Returns a tar; `mode` as in the standard library, e.g. `w:gz`."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode=mode) as archive:  # type: ignore[call-overload]  # any mode that writes
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return whole.getvalue()


def deb_of(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    """Returns a deb with a maintainer's script that nobody may run."""
    control = tar_of({"./postinst": b"#!/bin/sh\nexit 1\n"})
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": lzma.compress(control),
        "data.tar.xz": lzma.compress(tar_of({f"./{name}": content for name, content in files.items()}, links)),
    }
    return b"!<arch>\n" + b"".join(
        f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(part):<10}`\n".encode() + part + b"\n" * (len(part) % 2)
        for name, part in parts.items()
    )


def written(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Writes files below a folder, and returns it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
