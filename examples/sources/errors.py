"""Why a folder or a file of it is not shown. Each message ends with what to do."""


class FolderNotAllowed(Exception):
    is_retryable = False

    def __init__(self, folder: str, problem: str) -> None:
        super().__init__(
            f"Folder {folder!r} {problem}. Leave it empty for Perdure's own source, or have an operator name it in "
            "PERDURE_LLM_TOOL_FOLDERS."
        )


class NotShown(Exception):
    is_retryable = False

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path!r} {problem}, so it is not read. Name another file.")
