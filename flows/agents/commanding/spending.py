"""What a program used, on the attempt that called it."""

from flows.agents.commanding.protocol import Spent
from flows.llm.prices import cost_of
from flows.llm.usage import TOKENS
from providers.replies import Usage
from runs.jobs import current_attempt


class Spending:
    """Tells the attempt what came since it was last told. A program that does not say what it cost is priced by the
    table of the settings, as models are."""

    def __init__(self, command: str) -> None:
        self._command = command
        self.usage = Usage()
        self._cost = 0.0

    def tell(self, spent: Spent) -> None:
        figures: dict[str, object] = {"provider": self._command, "counted_by": "command"}
        if spent.model:
            figures["model"] = spent.model
        for name in TOKENS:
            more = getattr(spent.usage, name) - getattr(self.usage, name)
            if more or name in ("input_tokens", "output_tokens"):
                figures[name] = more
        cost = spent.cost if spent.cost is not None else cost_of(spent.model, spent.usage)
        if cost is not None:
            figures["cost"] = round(cost - self._cost, 10)
            self._cost = cost
        self.usage = spent.usage
        current_attempt().usage(**figures)
