"""REST doors to agent flows."""
