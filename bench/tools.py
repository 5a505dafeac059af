"""Installs what the measurements compare with, each through its ordinary client."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import machine
import places
from processes import Failed

BUN_VERSION = "1.4.5"
VERDACCIO_VERSION = "6.8.0"
PNPM_VERSION = "10.34.8"
LOCKFILE_LINT_VERSION = "5.0.1"
GUARDDOG_VERSION = "3.2.0"


def build_weir(options) -> str:
    """Builds weir and sets a copy aside; says what exactly was built."""
    return _build(options, ["-p", "weir"], places.BUILT_WEIR, places.WEIR)


def build_contents(options) -> str:
    """The same for the example that measures contents."""
    words = ["-p", "weir-engine", "--example", "contents"]
    return _build(options, words, places.BUILT_CONTENTS, places.CONTENTS)


def _build(options, words: list, built: Path, copy: Path) -> str:
    """The program's identity: where it comes from when it was built here, and its digest."""
    origin = "built before, revision not known"
    if not options.no_build:
        origin = machine.revision()
        _do(f"building {copy.name}", ["cargo", "build", "--release", *words])
        if machine.revision() != origin:
            origin = "built while the sources changed"
    if not built.is_file():
        raise Failed(f"{built} is not there")
    copy.parent.mkdir(parents=True, exist_ok=True)
    # A running program cannot be written to, but replaced.
    part = copy.with_suffix(".part")
    shutil.copy2(built, part)
    os.replace(part, copy)
    digest = hashlib.sha256(copy.read_bytes()).hexdigest()[:12]
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(built.stat().st_mtime))
    return f"{origin}, {when}, sha256 {digest}"


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


def pnpm() -> None:
    """pnpm, from npm."""
    if not places.PNPM.exists():
        _npm("pnpm-10", {"pnpm": PNPM_VERSION}, {})


def lockfile_lint() -> None:
    """lockfile-lint, from npm."""
    if not places.LOCKFILE_LINT.exists():
        # Not in a folder of its own name: npm takes that for the package itself.
        _npm("lint", {"lockfile-lint": LOCKFILE_LINT_VERSION}, {})


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
