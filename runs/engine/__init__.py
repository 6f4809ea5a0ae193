"""Durable execution: models, events and the clock only; no HTTP, no queue, no Channels."""
