"""The tarballs of every release in the three lockfiles, fetched once and checked."""

import base64
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import places
import projects
import services
from processes import Failed

# Addresses given to one npm at a time; npm fetches a batch over a few connections.
BATCH = 40


def ensure() -> list[Path]:
    """Every tarball, in the order of their names. Missing ones are fetched with npm itself, by the
    address in the lockfile, from the registry the user's npm is configured for."""
    places.TARBALLS.mkdir(parents=True, exist_ok=True)
    releases = projects.releases()
    missing = [release for release in releases if not _is_sound(release)]
    cache = places.BENCH / "npm-cache"
    for start in range(0, len(missing), BATCH):
        batch = missing[start:start + BATCH]
        print(f"  fetching tarballs, {len(missing) - start} to go", flush=True)
        command = ["npm", "cache", "add", "--replace-registry-host=always", "--loglevel=error",
                   *(release.resolved for release in batch)]
        ran = subprocess.run(command, cwd=places.BENCH, capture_output=True, text=True,
                             env=services.environment(npm_config_cache=cache), timeout=900,
                             check=False)
        if ran.returncode != 0:
            raise Failed(f"fetching tarballs failed:\n{ran.stderr[-1500:]}")
        for release in batch:
            _take(cache, release)
    shutil.rmtree(cache, ignore_errors=True)
    return [places.TARBALLS / release.file for release in releases]


def _take(cache: Path, release) -> None:
    """Moves one tarball out of npm's cache, where files are named by their digest."""
    algorithm, digest = _digest(release)
    name = digest.hex()
    held = cache / "_cacache" / "content-v2" / algorithm / name[:2] / name[2:4] / name[4:]
    if not held.is_file():
        raise Failed(f"{release} is not what its lockfile says")
    part = places.TARBALLS / f"{release.file}.part"
    shutil.copyfile(held, part)
    os.replace(part, places.TARBALLS / release.file)
    if not _is_sound(release):
        raise Failed(f"{release} is not what its lockfile says")


def _is_sound(release) -> bool:
    file = places.TARBALLS / release.file
    if not file.is_file():
        return False
    algorithm, digest = _digest(release)
    return hashlib.new(algorithm, file.read_bytes()).digest() == digest


def _digest(release) -> tuple[str, bytes]:
    """The strongest digest of an integrity value."""
    values = [value.split("?")[0].split("-", 1) for value in release.integrity.split()]
    algorithm, encoded = max(values, key=lambda value: hashlib.new(value[0]).digest_size)
    return algorithm, base64.b64decode(encoded)
