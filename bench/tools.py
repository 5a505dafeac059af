"""Installs what the measurements compare with, each through its ordinary client."""

import json
import os
import shutil
import subprocess
import sys

import places
from processes import Failed

BUN_VERSION = "1.4.5"
VERDACCIO_VERSION = "6.8.0"
GUARDDOG_VERSION = "3.2.0"


def build_weir(options) -> None:
    """Builds weir, unless told that it is there."""
    if not options.no_build:
        _do("building weir", ["cargo", "build", "--release", "-p", "weir"])


def build_contents(options) -> None:
    """Builds the example that measures contents, unless told that it is there."""
    if not options.no_build:
        _do("building the contents example",
            ["cargo", "build", "--release", "-p", "weir-engine", "--example", "contents"])


def bun() -> None:
    """bun, from npm."""
    if not places.BUN.exists():
        _npm("bun", {"bun": BUN_VERSION}, {})
        # Puts the platform's program in the place of a stub.
        _do("setting bun up", ["node", "install.js"], places.TOOLS / "bun/node_modules/bun")


def verdaccio() -> None:
    """verdaccio, from npm."""
    if not places.VERDACCIO.exists():
        # verdaccio-audit asks for node-fetch by the tag `cjs`, which mirrors that keep only
        # `latest` do not have (PROTOCOL 3.14); 2.6.7 is what the tag stands for.
        _npm("verdaccio", {"verdaccio": VERDACCIO_VERSION}, {"node-fetch": "2.6.7"})


def guarddog() -> None:
    """guarddog, from PyPI, in an environment of its own."""
    if places.GUARDDOG.exists():
        return
    folder = places.TOOLS / "guarddog"
    _do("creating a Python environment", [sys.executable, "-m", "venv", folder])
    _do("installing guarddog",
        [places.GUARDDOG, "-m", "pip", "install", "-q", f"guarddog=={GUARDDOG_VERSION}"])


def wrk() -> bool:
    """Whether wrk is there, after trying to install it where that needs no password."""
    if shutil.which("wrk"):
        return True
    if shutil.which("apt-get") and os.geteuid() == 0:
        try:
            _do("installing wrk", ["apt-get", "install", "-y", "--no-install-recommends", "wrk"])
        except Failed as error:
            print(f"  {error}")
    return shutil.which("wrk") is not None


def _npm(name: str, dependencies: dict, overrides: dict) -> None:
    folder = places.TOOLS / name
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"private": True, "dependencies": dependencies, "overrides": overrides}
    (folder / "package.json").write_text(json.dumps(manifest))
    _do(f"installing {name}", ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], folder)


def _do(what: str, command, folder=places.ROOT) -> None:
    print(f"  {what} ...", flush=True)
    ran = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True,
        timeout=1800, check=False,
    )
    if ran.returncode != 0:
        raise Failed(f"{what} failed:\n{(ran.stdout + ran.stderr)[-1500:]}")
