"""What the service stands: a server in one process, shoppers in this one, over loopback.

    python experiments/2026-11-28-guide/load.py --root FOLDER_WITH_RUNS [--products 100000] [--seconds 20]

First as many as are answered: searches with and without the second reading, 1 and 16 at a time. Then three times as
many as it answers: what is served, what is sent away, and whether a served answer is the one that was given without
load. In the midst it loads its models anew (SIGHUP), and at the end it is stopped (SIGTERM) while requests are under
way. Prints a JSON line.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import psutil

QUERIES = 200
COUNT = 10


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--root", type=Path, required=True)
    made.add_argument("--run", default="latest")
    made.add_argument("--products", type=int, default=2000)
    made.add_argument("--cache", type=Path, required=True, help="data.cache_dir")
    made.add_argument("--seconds", type=float, default=20.0)
    options = made.parse_args()
    begun = time.perf_counter()
    server, address = started(options)
    ready = time.perf_counter() - begun
    told = asyncio.run(measured(address, server, options))
    print(json.dumps({"products": options.products, "ready_s": round(ready, 1), **told}))


def started(options: argparse.Namespace) -> tuple[Any, str]:
    words = [f"run={options.run}", f"tracking.root={options.root}", "port=0", f"data.cache_dir={options.cache}"]
    words += ["data=demo", f"data.options.products={options.products}"]
    errors = (options.cache / "serve.log").open("w")
    command = [sys.executable, "-m", "shopguide.serve", *words]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert server.stdout is not None
    line = server.stdout.readline()
    while not line.startswith("http"):
        line = server.stdout.readline()
    return server, line.split()[0]


async def measured(address: str, server: Any, options: argparse.Namespace) -> dict[str, Any]:
    limits = httpx2.Limits(max_connections=512, max_keepalive_connections=512)
    async with httpx2.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
        queries = await drawn(client, options)
        await closed(client, queries[:50], 4, True, 3)
        quiet = {query: await answer(client, query, True) for query in queries}
        told: dict[str, Any] = {"memory_gb": round(psutil.Process(server.pid).memory_info().rss / 1e9, 2)}
        for rerank in (False, True):
            name = "read again" if rerank else "first stages"
            one = await closed(client, queries, 1, rerank, options.seconds)
            many = await closed(client, queries, 16, rerank, options.seconds)
            told[name] = {"p50_ms": one["p50_ms"], "p95_ms": one["p95_ms"], "per_second": many["per_second"]}
        rate = 3 * told["read again"]["per_second"]
        told["three times"] = await opened(client, queries, quiet, rate, options.seconds, server)
        log = options.cache / "serve.log"
        while '"reload": "done"' not in log.read_text():
            await asyncio.sleep(0.5)
        told["stopped"] = await stopped(client, queries, server)
    return told


async def drawn(client: Any, options: argparse.Namespace) -> list[str]:
    """Queries like shoppers': beginnings and words of products' titles."""
    draw = random.Random(0)
    queries: set[str] = set()
    while len(queries) < QUERIES:
        item = await client.get(f"/api/products/I{draw.randint(1, options.products):06}")
        words = item.json()["title"].split()
        queries.add(" ".join(draw.sample(words, min(len(words), draw.randint(1, 3)))))
    return sorted(queries)


async def ask(client: Any, query: str, rerank: bool) -> Any:
    return await client.post("/api/search", json={"query": query, "count": COUNT, "rerank": rerank})


async def answer(client: Any, query: str, rerank: bool) -> list[str]:
    return [item["item_id"] for item in (await ask(client, query, rerank)).json()["items"]]


async def closed(client: Any, queries: list[str], together: int, rerank: bool, seconds: float) -> dict[str, float]:
    """So many shoppers, each of whom asks again when answered."""
    took: list[float] = []
    until = time.perf_counter() + seconds

    async def shopper(number: int) -> None:
        draw = random.Random(number)
        while (begun := time.perf_counter()) < until:
            found = await ask(client, draw.choice(queries), rerank)
            assert found.status_code == 200, found.text
            took.append(time.perf_counter() - begun)

    await asyncio.gather(*(shopper(number) for number in range(together)))
    p50, p95 = (round(1000 * float(np.quantile(took, share)), 1) for share in (0.5, 0.95))
    return {"p50_ms": p50, "p95_ms": p95, "per_second": round(len(took) / seconds, 1)}


async def opened(
    client: Any, queries: list[str], quiet: dict[str, list[str]], rate: float, seconds: float, server: Any
) -> dict[str, Any]:
    """Shoppers who come whether others are answered or not."""
    draw, found = random.Random(1), []

    async def shopper(query: str) -> None:
        begun = time.perf_counter()
        try:
            answered = await ask(client, query, True)
        except httpx2.HTTPError as error:
            found.append((type(error).__name__, 0.0, 0))
            return
        own = [item["item_id"] for item in answered.json()["items"]] if answered.status_code == 200 else []
        other = len({*own} - {*quiet[query]}) if own else 0
        found.append((answered.status_code, time.perf_counter() - begun, other))

    tasks, begun = [], time.perf_counter()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        if number == int(rate * seconds / 2):
            server.send_signal(signal.SIGHUP)
        tasks.append(asyncio.create_task(shopper(draw.choice(queries))))
    await asyncio.gather(*tasks)
    served = [took for status, took, _ in found if status == 200]
    count = {
        str(status): sum(own == status for own, _, _ in found) for status in sorted({s for s, _, _ in found}, key=str)
    }
    others = [other for status, _, other in found if status == 200]
    return {
        "asked_per_second": round(rate, 1),
        "answers": count,
        "other_products": {"answers": sum(map(bool, others)), "most_of_ten": max(others)},
        "served_p50_ms": round(1000 * float(np.quantile(served, 0.5)), 1),
        "served_p95_ms": round(1000 * float(np.quantile(served, 0.95)), 1),
    }


async def stopped(client: Any, queries: list[str], server: Any) -> dict[str, int]:
    """Requests that are under way at SIGTERM are answered."""
    tasks = [asyncio.create_task(ask(client, query, True)) for query in queries[:32]]
    await asyncio.sleep(0.1)
    os.kill(server.pid, signal.SIGTERM)
    done = await asyncio.gather(*tasks, return_exceptions=True)
    status = [getattr(one, "status_code", 0) for one in done]
    return {"under_way": len(done), "answered": status.count(200), "exit": server.wait(60)}


if __name__ == "__main__":
    main()
