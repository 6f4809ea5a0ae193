"""Why a change cannot be reviewed or applied. Each message ends with what to do."""


class ChangeNotUsable(Exception):
    """The diff, or a file that it changes, cannot be worked with."""


class UnreadableDiff(ChangeNotUsable):
    def __init__(self, line: int, problem: str, remedy: str) -> None:
        super().__init__(f"Line {line} of the diff {problem}. {remedy}")


class DoesNotApply(ChangeNotUsable):
    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"The change does not fit {path!r}: {problem}. Make the diff against the files as they are.")


class NothingChanges(ChangeNotUsable):
    def __init__(self) -> None:
        super().__init__("The files are the same before and after the diff. Give one that changes something.")


class SourceChanged(ChangeNotUsable):
    def __init__(self, path: str) -> None:
        super().__init__(f"{path!r} is not as it was reviewed. Nothing was written; start a new review.")
