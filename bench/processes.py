"""Programs: run one and time it, or keep one running as a service. Only what was started here is
ever ended, by its own process group."""

import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

# Clock ticks per second of /proc/<pid>/stat.
TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A program did not do what a measurement needs; the text says which and how it ended."""


@dataclass
class Ran:
    """One finished program."""

    seconds: float
    cpu_seconds: float
    output: str


def run(command, folder: Path, environment: dict, limit: float, accept=(0,)) -> Ran:
    """Runs a program to its end and times it; waits without polling, which would add noise."""
    log = folder / "bench-output.log"
    with open(log, "wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )
        timer = threading.Timer(limit, lambda: end_group(process.pid, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(errors="replace")
    log.unlink()
    if process.returncode not in accept:
        name = " ".join(Path(word).name if "/" in str(word) else str(word) for word in command)
        late = " (time limit)" if seconds >= limit else ""
        raise Failed(f"{name[:200]} ended with {process.returncode}{late}:\n{text[-1500:]}")
    return Ran(seconds, usage.ru_utime + usage.ru_stime, text)


def end_group(group: int, how: int) -> None:
    """Signals a process group that was started here."""
    try:
        os.killpg(group, how)
    except ProcessLookupError:
        pass


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Service:
    """A program that answers HTTP on loopback until it is left."""

    def __init__(self, command, port: int, folder: Path, environment: dict, started_after=60.0):
        self.port = port
        self.url = f"http://127.0.0.1:{port}/"
        self.log = folder / f"service-{port}.log"
        self._started_after = started_after
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(
                [str(word) for word in command], cwd=folder, env=environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self):
        deadline = time.monotonic() + self._started_after
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.__exit__()
        raise Failed(f"a service did not start:\n{self.log.read_text(errors='replace')[-1500:]}")

    def __exit__(self, *_):
        end_group(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=25)
        except subprocess.TimeoutExpired:
            end_group(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def pids(self) -> list[int]:
        """The service and its children (same process group)."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                fields = _stat(entry)
                # Field 5 of the file: the process group.
                if fields and int(fields[2]) == self.process.pid:
                    found.append(int(entry.name))
        return found

    def rss(self) -> int:
        """Resident memory of the service and its children now, in bytes."""
        return sum(_status(pid, "VmRSS") for pid in self.pids())

    def peak_rss(self) -> int:
        """The most the service itself (without children) has held, in bytes."""
        return _status(self.process.pid, "VmHWM")

    def cpu_seconds(self) -> float:
        """Processor time of the service and its children that still run or were waited for."""
        total = 0
        for pid in self.pids():
            fields = _stat(Path("/proc") / str(pid))
            if fields:
                # utime and stime of itself; of ended children for the service alone, because a
                # child's are also its own.
                total += int(fields[11]) + int(fields[12])
                if pid == self.process.pid:
                    total += int(fields[13]) + int(fields[14])
        return total / TICKS

    def wait_until_idle(self, limit: float = 240.0) -> float:
        """Waits until the service does next to nothing for two seconds; how long that took."""
        start = time.monotonic()
        quiet = 0
        before = self.cpu_seconds()
        while quiet < 4 and time.monotonic() - start < limit:
            time.sleep(0.5)
            now = self.cpu_seconds()
            # A twentieth of a core.
            quiet = quiet + 1 if abs(now - before) <= 0.025 else 0
            before = now
        return max(0.0, time.monotonic() - start - 2.0)

    def get(self, path: str, headers=None, limit=120.0):
        """One answer: (headers, body as sent)."""
        request = urllib.request.Request(self.url + path.lstrip("/"), headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=limit) as answer:
                return answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            raise Failed(f"{path}: {error.code} {error.reason}") from error


def _stat(entry: Path) -> list[str]:
    """The fields of /proc/<pid>/stat after the program's name, which may hold anything."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _status(pid: int, key: str) -> int:
    try:
        for line in (Path("/proc") / str(pid) / "status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
