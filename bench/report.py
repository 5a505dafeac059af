"""The results: kept as JSON, shown as a table, written into the documents."""

import json
import os

import compared
import corpus
import machine
import places
import services

# Load of the last minute above which a part was not alone. Installs and servers make such load
# themselves, on two cores; more than three takes somebody else.
BUSY = 3.0

BEGIN = "<!-- figures: written by bench/run --write-docs, not by hand -->"
END = "<!-- end of figures -->"


def load() -> dict:
    """The results of earlier runs, by part."""
    try:
        return json.loads(places.RESULTS.read_text())
    except FileNotFoundError:
        return {}


def keep(results: dict, part: str, figures: dict) -> dict:
    """Replaces one part's results, with the machine they were measured on."""
    results = {**results, part: {"machine": machine.describe(), **figures}}
    fresh = places.RESULTS.with_suffix(".part")
    fresh.write_text(json.dumps(results, indent=1) + "\n")
    os.replace(fresh, places.RESULTS)
    return results


def table(results: dict) -> str:
    """Every figure with its target, as Markdown."""
    lines = ["| measured | weir | compared with | ratio | target | met |",
             "| --- | --- | --- | --- | --- | --- |"]
    for part, rows in ROWS.items():
        if part in results:
            lines += [_line(row) for row in rows(results[part])]
    return "\n".join(lines)


def _line(row) -> str:
    measured, ours, theirs, ratio, target, met = row
    verdict = "" if met is None else "yes" if met else "**no**"
    return f"| {measured} | {ours} | {theirs} | {ratio} | {target} | {verdict} |"


def _seconds(value) -> str:
    return "failed" if value is None else f"{value:.2f} s"


def _times(value) -> str:
    return "" if value is None else f"{value:.2f}x"


# The cases of `install` with the ratio to direct they are to stay within.
INSTALL = [
    ("npm weir cold", "npm ci, cold gateway", 1.15),
    ("npm weir warm", "npm ci, warm gateway", 1.0),
    ("npm weir serve warm", "npm ci, warm `weir serve`", 1.0),
    ("npm verdaccio cold", "npm ci, cold verdaccio", None),
    ("npm verdaccio warm", "npm ci, warm verdaccio", None),
    ("bun weir serve cold", "bun install, cold `weir serve`", 1.5),
    ("bun weir serve warm", "bun install, warm `weir serve`", 1.1),
    ("bun weir cold", "bun install, cold gateway", None),
    ("bun weir warm", "bun install, warm gateway", None),
    ("bun verdaccio cold", "bun install, cold verdaccio", None),
    ("bun verdaccio warm", "bun install, warm verdaccio", None),
]


def _install(figures: dict):
    for project, found in figures["projects"].items():
        for case, text, target in INSTALL:
            one = found["summary"].get(case)
            wanted = "" if target is None else f"<= {target}x"
            met = None if target is None else False
            if one is None:
                failed = f"{project}, {case}:"
                if any(failure.startswith(failed) for failure in found["failures"]):
                    yield f"{project}: {text}", "failed", "", "", wanted, met
                continue
            direct = found["summary"].get(f"{case.split()[0]} direct")
            beside = f"direct {_seconds(direct['median'])}" if direct else ""
            if target is not None and one["ratio"] is not None:
                met = one["ratio"] <= target
            yield (f"{project}: {text}", _seconds(one["median"]), beside, _times(one["ratio"]),
                   wanted, met)
            if one.get("client_ratio") is not None:
                yield (f"{project}: {text}, the client alone", _seconds(one["client_median"]), "",
                       _times(one["client_ratio"]), "", None)


def _serve(figures: dict):
    for name, one in figures["targets"].items():
        target = 50 if one["kind"] == "packument" else 4
        sign = ">= " if one["at_least"] else ""
        yield (f"{name}, 64 connections", f"{one['weir_rate']:,.0f}/s, p99 {_ms(one['weir_p99'])}",
               f"verdaccio {one['verdaccio_rate']:,.1f}/s, p99 {_ms(one['verdaccio_p99'])}",
               f"{sign}{one['ratio']:,.1f}x", f">= {target}x", one["ratio"] >= target)
    peak = figures["peak_rss"]
    yield ("peak memory of the server meanwhile", f"{peak['weir'] / 1e6:.0f} MB",
           f"verdaccio {peak['verdaccio'] / 1e6:.0f} MB", "", "", None)


def _ms(value) -> str:
    return "unknown" if value is None else f"{value:,.1f} ms"


def _contents(figures: dict):
    speed, peak, ratio = (
        figures[key] for key in ("javascript_mb_per_second", "peak_rss_bytes", "ratio"))
    one, other = figures["all"][0], figures["guarddog"]
    yield (f"contents of {one['packages']} tarballs, one core", f"{speed:.1f} MB/s of JavaScript"
           f" ({figures['javascript_mb_per_cpu_second']:.1f} by processor time)", "", "",
           ">= 50 MB/s", speed >= 50)
    if plain := figures.get("plain"):
        yield ("the same, built without a profile",
               f"{plain['javascript_mb_per_second']:.1f} MB/s of JavaScript", "", "", "", None)
    yield (f"contents of the same {figures['sample_size']} tarballs, one core",
           f"{min(each['seconds'] for each in figures['sample']):.2f} s",
           f"guarddog {other['seconds']:.1f} s",
           f"{ratio:.1f}x ({figures['ratio_by_cpu']:.1f}x by processor time)", ">= 40x", ratio >= 40)
    yield ("peak memory over all of them", f"{peak / 1e6:.0f} MB",
           f"guarddog {other['peak_rss_bytes'] / 1e6:.0f} MB (sample)", "", "< 512 MB", peak < 512e6)
    yield ("one tarball: p50, p99, most",
           f"{one['p50_ms']:.1f}, {one['p99_ms']:.0f}, {one['max_ms']:,.0f} ms", "", "", "", None)


def _corpus(figures: dict):
    rows = {row["group"]: row for row in figures["rows"]}
    for group, text in (("all attacks", "imitated attacks found"),
                        ("benign twins (false)", "benign twins reported")):
        one = rows[group]
        ours, theirs = one["weir high"], one["guarddog suspicious"]
        attacks = group == "all attacks"
        share = ours / one["packages"]
        yield (f"{text}, of {one['packages']} packages", f"{ours} ({share:.1%})",
               f"guarddog {theirs} ({theirs / one['packages']:.1%})", "",
               ">= 98%" if attacks else "fewer",
               share >= 0.98 if attacks else ours < theirs or ours == 0)


def _assess(figures: dict):
    blocked, held = figures["blocked"], figures["held_apart_from_age"]
    share = held / max(figures["assessed"], 1)
    # A release that could not be assessed is no release that passed.
    every = figures["assessed"] == figures["wanted"]
    yield (f"benign releases blocked, of {figures['assessed']}", blocked, "", "", "0",
           blocked == 0 and every)
    yield ("benign releases held, apart from age", f"{held} ({share:.2%})", "", "", "<= 0.30%",
           share <= 0.003 and every)
    yield "benign releases with a notice", figures["actions"].get("notice", 0), "", "", "", None
    yield "releases that count as incompletely checked", figures["incomplete"], "", "", "", None
    yield ("releases with code that was left out of some analysis", figures["partly_unread"], "",
           "", "", None)


def _popular(figures: dict):
    assessed = max(figures["assessed"], 1)
    blocked, held = figures["actions"].get("block", 0), figures["held_apart_from_age"]
    yield (f"newest releases of {figures['assessed']} popular packages blocked or held, apart from age",
           f"{blocked + held} ({(blocked + held) / assessed:.2%})", "", "", "", None)
    yield ("of these with a finding of severity high or more",
           f"{figures['severe']} ({figures['severe'] / assessed:.2%})", "", "", "", None)
    unread = figures["unread"] + figures["failed"]
    yield "of these that could not be read", unread, "", "", "0", unread == 0


def _idle(figures: dict):
    for when, figure in (("after start", figures["after_start"]),
                         (f"after an install and {figures['idle_seconds']} s of idleness",
                          figures["after_idleness"])):
        yield (f"memory of `weir serve` {when}", f"{figure / 1e6:.0f} MB", "", "", "< 64 MB",
               figure < 64e6)


def _check(figures: dict):
    for case in figures["cases"]:
        ratio = case.get("ratio")
        beside = f"lockfile-lint {case['lockfile_lint'] * 1000:.0f} ms" if ratio else ""
        quick = case["seconds"] < 0.150
        yield (f"`weir check --offline`, {case['project']}, {case['client']}, "
               f"{case['packages']} packages", f"{case['seconds'] * 1000:.0f} ms", beside,
               f"{ratio:.1f}x" if ratio else "", "< 150 ms" + (", >= 20x" if ratio else ""),
               quick and (ratio is None or ratio >= 20))


ROWS = {"install": _install, "serve": _serve, "contents": _contents, "corpus": _corpus,
        "assess": _assess, "popular": _popular, "check": _check, "idle": _idle}


def write_docs(results: dict) -> None:
    """Replaces the figures in docs/benchmarks.md, and the list of refusals beside it."""
    text = places.DOCS.read_text()
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise SystemExit(f"{places.DOCS} has no place for figures")
    body = f"{before}{BEGIN}\n\n{_setting(results)}\n\n{table(results)}\n\n{_caveats(results)}{END}{after}"
    places.DOCS.write_text(_without_registry(body))
    if "compared" in results:
        text = places.COMPARED.read_text()
        before, _, rest = text.partition(BEGIN)
        _, ended, after = rest.partition(END)
        if not ended:
            raise SystemExit(f"{places.COMPARED} has no place for figures")
        body = f"{before}{BEGIN}\n\n{compared.table(results['compared'])}\n{END}{after}"
        places.COMPARED.write_text(_without_registry(body))
    if "corpus" in results:
        places.RECALL.write_text(_without_registry(corpus.document(results["corpus"])))
    if "assess" in results:
        places.NOTICES.write_text(_without_registry(_notices(results["assess"])))
    if "popular" in results:
        places.POPULAR.write_text(_without_registry(_severe(results["popular"])))


def _setting(results: dict) -> str:
    """The machine, once if it was the same for every part, and what was measured when."""
    shapes, lines = [], []
    for part in ROWS:
        if part not in results:
            continue
        one = results[part]
        shape = _shape(one["machine"])
        if shape not in shapes:
            shapes.append(shape)
        rounds = f", {one['rounds']} rounds" if "rounds" in one else ""
        lines.append(f"- {part}: {one['machine']['date']}{rounds}, load before and after "
                     f"{one['load_before']} and {one['load_after']}; weir {one['built']}")
    return "\n\n".join([*shapes, "\n".join(lines)])


def _shape(machine_: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine_["versions"].items())
    return (f"Machine: {machine_['cores']} cores ({machine_['cpu']}), {machine_['memory_gb']} GB, "
            f"{machine_['system']}, kernel {machine_['kernel']}; {versions}.")


def _caveats(results: dict) -> str:
    """What the figures themselves say about how they came to be."""
    lines = []
    install = results.get("install", {})
    if install.get("observe"):
        lines.append("- Installs were measured with `mode = \"observe\"`: nothing was refused.")
    if install.get("rounds", 3) < 3:
        lines.append("- Fewer than three rounds of installs: a ratio near its target may be chance.")
    if install and not install["in_memory"]:
        lines.append("- Installs were measured on disk: there was no room in memory.")
    for project, found in install.get("projects", {}).items():
        settled = [f"{one['settled after']:.0f}" for one in found["rounds"] if "settled after" in one]
        if settled:
            lines.append(f"- {project}: a cold `weir serve` went on reading contents for "
                         f"{', '.join(settled)} s after bun had ended.")
    for name, found in results.items():
        if max(found["load_before"], found["load_after"]) > BUSY:
            lines.append(f"- Other work ran on the machine during `{name}`: its figures are noisy.")
    if results.get("serve", {}).get("generator") == "generate":
        lines.append("- wrk was not there: a slower load generator understates fast servers.")
    return "\n".join(lines) + "\n\n" if lines else ""


def _notices(figures: dict) -> str:
    """Every release that is not simply allowed."""
    lines = [
        "# Decisions on three benign projects",
        "",
        "Written by `bench/run assess --write-docs`. Every release that the lockfiles of the reference",
        "projects pin and that weir does not simply allow, with its reasons. None of them is known to be",
        "malicious: what is blocked or held here is a false alarm, unless it is for age alone.",
        "",
        f"{figures['assessed']} of {figures['wanted']} releases assessed: "
        + ", ".join(f"{count} {action}" for action, count in sorted(figures["actions"].items())) + ".",
    ]
    for action in ("block", "hold", "notice"):
        listed = [one for one in figures["listed"] if one["action"] == action]
        lines += ["", f"## {action} ({len(listed)})", ""]
        for one in listed:
            groups = ", ".join(one["groups"]) or "no evidence"
            lines.append(f"- **{one['release']}** ({groups})")
            lines += [f"  - {_plain(reason)}" for reason in one["reasons"]]
            lines += [f"  - not checked: {_plain(gap)}" for gap in one["incomplete"]]
    return "\n".join(lines) + "\n"


def _severe(figures: dict) -> str:
    """Every popular package whose newest release is refused or has a severe finding."""
    lines = [
        "# Newest releases of popular packages",
        "",
        "Written by `bench/run popular --write-docs`. What weir holds or blocks of them, or has a finding of severity",
        "high or more for. Many of these findings are right (tools that write into other packages, say); none of the",
        "releases is known to be malicious.",
        "",
        f"{figures['assessed']} read of {figures['names']} names, evenly taken from the {figures['of']} most popular; "
        f"{figures['gone']} are gone from the registry, {figures['failed']} could not be had. "
        + ", ".join(f"{count} {action}" for action, count in sorted(figures["actions"].items())) + ".",
        "",
    ]
    for one in figures["listed"]:
        lines.append(f"- **{one['release']}**: {one['action']}")
        lines += [f"  - {_plain(finding)}" for finding in one["findings"] or one["reasons"]]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Text from a package is hostile to Markdown too."""
    return "".join(f"\\{c}" if c in "\\`*_<>[]|" else c for c in text)[:600]


def _without_registry(text: str) -> str:
    """The user's registry is nobody else's business."""
    host = services.upstream().split("://")[-1].split("/")[0]
    return text.replace(host, "registry.example.invalid") if host else text
