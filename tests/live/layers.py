"""The channel layers that a suite is applied to, made in this process or in another one."""

import asyncio
import json
import sys
from typing import Any

from django.utils.module_loading import import_string

CLASSES = {
    "sqlite": "runs.live.layers.sqlite.SqliteChannelLayer",
    "postgresql": "runs.live.layers.postgresql.PostgresChannelLayer",
    "redis": "channels_redis.pubsub.RedisPubSubChannelLayer",
}


def make_layer(kind: str, config: dict[str, Any]) -> Any:
    return import_string(CLASSES[kind])(**config)


async def send_burst(kind: str, config: dict[str, Any], group: str, count: int, size: int) -> None:
    layer = make_layer(kind, config)
    for number in range(count):
        await layer.group_send(group, {"type": "test", "number": number, "text": "ü" * size})
    await layer.flush()


if __name__ == "__main__":
    kind, config, group, count, size = sys.argv[1:]
    asyncio.run(send_burst(kind, json.loads(config), group, int(count), int(size)))
