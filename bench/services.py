"""The two gateways that are compared, each on loopback in front of the user's own registry."""

import os
import subprocess
from pathlib import Path

import places
from processes import Service, free_port

# verdaccio's own defaults but for what a measurement cannot have: a log line per request on disk,
# and publishing. The registry's address comes in by the environment and is written nowhere.
VERDACCIO_CONFIG = """\
module.exports = {
  storage: './storage',
  uplinks: { upstream: { url: process.env.BENCH_UPSTREAM } },
  packages: { '**': { access: '$all', proxy: 'upstream' } },
  log: { type: 'stdout', format: 'pretty', level: 'error' },
};
"""


def upstream() -> str:
    """The registry the user's npm is configured for."""
    ran = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True,
                         cwd=places.ROOT, check=True, timeout=60)
    return ran.stdout.strip()


def environment(**more) -> dict:
    """This process' environment, with bun on the PATH and additions."""
    path = f"{places.BUN.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, **{name: str(value) for name, value in more.items()}}


def weir_options(work: Path, data: Path, observe: bool) -> list:
    """The weir program with a data folder and a policy of its own: a user's weir.toml would make
    the figures theirs."""
    policy = work / "weir.toml"
    policy.write_text('[gate]\nmode = "observe"\n' if observe else "")
    return [places.WEIR, "--data", data, "--policy", policy]


def weir(work: Path, data: Path, observe: bool) -> Service:
    """A `weir serve` with this data folder."""
    port = free_port()
    command = [*weir_options(work, data, observe), "serve", "--listen", f"127.0.0.1:{port}"]
    return Service(command, port, work, environment())


def verdaccio(work: Path, folder: Path) -> Service:
    """A verdaccio with its storage and configuration in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.js"
    config.write_text(VERDACCIO_CONFIG)
    port = free_port()
    more = {"BENCH_UPSTREAM": upstream()}
    authority = subprocess.run(["npm", "config", "get", "cafile"], capture_output=True, text=True,
                               cwd=places.ROOT, check=True, timeout=60).stdout.strip()
    if authority not in ("", "null"):
        more["NODE_EXTRA_CA_CERTS"] = authority
    command = [places.VERDACCIO, "--config", config, "--listen", f"127.0.0.1:{port}"]
    return Service(command, port, work, environment(**more))
