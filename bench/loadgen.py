"""A small load generator for machines without wrk. Slower than wrk, so that a fast server looks
slower than it is; figures made with it say so."""

import asyncio
import time
import urllib.parse

CONNECTIONS = 64


def generate(url: str, headers: dict, seconds: int) -> dict:
    """As many requests as 64 connections get answered, one after the other on each."""
    return asyncio.run(_generate(urllib.parse.urlsplit(url), headers, seconds))


async def _generate(url, headers: dict, seconds: int) -> dict:
    lines = [f"GET {url.path} HTTP/1.1", f"Host: {url.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    end = time.perf_counter() + seconds
    times: list[float] = []
    workers = [asyncio.create_task(_connection(url, request, times)) for _ in range(CONNECTIONS)]
    await asyncio.sleep(seconds)
    answered = [took for finished, took in times if finished <= end]
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    answered.sort()
    return {"rate": len(answered) / seconds, "p50": _quantile(answered, 0.5),
            "p99": _quantile(answered, 0.99)}


async def _connection(url, request: bytes, times: list) -> None:
    while True:
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        try:
            while True:
                start = time.perf_counter()
                writer.write(request)
                if not await _answer(reader):
                    break
                now = time.perf_counter()
                times.append((now, now - start))
        finally:
            writer.close()


async def _answer(reader) -> bool:
    """Reads one answer; whether the connection may be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    if " 200 " not in head.split("\r\n", 1)[0]:
        raise RuntimeError(head.split("\r\n", 1)[0])
    fields = dict(line.split(":", 1) for line in head.split("\r\n")[1:] if ":" in line)
    if "content-length" in fields:
        await reader.readexactly(int(fields["content-length"]))
    else:
        while size := int((await reader.readline()).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    return "close" not in fields.get("connection", "")


def _quantile(values: list, share: float) -> float | None:
    if not values:
        return None
    return round(values[int((len(values) - 1) * share)] * 1e3, 3)
