"""The three reference projects (PEERS section 6): real lockfiles of about a thousand packages."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import places
from processes import Failed

NAMES = ["nest-prisma", "next-tanstack", "vite-vue-storybook"]


@dataclass(frozen=True)
class Release:
    """One release a lockfile pins."""

    name: str
    version: str
    integrity: str
    resolved: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def file(self) -> str:
        """The name of its tarball in target/bench/tarballs."""
        return f"{self.name.replace('/', '+')}-{self.version}.tgz"


def folder() -> Path:
    """The folder that holds the projects."""
    configured = os.environ.get("WEIR_PROJECTS")
    found = Path(configured) if configured else places.ROOT.parent / "shared" / "projects"
    if not all((found / name / "package-lock.json").is_file() for name in NAMES):
        raise Failed(f"no reference projects in {found}; WEIR_PROJECTS names their folder")
    return found


def releases(names=None) -> list[Release]:
    """Every release the package-lock.json files pin, each once, in the order of their names."""
    found = {}
    for project in names or NAMES:
        lock = json.loads((folder() / project / "package-lock.json").read_text())
        for path, entry in lock["packages"].items():
            if path and "integrity" in entry:
                # An alias (`npm:`) has its real name in the entry, others in the path.
                name = entry.get("name") or path.rpartition("node_modules/")[2]
                release = Release(name, entry["version"], entry["integrity"], entry["resolved"])
                found[(name, entry["version"])] = release
    return [found[key] for key in sorted(found)]


def copy(project: str, into: Path, client: str) -> Path:
    """A fresh copy with the lockfile of one client only; `into` is replaced."""
    places.fresh(into)
    lockfile = {"npm": "package-lock.json", "bun": "bun.lock"}[client]
    for file in ("package.json", lockfile):
        shutil.copyfile(folder() / project / file, into / file)
    return into
