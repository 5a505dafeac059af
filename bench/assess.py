"""What weir decides about every release of three benign projects: every refusal is a false alarm."""

import json
from collections import Counter
from pathlib import Path

import machine
import places
import projects
import services
import tools
from processes import run

LIMIT = 2400.0

# Decisions, strictest first.
ACTIONS = ("block", "hold", "notice")


def measure(options, work: Path) -> dict:
    """The part `assess`."""
    built = tools.build_weir(options)
    releases = projects.releases(options.projects)
    listed = work / "releases.txt"
    listed.write_text("".join(f"{release}\n" for release in releases))
    data = places.fresh(work / "data-assess")
    print(f"assess: {len(releases)} releases, load {machine.load()}", flush=True)
    command = [*services.weir_options(work, data, observe=False),
               "inspect", "--json", "--from", listed, str(releases[0])]
    # 1: something failed; above: the strictest decision.
    ran = run(command, work, services.environment(), LIMIT, accept=range(0, 128))
    (places.BENCH / "assess.jsonl").write_text(ran.output)
    seen, failures = {}, []
    for line in ran.output.splitlines():
        if line.startswith('{"schema"'):
            one = json.loads(line)
            seen[f"{one['release']['name']}@{one['release']['version']}"] = one
        elif line.startswith("weir: "):
            failures.append(line)
    found = _figures(list(seen.values()), len(releases), ran.seconds)
    found["failures"], found["built"] = failures[:20], built
    print(f"assess: {found['actions']}, {found['held_apart_from_age']} held apart from age, "
          f"{ran.seconds:.0f} s", flush=True)
    return found


def _figures(assessed: list[dict], wanted: int, seconds: float) -> dict:
    actions = Counter(one["decision"]["action"] for one in assessed)
    held = [one for one in assessed if one["decision"]["action"] == "hold"]
    listed = [entry(one) for action in ACTIONS for one in assessed
              if one["decision"]["action"] == action]
    signals = Counter(signal for one in assessed
                      for signal in {finding["signal"] for finding in one["findings"]
                                     if finding["severity"] != "info"})
    return {
        "wanted": wanted,
        "assessed": len(assessed),
        "seconds": seconds,
        "actions": dict(actions),
        "blocked": actions["block"],
        "held_apart_from_age": sum(1 for one in held if not is_age_alone(one)),
        "incomplete": sum(1 for one in assessed if not one["complete"]),
        # Code beyond a limit, by weir's own account: not counted as incomplete, and no pass either.
        "partly_unread": sum(
            1 for one in assessed
            if any(finding["signal"] == "unreadable-code" for finding in one["findings"])),
        "signals": dict(signals.most_common()),
        "listed": listed,
    }


def is_age_alone(one: dict) -> bool:
    """Whether a hold is for the release's age only: it ends by itself, and no evidence counts."""
    decision = one["decision"]
    return decision["until"] is not None and not decision["groups"]


def entry(one: dict) -> dict:
    """A release, what is decided on it, and why."""
    decision = one["decision"]
    return {
        "release": f"{one['release']['name']}@{one['release']['version']}",
        "action": decision["action"],
        "groups": decision["groups"],
        "until": decision["until"],
        "reasons": decision["reasons"],
        "incomplete": [f"{gap['what']}: {gap['why']}" for gap in one["incomplete"]],
    }
