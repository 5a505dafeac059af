"""`weir check` on whole projects, and beside lockfile-lint on the rules that both have."""

import json
import shutil
from pathlib import Path

import machine
import places
import projects
import services
import tools
from figures import median
from processes import run

# What each client calls its lockfile, and what it is called among the projects.
FORMATS = {
    "npm": ("package-lock.json", "package-lock.json"),
    "yarn 1": ("yarn-v1.lock", "yarn.lock"),
    "yarn 4": ("yarn-berry.lock", "yarn.lock"),
    "pnpm": ("pnpm-lock.yaml", "pnpm-lock.yaml"),
    "bun": ("bun.lock", "bun.lock"),
}

# What lockfile-lint reads at all (5.0.1: npm's and yarn's), by its own name for it.
SHARED = {"npm": "npm", "yarn 1": "yarn"}

# The rules that both have: https, digests, names, hosts. weir always checks all of its rules.
RULES = ["--validate-https", "--validate-integrity", "--validate-package-names"]

# Enough that one late wake-up does not count.
LEAST_ROUNDS = 10
LIMIT = 120.0


def measure(options, work: Path) -> dict:
    """The part `check`."""
    built = tools.build_weir(options)
    tools.lockfile_lint()
    machine.wait_for_quiet(options.quiet)
    rounds = max(options.rounds, LEAST_ROUNDS)
    found = {"built": built, "rounds": rounds, "cases": []}
    for project in options.projects:
        for client in FORMATS:
            found["cases"].append(_case(project, client, rounds, work))
            print(f"check: {_told(found['cases'][-1])}", flush=True)
    return found


def _case(project: str, client: str, rounds: int, work: Path) -> dict:
    """One lockfile, in turn with lockfile-lint where that can read it."""
    source, name = FORMATS[client]
    folder = places.fresh(work / "check")
    for file, into in (("package.json", "package.json"), (source, name)):
        shutil.copy2(projects.folder() / project / file, folder / into)
    host = _host(folder / name)
    # A registry that the lockfile is from, and nothing to be looked up.
    (folder / ".npmrc").write_text(f"registry=https://{host}/\n")
    ours = [*services.weir_options(work, work / "check-data", False), "check", folder, "--offline",
            "--json"]
    lint = None
    if client in SHARED:
        lint = [places.LOCKFILE_LINT, "--path", folder / name, "--type", SHARED[client], *RULES,
                "--allowed-hosts", host]
    times, theirs, packages = [], [], 0
    # One to warm the page cache, not counted.
    for number in range(rounds + 1):
        ran = run(ours, work, services.environment(), LIMIT, accept=(0, 5))
        packages = json.loads(ran.output)["lockfiles"][0]["packages"]
        if number:
            times.append(ran.seconds)
        if lint:
            ran = run(lint, work, services.environment(), LIMIT)
            if number:
                theirs.append(ran.seconds)
    case = {"project": project, "client": client, "packages": packages,
            "seconds": median(times), "most": max(times)}
    if theirs:
        case["lockfile_lint"] = median(theirs)
        case["ratio"] = median(their / our for our, their in zip(times, theirs))
    return case


def _host(lockfile: Path) -> str:
    """The host that the lockfile's first address names; any, where it has none."""
    text = lockfile.read_text()
    _, found, rest = text.partition("https://")
    return rest.split("/")[0] if found else "registry.example.invalid"


def _told(case: dict) -> str:
    beside = f", lockfile-lint {case['lockfile_lint'] * 1000:.0f} ms" if "ratio" in case else ""
    return f"{case['project']} {case['client']}: {case['seconds'] * 1000:.0f} ms{beside}"
