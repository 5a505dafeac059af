"""Runs in guarddog's own environment: does to each archive what `guarddog npm scan <archive>` does,
in one process. Prints one JSON object at the end, with a second argument that of each archive as well."""

import json
import os
import resource
import sys
import tempfile
import time

from guarddog.ecosystems import ECOSYSTEM
from guarddog.sandbox import apply_sandbox, is_available
from guarddog.scanners import get_package_scanner
from guarddog.utils.archives import safe_extract


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as listed:
        files = listed.read().split("\n")[:-1]
    scanner = get_package_scanner(ECOSYSTEM.NPM)
    root = os.path.realpath(tempfile.gettempdir())
    sandboxed = is_available()
    if sandboxed:
        # As the command does by default: no network from here on.
        apply_sandbox(scan_paths=sorted({os.path.dirname(file) for file in files}),
                      writable_paths=[root])
    times, scores, risky, failed = [], {}, 0, 0
    for file in files:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory(dir=root) as folder:
            try:
                safe_extract(file, folder)
                result = scanner.scan_local(folder)
            except Exception as error:  # One archive it cannot read must not end the comparison.
                failed += 1
                print(f"{file}: {error}", file=sys.stderr)
                continue
            finally:
                times.append(time.perf_counter() - start)
        score = (result.get("risk_score") or {}).get("score", 0)
        # Its own line between "low" and "suspicious" (PEERS section 8).
        risky += score >= 5
        scores[file] = score, result.get("issues", 0)
    times.sort()
    print(json.dumps({
        **({"scores": scores} if len(sys.argv) > 2 else {}),
        "packages": len(files), "failed": failed, "seconds": sum(times), "sandboxed": sandboxed,
        "at_or_above_5": risky, "p50_ms": times[len(times) // 2] * 1e3, "max_ms": times[-1] * 1e3,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }))


main()
