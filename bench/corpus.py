"""What is found of the corpus of inert imitations: weir, and guarddog over the same packages."""

import json
from collections import defaultdict
from pathlib import Path

import contents
import machine
import places
import services
import tools
from processes import Failed, run

# guarddog takes some 0.15 s for a small package (PEERS section 8), and there are several hundred.
GUARDDOG_LIMIT = 3600.0
PACK_LIMIT = 1800.0

# Its own lines: below the first it reports no risk, at the second it says "suspicious".
ANY_RISK, SUSPICIOUS = 0.0, 5.0


def measure(options, work: Path) -> dict:
    """The part `corpus`."""
    tools.guarddog()
    folder = work / "corpus"
    built = _pack(options, folder, work)
    samples = json.loads((folder / "samples.json").read_text())
    files = [folder / sample["file"] for sample in samples]
    ran = contents.guarddog(files, work, each=True)
    if ran["failed"] or len(ran["scores"]) != len(files):
        raise Failed(f"guarddog read {len(ran['scores'])} of {len(files)} packages")
    for sample, file in zip(samples, files):
        score, rules = ran["scores"][str(file)]
        sample["guarddog"] = {"risk": score > ANY_RISK, "suspicious": score >= SUSPICIOUS,
                              "any": rules > 0}
    found = {"built": built, "packages": len(samples), "rows": _rows(samples)}
    print(_table(found["rows"]), flush=True)
    return found


def _pack(options, folder: Path, work: Path) -> str:
    """Has weir's own tool write the packages and say what it finds in them."""
    command = ["cargo", "run", "--quiet", "-p", "weir-dev", "--", "score", "--pack", folder]
    if options.no_build:
        command = [places.ROOT / "target/debug/weir-dev", "score", "--pack", folder]
    run(["env", "-C", places.ROOT, *command], work, services.environment(), PACK_LIMIT)
    return machine.revision()


def _rows(samples: list[dict]) -> list[dict]:
    """One row for each group of packages: how many, and how many of them each tool reports."""
    groups = defaultdict(list)
    for sample in samples:
        if sample["benign"]:
            groups[4, 0, "benign twins (false)"].append(sample)
        elif sample["kind"] == "evasion":
            groups[3, 0, "evasions of weir"].append(sample)
        else:
            number = int(sample["behaviour"][1:])
            groups[0, number, sample["behaviour"]].append(sample)
            groups[1, 0, f"style: {sample['style']}"].append(sample)
            groups[2, 0, "all attacks"].append(sample)
    return [_row(name, groups[order, number, name]) for order, number, name in sorted(groups)]


def _row(name: str, samples: list[dict]) -> dict:
    return {
        "group": name, "packages": len(samples),
        "stories": len({sample["story"] for sample in samples}),
        "weir high": sum(sample["high"] for sample in samples),
        "weir above info": sum(sample["seen"] for sample in samples),
        "guarddog suspicious": sum(sample["guarddog"]["suspicious"] for sample in samples),
        "guarddog any risk": sum(sample["guarddog"]["risk"] for sample in samples),
        "guarddog any rule": sum(sample["guarddog"]["any"] for sample in samples),
    }


COLUMNS = ["weir high", "weir above info", "guarddog suspicious", "guarddog any risk",
           "guarddog any rule"]


def _table(rows: list[dict]) -> str:
    lines = ["| packages | stories | count | " + " | ".join(COLUMNS) + " |",
             "| --- | --- | --- |" + " --- |" * len(COLUMNS)]
    for row in rows:
        shares = [f"{row[column]} ({row[column] / row['packages']:.1%})" for column in COLUMNS]
        lines.append(f"| {row['group']} | {row['stories']} | {row['packages']} | "
                     + " | ".join(shares) + " |")
    return "\n".join(lines)


def document(figures: dict) -> str:
    """The committed comparison."""
    version = figures["machine"]["versions"]["guarddog"]
    return "\n".join([
        "# Recall beside guarddog", "",
        "Written by `bench/run corpus --write-docs`; [docs/corpus.md](../docs/corpus.md) says what the",
        f"packages are. {figures['packages']} packages, weir {figures['built']}, guarddog {version},",
        "measured over the same archives. Weir's *high* is a finding of severity high or more; guarddog's",
        "*suspicious* is a score of 5 or more, its own line, *any risk* a score above 0, and *any rule* any",
        "hit at all, with which it reports half of all benign packages as well",
        "([benchmarks](../docs/benchmarks.md)).", "", _table(figures["rows"]), "",
    ])
