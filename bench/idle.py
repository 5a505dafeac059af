"""How much memory a `weir serve` holds that nobody asks anything."""

import time
from pathlib import Path

import places
import projects
import services
import tools
from processes import run

# Long enough for idle workers to end and for short-lived caches to run out.
IDLE = 90


def measure(options, work: Path) -> dict:
    """The part `idle`."""
    built = tools.build_weir(options)
    tools.bun()
    found = {"built": built, "idle_seconds": IDLE}
    with services.weir(work, places.fresh(work / "data-idle"), options.observe) as gateway:
        time.sleep(3)
        found["after_start"] = gateway.rss()
        print(f"idle: {found['after_start'] / 1e6:.1f} MB after start", flush=True)
        folder = projects.copy(projects.NAMES[0], work / "project", "bun")
        cache = places.fresh(work / "bun-cache")
        environment = services.environment(BUN_INSTALL_CACHE_DIR=cache, BUN_CONFIG_REGISTRY=gateway.url)
        run(["bun", "install", "--frozen-lockfile", "--ignore-scripts", "--no-progress"],
            folder, environment, 300)
        gateway.wait_until_idle()
        found["after_install"] = gateway.rss()
        print(f"idle: {found['after_install'] / 1e6:.1f} MB after an install; waiting {IDLE} s", flush=True)
        time.sleep(IDLE)
        found["after_idleness"] = gateway.rss()
        found["peak"] = gateway.peak_rss()
        print(f"idle: {found['after_idleness'] / 1e6:.1f} MB after {IDLE} s of idleness", flush=True)
    return found
