"""How many requests a warm gateway answers: weir beside verdaccio."""

import hashlib
import re
import subprocess
from pathlib import Path

import loadgen
import machine
import places
import services
import tools
from figures import median
from processes import Failed

ABBREVIATED = {
    "Accept": "application/vnd.npm.install-v1+json", "Accept-Encoding": "gzip",
}

# What is asked for: (name, path, headers, kind).
TARGETS = [
    ("tarball 13 KB", "/debug/-/debug-4.4.3.tgz", {}, "tarball"),
    ("tarball 134 KB", "/acorn/-/acorn-8.19.0.tgz", {}, "tarball"),
    ("packument debug", "/debug", ABBREVIATED, "packument"),
    ("packument express", "/express", ABBREVIATED, "packument"),
    ("packument typescript", "/typescript", ABBREVIATED, "packument"),
]

CONNECTIONS = 64

MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


def measure(options, work: Path) -> dict:
    """The part `serve`."""
    built = tools.build_weir(options)
    tools.verdaccio()
    generate = wrk if tools.wrk() else loadgen.generate
    machine.wait_for_quiet(options.quiet)
    found = {"built": built, "rounds": options.rounds,
             "generator": generate.__name__, "seconds": options.seconds, "targets": {}}
    data, storage = work / "data-serve", work / "verdaccio-serve"
    with services.weir(work, data, options.observe) as weir, \
            services.verdaccio(work, storage) as verdaccio:
        servers = {"weir": weir, "verdaccio": verdaccio}
        for name, path, headers, kind in TARGETS:
            found["targets"][name] = {"kind": kind, "sizes": _fill(servers, path, headers),
                                      "weir": [], "verdaccio": []}
        weir.wait_until_idle()
        for number in range(options.rounds):
            for name, path, headers, _ in TARGETS:
                for server, service in servers.items():
                    one = generate(service.url.rstrip("/") + path, headers, options.seconds)
                    one["load"] = machine.load()
                    # What was given up on is still being computed; it must not slow what follows.
                    service.wait_until_idle(120)
                    found["targets"][name][server].append(one)
                    print(f"serve, round {number + 1}, {name:20} {server:10} "
                          f"{one['rate']:10.1f} requests/s  p50 {one['p50']} ms  "
                          f"p99 {one['p99']} ms", flush=True)
        found["peak_rss"] = {name: service.peak_rss() for name, service in servers.items()}
    for target in found["targets"].values():
        _summarise(target, options.seconds)
    return found


def _fill(servers: dict, path: str, headers: dict) -> dict:
    """Has each server hold the answer; says how large it is, and that tarballs are the same."""
    sizes, digests = {}, set()
    for name, service in servers.items():
        for _ in range(2):
            answered, body = service.get(path, headers)
        sizes[name] = len(body)
        if headers and answered.get("Content-Encoding") != "gzip":
            raise Failed(f"{name} does not compress {path}")
        digests.add(hashlib.sha256(body).hexdigest())
    if not headers and len(digests) != 1:
        raise Failed(f"the servers do not agree on {path}")
    return sizes


def _summarise(target: dict, seconds: float) -> None:
    for server in ("weir", "verdaccio"):
        rounds = target[server]
        target[f"{server}_rate"] = median(one["rate"] for one in rounds)
        target[f"{server}_p50"] = median(one["p50"] for one in rounds if one["p50"] is not None)
        target[f"{server}_p99"] = median(one["p99"] for one in rounds if one["p99"] is not None)
    # A server that answered nothing is counted as if it had answered once.
    least = 1 / seconds
    target["ratio"] = median(
        ours["rate"] / max(theirs["rate"], least)
        for ours, theirs in zip(target["weir"], target["verdaccio"])
    )
    target["at_least"] = any(one["rate"] < least for one in target["verdaccio"])


def wrk(url: str, headers: dict, seconds: int) -> dict:
    """One run of wrk: one thread, 64 connections."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "--latency"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    text = subprocess.run([*command, url], capture_output=True, text=True, check=True,
                          timeout=seconds + 120).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if bad:
        raise Failed(f"{bad.group(1)} answers were refusals: {url}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    return {"rate": float(rate.group(1)) if rate else 0.0,
            "p50": _latency(text, "50%"), "p99": _latency(text, "99%")}


def _latency(text: str, share: str) -> float | None:
    found = re.search(rf"^\s+{share}\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
    if not found or float(found.group(1)) == 0:
        return None
    return round(float(found.group(1)) * MILLISECONDS[found.group(2)], 3)
