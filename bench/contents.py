"""From tarball to facts on one core: weir over everything, and beside guarddog over a sample."""

import json
import shutil
from pathlib import Path

import machine
import places
import services
import tarballs
import tools
from figures import median
from processes import run

# guarddog reads some two megabytes a second (PEERS section 8).
GUARDDOG_LIMIT = 3600.0
WEIR_LIMIT = 900.0


def measure(options, work: Path) -> dict:
    """The part `contents`."""
    built = tools.build_contents(options)
    plain = tools.build_plain_contents(options) if options.profiled else None
    tools.guarddog()
    every = tarballs.ensure()
    sample = every if options.full else sampled(every, options.sample)
    machine.wait_for_quiet(options.quiet)
    found = {"built": built, "all": [], "sample_size": len(sample), "sample": [], "loads": []}
    if plain:
        found["plain"] = {"built": plain, "all": []}
    for number in range(options.rounds):
        found["loads"].append(machine.load())
        found["all"].append(weir(every, work))
        found["sample"].append(weir(sample, work))
        if plain:
            found["plain"]["all"].append(weir(every, work, places.PLAIN_CONTENTS))
        print(f"contents, round {number + 1}: weir {_speed(found['all'][-1])}", flush=True)
        if number == 0:
            # Between weir's rounds, so that both see the same hour of the machine.
            found["guarddog"] = guarddog(sample, work)
            print(f"contents: guarddog {_speed(found['guarddog'])}", flush=True)
    found["javascript_mb_per_second"] = median(
        one["javascript_mb_per_second"] for one in found["all"])
    if plain:
        found["plain"]["javascript_mb_per_second"] = median(
            one["javascript_mb_per_second"] for one in found["plain"]["all"])
    found["unpacked_mb_per_second"] = median(one["unpacked_mb_per_second"] for one in found["all"])
    found["peak_rss_bytes"] = max(one["peak_rss_bytes"] or 0 for one in found["all"])
    found["javascript_mb_per_cpu_second"] = median(
        one["javascript_bytes"] / 1e6 / one["cpu_seconds"] for one in found["all"])
    found["ratio"] = found["guarddog"]["seconds"] / median(
        one["seconds"] for one in found["sample"])
    found["ratio_by_cpu"] = found["guarddog"]["cpu_seconds"] / median(
        one["cpu_seconds"] for one in found["sample"])
    return found


def sampled(every: list[Path], count: int) -> list[Path]:
    """So many tarballs, evenly spread over the order of their sizes; the same each time."""
    by_size = sorted(every, key=lambda file: (file.stat().st_size, file.name))
    count = min(count, len(by_size))
    return [by_size[int((index + 0.5) * len(by_size) / count)] for index in range(count)]


def _pinned() -> list:
    """One core, and not the first, which takes most interrupts."""
    return ["taskset", "-c", "1"] if shutil.which("taskset") else []


def weir(files: list[Path], work: Path, program: Path = places.CONTENTS) -> dict:
    """The example of weir-engine that does what a worker process does."""
    listed = work / "tarballs.txt"
    listed.write_text("".join(f"{file}\n" for file in files))
    command = [*_pinned(), program, "--list", listed]
    return _figures(run(command, work, services.environment(), WEIR_LIMIT))


def guarddog(files: list[Path], work: Path, each: bool = False) -> dict:
    """guarddog in one process, so that its start is not counted for every archive. `each` asks for
    the score of every one."""
    listed = work / "tarballs.txt"
    listed.write_text("".join(f"{file}\n" for file in files))
    command = [*_pinned(), places.GUARDDOG, Path(__file__).parent / "guarddog_scan.py", listed,
               *(["each"] if each else [])]
    environment = services.environment(TMPDIR=work)
    return _figures(run(command, work, environment, GUARDDOG_LIMIT))


def _figures(ran) -> dict:
    """What the program printed last, with its processor time: on a busy machine a core is shared,
    and then the time that passed says more about the others."""
    found = json.loads(ran.output.splitlines()[-1])
    found["cpu_seconds"] = ran.cpu_seconds
    return found


def _speed(one: dict) -> str:
    speed = f"{one['packages']} packages in {one['seconds']:.1f} s"
    if "javascript_mb_per_second" in one:
        speed += f", {one['javascript_mb_per_second']:.1f} MB/s of JavaScript"
    return speed + f", peak {(one['peak_rss_bytes'] or 0) / 1e6:.0f} MB"
