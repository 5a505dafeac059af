"""What the figures were measured on, so that others can judge theirs against it."""

import datetime
import os
import platform
import subprocess
import time
from pathlib import Path

import places


def describe() -> dict:
    """The machine's shape and the versions of everything that took part."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "cpu": _field("/proc/cpuinfo", "model name", ":"),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": _field("/etc/os-release", "PRETTY_NAME", "=").strip('"'),
        "kernel": platform.release(),
        "versions": {
            "node": _version(["node", "--version"]),
            "npm": _version(["npm", "--version"]),
            "bun": _version([places.BUN, "--version"]),
            "verdaccio": _version([places.VERDACCIO, "--version"]),
            "guarddog": _version([
                places.GUARDDOG, "-c",
                "import importlib.metadata as m; print(m.version('guarddog'))",
            ]),
            "pnpm": _version([places.PNPM, "--version"]),
            "lockfile-lint": _version([places.LOCKFILE_LINT, "--version"]),
            "wrk": _version(["wrk", "--version"]).removeprefix("wrk ").split(" [")[0],
        },
    }


def load() -> float:
    """The load of the last minute: how much else was running."""
    return round(os.getloadavg()[0], 2)


def wait_for_quiet(limit: float) -> None:
    """Waits until little else runs, at most so many seconds."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and load() > 0.5:
        print(f"  waiting for a quiet machine, load {load()}", flush=True)
        time.sleep(10)


def _field(path: str, key: str, separator: str) -> str:
    for line in Path(path).read_text().splitlines():
        name, found, value = line.partition(separator)
        if found and name.strip() == key:
            return value.strip()
    return "unknown"


def _version(command) -> str:
    try:
        ran = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, timeout=30, check=False
        )
    except OSError:
        return "absent"
    lines = (ran.stdout or ran.stderr).strip().splitlines()
    return lines[0].strip() if lines else "unknown"


def revision() -> str:
    """The commit the sources are at, and whether they have changed since."""
    git = ["git", "-C", str(places.ROOT)]
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--", "crates", "Cargo.lock"],
        capture_output=True, text=True, check=False,
    ).stdout.strip()
    commit = _version([*git, "rev-parse", "--short", "HEAD"])
    return commit + (" with changes" if changed else "")
