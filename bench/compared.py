"""Which tool notices which tampering with a lockfile: weir, npm, pnpm and lockfile-lint, each over the same
files. Nothing that is installed is run, and what is served in another's place is inert."""

import base64
import hashlib
import http.server
import io
import json
import re
import shutil
import tarfile
import threading
import urllib.parse
from pathlib import Path

import machine
import places
import services
import tools
from processes import run

# Two small packages without dependencies or scripts, in old versions that stay.
PROJECT = {"name": "app", "version": "1.0.0", "private": True,
           "dependencies": {"ms": "2.1.2", "inherits": "2.0.3"}}

LIMIT = 180.0

# What each tampering is, in the order of the table.
CASES = {
    "nothing": "an untouched lockfile",
    "host": "a tarball from another host, with a digest that fits it",
    "http": "the registry's own tarball without encryption",
    "package": "another package's tarball from the registry, with its digest",
    "version": "another version's tarball from the registry, with its digest",
    "alias": "an entry that says it is another package",
    "no digest": "an entry without a digest",
    "weak digest": "an entry with a SHA-1 only",
    "second digest": "a second digest beside the right one",
    "other digest": "a digest that is not the registry's",
    "step": "an entry that is not what package.json asks for",
    "missing": "an entry that is not there",
    "twice": "an entry that is there twice, from different places",
    "merge": "marks of a merge that was not finished",
}


def measure(options, work: Path) -> dict:
    """The part `compared`."""
    built = tools.build_weir(options)
    tools.lockfile_lint()
    tools.pnpm()
    with Elsewhere() as elsewhere:
        sides = {"npm": Npm(work, elsewhere), "pnpm": Pnpm(work, elsewhere)}
        rows = {case: {} for case in CASES}
        for name, side in sides.items():
            for case in CASES:
                text = side.tampered(case)
                rows[case][name] = {tool: judge(side.folder_with(text))
                                    for tool, judge in side.tools().items()}
                print(f"compared: {name}, {case}: {rows[case][name]}", flush=True)
    for name in sides:
        if any(found != "passes" for found in rows["nothing"][name].values()):
            print(f"  an untouched {name} lockfile does not pass everywhere", flush=True)
    return {"built": built, "rows": rows}


class Elsewhere:
    """A server on loopback that stands for an attacker's, and has one inert tarball."""

    def __enter__(self):
        body = _tarball()
        self.integrity = "sha512-" + base64.b64encode(hashlib.sha512(body).digest()).decode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802  (the name is the library's)
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        # Another name than the registry's may have, so that hosts differ also where that is on loopback.
        self.url = f"http://localhost:{self.server.server_port}/"
        return self

    def __exit__(self, *_):
        self.server.shutdown()


def _tarball() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        text = json.dumps({"name": "ms", "version": "2.1.2"}).encode()
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return out.getvalue()


def _verdict(command, folder: Path, environment: dict) -> str:
    """What a tool says by its exit code."""
    ran = run([*command], folder, environment, LIMIT, accept=range(256))
    ended = ran.output.rpartition("exit code of the tool: ")[2].strip()
    return "passes" if ended == "0" else "refuses"


class Side:
    """One client's lockfile and the tools that read it."""

    lockfile = ""
    manifest = PROJECT

    def __init__(self, work: Path, elsewhere: Elsewhere):
        self.work, self.elsewhere = work, elsewhere
        self.registry = services.upstream()
        self.clean = self.made()
        packuments = {name: self._packument(name) for name in ("ms", "inherits")}
        self.dist = {(name, version): packuments[name]["versions"][version]["dist"]
                     for name, version in (("ms", "2.1.2"), ("ms", "2.1.1"), ("inherits", "2.0.3"))}

    def _packument(self, name: str) -> dict:
        found = {}
        for version in ("2.1.2", "2.1.1") if name == "ms" else ("2.0.3",):
            ran = run(["npm", "view", f"{name}@{version}", "dist", "--json"],
                      places.fresh(self.work / "view"), services.environment(), LIMIT)
            found[version] = {"dist": json.loads(ran.output)}
        return {"versions": found}

    def folder_with(self, text: str) -> Path:
        """A fresh project with this lockfile."""
        folder = places.fresh(self.work / "compared")
        (folder / "package.json").write_text(json.dumps(self.manifest, indent=2) + "\n")
        (folder / ".npmrc").write_text(f"registry={self.registry}\n")
        (folder / self.lockfile).write_text(text)
        return folder

    def weir(self, *more):
        """weir as a tool: its exit code, and whether it warned."""
        def judge(folder: Path) -> str:
            command = [*services.weir_options(self.work, self.work / "compared-data", False), "check",
                       folder, "--json", *more]
            ran = run(command, self.work, services.environment(), LIMIT, accept=(0, 5))
            findings = json.loads(ran.output)["findings"]
            about = [it for it in findings if it["file"].endswith(self.lockfile)]
            worst = {it["level"] for it in about}
            return "refuses" if "error" in worst else "warns" if "warning" in worst else "passes"
        return judge

    def exits(self, *command, environment=None):
        """A tool that says it by its exit code."""
        def judge(folder: Path) -> str:
            shell = ["sh", "-c", '"$@"; echo "exit code of the tool: $?"', "sh",
                     *[str(word).replace("{}", str(folder)) for word in command]]
            return _verdict(shell, folder, environment or services.environment())
        return judge


class Npm(Side):
    """package-lock.json, which npm, lockfile-lint and weir read."""

    lockfile = "package-lock.json"

    def made(self) -> str:
        folder = self.folder_with("")
        (folder / self.lockfile).unlink()
        # Whatever this machine's own configuration says, the addresses are wanted.
        run(["npm", "install", "--package-lock-only", "--omit-lockfile-registry-resolved=false",
             "--ignore-scripts", "--no-audit", "--no-fund"], folder, services.environment(), LIMIT)
        return (folder / self.lockfile).read_text()

    def tools(self) -> dict:
        cache = self.work / "npm-cache"
        shutil.rmtree(cache, ignore_errors=True)
        ci = services.environment(npm_config_cache=cache)
        # The hosts of the lockfile as it was made.
        address = json.loads(self.clean)["packages"]["node_modules/ms"]["resolved"]
        host = urllib.parse.urlsplit(address).netloc
        return {
            "weir check --offline": self.weir("--offline"),
            "weir check --online": self.weir("--online"),
            "npm ci": self.exits("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                                 environment=ci),
            "lockfile-lint": self.exits(
                places.LOCKFILE_LINT, "--path", "{}/package-lock.json", "--type", "npm",
                "--validate-https", "--validate-integrity", "--validate-package-names",
                "--allowed-hosts", host),
        }

    def tampered(self, case: str) -> str:
        lock = json.loads(self.clean)
        entry = lock["packages"]["node_modules/ms"]
        other, old = self.dist["inherits", "2.0.3"], self.dist["ms", "2.1.1"]
        if case == "host":
            entry["resolved"] = f"{self.elsewhere.url}ms/-/ms-2.1.2.tgz"
            entry["integrity"] = self.elsewhere.integrity
        elif case == "http":
            entry["resolved"] = entry["resolved"].replace("https://", "http://")
        elif case == "package":
            entry["resolved"] = lock["packages"]["node_modules/inherits"]["resolved"]
            entry["integrity"] = other["integrity"]
        elif case == "version":
            entry["resolved"] = entry["resolved"].replace("2.1.2", "2.1.1")
            entry["integrity"] = old["integrity"]
        elif case == "alias":
            entry["name"] = "inherits"
        elif case == "no digest":
            del entry["integrity"]
        elif case == "weak digest":
            digest = bytes.fromhex(self.dist["ms", "2.1.2"]["shasum"])
            entry["integrity"] = "sha1-" + base64.b64encode(digest).decode()
        elif case == "second digest":
            entry["integrity"] += f" {self.elsewhere.integrity}"
        elif case == "other digest":
            entry["integrity"] = self.elsewhere.integrity
        elif case == "step":
            entry["version"] = "2.1.1"
            entry["resolved"] = entry["resolved"].replace("2.1.2", "2.1.1")
            entry["integrity"] = old["integrity"]
        elif case == "missing":
            del lock["packages"]["node_modules/ms"]
        text = json.dumps(lock, indent=2) + "\n"
        if case == "twice":
            second = {**entry, "resolved": f"{self.elsewhere.url}ms/-/ms-2.1.2.tgz",
                      "integrity": self.elsewhere.integrity}
            text = text.rstrip().removesuffix("}\n}").rstrip() + \
                f',\n"node_modules/ms": {json.dumps(second)}\n}}\n}}\n'
        if case == "merge":
            text = text.replace('    "node_modules/ms"', "<<<<<<< HEAD\n    \"node_modules/ms\"", 1)
        return text


class Pnpm(Side):
    """pnpm-lock.yaml, which pnpm and weir read, and which lockfile-lint is given all the same."""

    lockfile = "pnpm-lock.yaml"

    def made(self) -> str:
        folder = self.folder_with("")
        (folder / self.lockfile).unlink()
        run([places.PNPM, "install", "--lockfile-only", "--ignore-scripts"], folder,
            self._environment(), LIMIT)
        return (folder / self.lockfile).read_text()

    def _environment(self) -> dict:
        home = self.work / "pnpm-home"
        home.mkdir(exist_ok=True)
        return services.environment(XDG_DATA_HOME=home, XDG_CACHE_HOME=home, XDG_STATE_HOME=home)

    def tools(self) -> dict:
        shutil.rmtree(self.work / "pnpm-home", ignore_errors=True)
        return {
            "weir check --offline": self.weir("--offline"),
            "weir check --online": self.weir("--online"),
            "pnpm install": self.exits(
                places.PNPM, "install", "--frozen-lockfile", "--ignore-scripts",
                environment=self._environment()),
        }

    def tampered(self, case: str) -> str:
        text = self.clean
        digest = re.search(r"ms@2\.1\.2:\n    resolution: \{integrity: ([^},]+)", text).group(1)
        other, old = self.dist["inherits", "2.0.3"], self.dist["ms", "2.1.1"]
        entry = f"  ms@2.1.2:\n    resolution: {{integrity: {digest}}}\n"
        address = self.dist["ms", "2.1.2"]["tarball"]

        def resolution(integrity, tarball=None) -> str:
            parts = ([f"integrity: {integrity}"] if integrity else []) + \
                ([f"tarball: {tarball}"] if tarball else [])
            return text.replace(entry, f"  ms@2.1.2:\n    resolution: {{{', '.join(parts)}}}\n")

        place = f"{self.elsewhere.url}ms/-/ms-2.1.2.tgz"
        return {
            "nothing": text,
            "host": resolution(self.elsewhere.integrity, place),
            "http": resolution(digest, address.replace("https://", "http://")),
            "package": resolution(other["integrity"], other["tarball"]),
            "version": resolution(old["integrity"], old["tarball"]),
            "alias": text.replace("specifier: 2.1.2\n        version: 2.1.2",
                                  "specifier: 2.1.2\n        version: inherits@2.0.3"),
            "no digest": resolution(None, address),
            "weak digest": resolution("sha1-" + base64.b64encode(
                bytes.fromhex(self.dist["ms", "2.1.2"]["shasum"])).decode()),
            "second digest": resolution(f"{digest} {self.elsewhere.integrity}"),
            "other digest": resolution(self.elsewhere.integrity),
            "step": text.replace("specifier: 2.1.2", "specifier: 2.1.1"),
            "missing": text.replace(entry, ""),
            "twice": text.replace(entry, entry + resolution(self.elsewhere.integrity, place)[
                text.index(entry):][:len(f"  ms@2.1.2:\n    resolution: {{integrity: {self.elsewhere.integrity}, tarball: {place}}}\n")]),
            "merge": text.replace(entry, f"<<<<<<< HEAD\n{entry}"),
        }[case]


def table(figures: dict) -> str:
    """The result as Markdown."""
    columns = [(side, tool) for side in ("npm", "pnpm") for tool in figures["rows"]["nothing"][side]]
    heads = [f"{tool}, {'package-lock.json' if side == 'npm' else 'pnpm-lock.yaml'}"
             for side, tool in columns]
    lines = ["| tampering | " + " | ".join(heads) + " |", "|---|" + "---|" * len(columns)]
    for case, what in CASES.items():
        cells = [figures["rows"][case][side][tool] for side, tool in columns]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    counts = []
    for side, tool in columns:
        noticed = sum(figures["rows"][case][side][tool] != "passes" for case in CASES if case != "nothing")
        counts.append(f"**{noticed} of {len(CASES) - 1}**")
    lines.append("| noticed | " + " | ".join(counts) + " |")
    versions = machine.describe()["versions"]
    named = [f"{name} {versions[name]}" for name in ("npm", "pnpm", "lockfile-lint", "node")]
    return "\n".join(lines) + f"\n\nRun with {', '.join(named)}; weir {figures['built']}.\n"
