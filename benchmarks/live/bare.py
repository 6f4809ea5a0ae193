"""The floor of a streaming worker: an asyncio loop that does the same sleeps and nothing else."""

import asyncio
import json
import sys
import time


async def _sleep_often(count: int, seconds: float) -> None:
    for _ in range(count):
        await asyncio.sleep(seconds)


async def _all(tasks: int, count: int, seconds: float) -> None:
    await asyncio.gather(*(_sleep_often(count, seconds) for _ in range(tasks)))


def main() -> None:
    tasks, count, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    before = time.process_time()
    asyncio.run(_all(tasks, count, seconds))
    sys.stdout.write(json.dumps({"cpu_seconds": time.process_time() - before}) + "\n")


if __name__ == "__main__":
    main()
