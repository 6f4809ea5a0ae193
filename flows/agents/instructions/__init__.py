"""What an agent is told, word for word: pure functions of the flow and of what its run knows so far."""

from flows.agents.instructions.building import Built, build
from flows.agents.instructions.situation import Situation

__all__ = ["Built", "Situation", "build"]
