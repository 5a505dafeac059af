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


CONTENTS_WORDS = ["-p", "weir-engine", "--example", "contents"]


def build_weir(options) -> str:
    """Builds weir and sets a copy aside; says what exactly was built."""
    if options.profiled:
        return _build_profiled(options, places.WEIR)
    return _build(options, ["-p", "weir"], places.BUILT_WEIR, places.WEIR)


def build_contents(options) -> str:
    """The same for the example that measures contents."""
    if options.profiled:
        return _build_profiled(options, places.CONTENTS)
    return _build(options, CONTENTS_WORDS, places.BUILT_CONTENTS, places.CONTENTS)


def build_plain_contents(options) -> str:
    """That example without a profile, to measure it beside the one that has one."""
    return _build(options, CONTENTS_WORDS, places.BUILT_CONTENTS, places.PLAIN_CONTENTS)


def _build_profiled(options, copy: Path) -> str:
    """Both at once, which takes its time, so only once in a run."""
    origin = "built before, revision not known"
    if not options.no_build:
        origin = machine.revision()
        if not _profiled:
            _do("building weir twice, with a profile", ["cargo", "dev", "release"])
            _profiled.append(origin)
        if [machine.revision()] != _profiled:
            origin = "built while the sources changed"
    return _set_aside(f"{origin}, with a profile", places.PROFILED / copy.name, copy)


# The revision that was built with a profile in this run, if one was.
_profiled: list[str] = []


def _build(options, words: list, built: Path, copy: Path) -> str:
    """The program's identity: where it comes from when it was built here, and its digest."""
    origin = "built before, revision not known"
    if not options.no_build:
        origin = machine.revision()
        _do(f"building {copy.name}", ["cargo", "build", "--release", *words])
        if machine.revision() != origin:
            origin = "built while the sources changed"
    return _set_aside(origin, built, copy)


def _set_aside(origin: str, built: Path, copy: Path) -> str:
    """Copies a program that was built, and gives its identity."""
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
        timeout=3600, check=False,
    )
    if ran.returncode != 0:
        raise Failed(f"{what} failed:\n{(ran.stdout + ran.stderr)[-1500:]}")
