"""How long installs take: straight from the registry, through weir, through verdaccio."""

import re
import shutil
from pathlib import Path

import machine
import places
import projects
import services
import tools
from figures import median, ratios
from processes import Failed, run

# No install of the reference projects has taken a third of this on a busy machine.
LIMIT = 400.0

NPM = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
BUN = ["bun", "install", "--frozen-lockfile", "--ignore-scripts", "--no-progress"]

# The wrapper's summary: how long the client itself ran.
CLIENT_TIME = re.compile(r"; ([0-9.]+) s, of which")


class Bench:
    """One project, round after round. Every case starts from an empty client cache."""

    def __init__(self, project: str, work: Path, observe: bool):
        self.project = project
        self.work = work
        self.observe = observe
        self.rounds: list[dict] = []
        self.failures: list[str] = []

    def round(self, with_verdaccio: bool) -> None:
        """Every case once. Cold and warm of one gateway follow each other; direct comes first."""
        figures = {"load": machine.load()}
        self.rounds.append(figures)
        self._case(figures, "npm direct", lambda: self._npm([], {}))
        data = places.fresh(self.work / "data-wrapper")
        self._case(figures, "npm weir cold", lambda: self._wrapped("npm", data))
        self._case(figures, "npm weir warm", lambda: self._wrapped("npm", data))
        self._case(figures, "bun direct", lambda: self._bun([], {}))
        data = places.fresh(self.work / "data-wrapper")
        self._case(figures, "bun weir cold", lambda: self._wrapped("bun", data))
        self._case(figures, "bun weir warm", lambda: self._wrapped("bun", data))
        self._served(figures)
        if with_verdaccio:
            for client in ("npm", "bun"):
                self._verdaccio(figures, client)

    def _case(self, figures: dict, name: str, measure) -> None:
        try:
            found = measure()
        except Failed as error:
            self.failures.append(f"{self.project}, {name}: {error}")
            print(f"  {name:22} failed: {str(error)[-700:]}", flush=True)
            return
        figures[name] = found
        extra = f", client alone {found['client']:.2f} s" if "client" in found else ""
        print(f"  {name:22} {found['seconds']:7.2f} s{extra}", flush=True)

    def _npm(self, words, more) -> dict:
        folder = projects.copy(self.project, self.work / "project", "npm")
        cache = places.fresh(self.work / "npm-cache")
        environment = services.environment(npm_config_cache=cache, **more)
        # A lockfile names the registry it was made with; the configured one is to be asked.
        ran = run([*NPM, "--replace-registry-host=always", *words], folder, environment, LIMIT)
        return self._installed(folder, {"seconds": ran.seconds, "cpu": ran.cpu_seconds})

    def _bun(self, words, more) -> dict:
        folder = projects.copy(self.project, self.work / "project", "bun")
        cache = places.fresh(self.work / "bun-cache")
        environment = services.environment(BUN_INSTALL_CACHE_DIR=cache, **more)
        ran = run([*BUN, *words], folder, environment, LIMIT)
        return self._installed(folder, {"seconds": ran.seconds, "cpu": ran.cpu_seconds})

    def _wrapped(self, client: str, data: Path) -> dict:
        folder = projects.copy(self.project, self.work / "project", client)
        cache = places.fresh(self.work / f"{client}-cache")
        environment = services.environment(npm_config_cache=cache, BUN_INSTALL_CACHE_DIR=cache)
        words = NPM if client == "npm" else BUN
        command = [*services.weir_options(self.work, data, self.observe), *words]
        ran = run(command, folder, environment, LIMIT)
        found = {"seconds": ran.seconds, "cpu": ran.cpu_seconds}
        if client_time := CLIENT_TIME.search(ran.output):
            found["client"] = float(client_time.group(1))
        return self._installed(folder, found)

    def _served(self, figures: dict) -> None:
        data = places.fresh(self.work / "data-service")
        with services.weir(self.work, data, self.observe) as gateway:
            through_bun = {"BUN_CONFIG_REGISTRY": gateway.url}
            self._case(figures, "bun weir serve cold", lambda: self._bun([], through_bun))
            figures["settled after"] = gateway.wait_until_idle()
            figures["weir cpu cold"] = gateway.cpu_seconds()
            self._case(figures, "bun weir serve warm", lambda: self._bun([], through_bun))
            words = [f"--registry={gateway.url}"]
            self._case(figures, "npm weir serve warm", lambda: self._npm(words, {}))
            figures["weir peak rss"] = gateway.peak_rss()

    def _verdaccio(self, figures: dict, client: str) -> None:
        storage = places.fresh(self.work / "verdaccio")
        with services.verdaccio(self.work, storage) as proxy:
            for state in ("cold", "warm"):
                if client == "npm":
                    words = [f"--registry={proxy.url}"]
                    measure = lambda: self._npm(words, {})
                else:
                    measure = lambda: self._bun([], {"BUN_CONFIG_REGISTRY": proxy.url})
                self._case(figures, f"{client} verdaccio {state}", measure)
                proxy.wait_until_idle(30)
            figures[f"verdaccio peak rss ({client})"] = proxy.peak_rss()
        shutil.rmtree(storage, ignore_errors=True)

    def _installed(self, folder: Path, found: dict) -> dict:
        """Checks that the client did its work: a gateway that refuses quickly is not a fast one."""
        modules = folder / "node_modules"
        found["packages"] = sum(
            1 for one in modules.iterdir() if not one.name.startswith(".")
        ) if modules.is_dir() else 0
        shutil.rmtree(modules, ignore_errors=True)
        if found["packages"] < 100:
            raise Failed(f"only {found['packages']} packages were installed")
        return found

    def summary(self) -> dict:
        """Medians, and ratios to direct within each round."""
        cases = sorted({name for one in self.rounds for name in one
                        if isinstance(one.get(name), dict)})
        summary = {}
        for case in cases:
            base = f"{case.split()[0]} direct"
            times = [one[case]["seconds"] for one in self.rounds if case in one]
            clients = [one[case]["client"] for one in self.rounds if "client" in one.get(case, {})]
            pairs = [(one[case]["seconds"], one[base]["seconds"])
                     for one in self.rounds if case in one and base in one]
            summary[case] = {
                "median": median(times), "least": min(times), "most": max(times),
                "client_median": median(clients) if clients else None,
                "ratios": ratios(pairs), "ratio": median(ratios(pairs)),
            }
            inner = [(one[case]["client"], one[base]["seconds"]) for one in self.rounds
                     if "client" in one.get(case, {}) and base in one]
            if inner:
                summary[case]["client_ratio"] = median(ratios(inner))
        return summary


def measure(options, work: Path) -> dict:
    """The part `install`."""
    built = tools.build_weir(options)
    tools.bun()
    tools.verdaccio()
    benches = [Bench(name, work, options.observe) for name in options.projects]
    for number in range(options.rounds):
        for bench in benches:
            machine.wait_for_quiet(options.quiet)
            print(f"install, {bench.project}, round {number + 1} of {options.rounds}, "
                  f"load {machine.load()}", flush=True)
            bench.round(with_verdaccio=bench.project == projects.NAMES[0])
    return {
        "built": built,
        "rounds": options.rounds,
        "observe": options.observe,
        "in_memory": str(work).startswith("/dev/shm"),
        "projects": {
            bench.project: {
                "summary": bench.summary(), "rounds": bench.rounds, "failures": bench.failures,
            } for bench in benches
        },
    }
