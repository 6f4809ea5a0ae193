"""Following runs live: `runs.live.follow` is the one reader; WebSocket, SSE, NDJSON and JSON pages encode it."""
