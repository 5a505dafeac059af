"""Where things are: the repository, the tools, the folder measurements happen in."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "target" / "bench"
TOOLS = BENCH / "tools"
TARBALLS = BENCH / "tarballs"
RESULTS = BENCH / "results.json"
DOCS = ROOT / "docs" / "benchmarks.md"
COMPARED = ROOT / "docs" / "check-compared.md"
NOTICES = ROOT / "docs" / "benchmarks-notices.md"
POPULAR = ROOT / "docs" / "benchmarks-popular.md"
RECALL = ROOT / "corpus" / "guarddog.md"

# What is measured: copies, so that a build meanwhile changes nothing.
WEIR = BENCH / "bin" / "weir"
CONTENTS = BENCH / "bin" / "contents"
BUILT_WEIR = ROOT / "target" / "release" / "weir"
BUILT_CONTENTS = ROOT / "target" / "release" / "examples" / "contents"
# The same as `cargo dev release` builds them; what cargo builds of itself is measured beside them.
PROFILED = ROOT / "target" / "release-profiled"
PLAIN_CONTENTS = BENCH / "bin" / "contents-plain"

BUN = TOOLS / "bun" / "node_modules" / ".bin" / "bun"
VERDACCIO = TOOLS / "verdaccio" / "node_modules" / ".bin" / "verdaccio"
PNPM = TOOLS / "pnpm-10" / "node_modules" / ".bin" / "pnpm"
LOCKFILE_LINT = TOOLS / "lint" / "node_modules" / ".bin" / "lockfile-lint"
GUARDDOG = TOOLS / "guarddog" / "bin" / "python"

# node_modules, caches and the storage of two registries at a time, with a margin.
ROOM_FOR_WORK = 6 << 30


def work_folder() -> Path:
    """A fresh folder for this run: in memory where there is room, else below target/bench."""
    shared = Path("/dev/shm")
    in_memory = shared.is_dir() and shutil.disk_usage(shared).free > 2 * ROOM_FOR_WORK
    parent = shared if in_memory and _available_memory() > ROOM_FOR_WORK else BENCH / "work"
    folder = parent / f"weir-bench-{os.getpid()}"
    folder.mkdir(parents=True)
    return folder


def fresh(folder: Path) -> Path:
    """The folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _available_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0
