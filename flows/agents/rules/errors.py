"""What conditions are refused for, and why an expression gave no answer."""


class InvalidCondition(ValueError):
    """A condition that no rule may have. `problem` says what is wrong and ends with the remedy."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class NoAnswer(Exception):
    """A valid expression that could not be evaluated with these values: its rule did not match. `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
