"""What weir says of the newest releases of popular packages: whoever is refused one of these will ask why."""

import json
from collections import Counter
from pathlib import Path

import assess
import machine
import places
import services
import tools
from processes import run

# Seconds for each name: several times what reading takes on two cores that do other work too.
LIMIT_PER_NAME = 1.0

NAMES = places.ROOT / "crates" / "weir-signals" / "data" / "popular.txt"

SEVERE = ("high", "critical")


def measure(options, work: Path) -> dict:
    """The part `popular`."""
    built = tools.build_weir(options)
    everything = [line for line in NAMES.read_text().splitlines() if line and not line.startswith("#")]
    names = _spread(everything, options.names)
    listed = work / "names.txt"
    listed.write_text("".join(f"{name}\n" for name in names))
    data = places.fresh(work / "data-popular")
    print(f"popular: {len(names)} of {len(everything)} names, load {machine.load()}", flush=True)
    command = [*services.weir_options(work, data, observe=False), "inspect", "--json", "--from", listed]
    # 1: a name of the list is gone by now; above: the strictest decision.
    ran = run(command, work, services.environment(), max(600.0, LIMIT_PER_NAME * len(names)),
              accept=range(0, 128))
    assessed = [json.loads(line) for line in ran.output.splitlines() if line.startswith('{"schema"')]
    said = [line for line in ran.output.splitlines() if line.startswith("weir: ")]
    gone = sum(1 for line in said if " is not found on " in line)
    found = {
        "names": len(names),
        "of": len(everything),
        "assessed": len(assessed),
        "gone": gone,
        # Neither read nor gone: no release that passed.
        "failed": len(names) - len(assessed) - gone,
        "seconds": ran.seconds,
        "actions": dict(Counter(one["decision"]["action"] for one in assessed)),
        "held_apart_from_age": sum(1 for one in assessed if one["decision"]["action"] == "hold"
                                   and not assess.is_age_alone(one)),
        "severe": sum(1 for one in assessed if _severe(one)),
        "unread": sum(1 for one in assessed
                      if any(gap["what"] == "contents" for gap in one["incomplete"])),
        "listed": [_entry(one) for one in assessed
                   if one["decision"]["action"] in ("block", "hold") or _severe(one)],
        "built": built,
    }
    print(f"popular: {found['actions']}, {found['severe']} with severe findings, "
          f"{ran.seconds:.0f} s", flush=True)
    return found


def _spread(names: list[str], count: int) -> list[str]:
    """So many names, evenly over all ranks; all of them for 0."""
    if count <= 0 or count >= len(names):
        return names
    return [names[index * len(names) // count] for index in range(count)]


def _severe(one: dict) -> list[dict]:
    return [finding for finding in one["findings"] if finding["severity"] in SEVERE]


def _entry(one: dict) -> dict:
    findings = [f"{finding['severity']} {finding['signal']}: {finding['message']}"
                for finding in _severe(one)]
    return {**assess.entry(one), "findings": findings}
