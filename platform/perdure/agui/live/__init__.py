"""The WebSocket of AG-UI."""
