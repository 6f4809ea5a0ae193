"""Names of steps that stand for files."""

import hashlib

_LONGEST = 200


def step_name(work: str, path: str, place: str = "", longest: int = _LONGEST) -> str:
    """`<work> <path><place>`; the end of a long path and a digest of the whole, because a step's name is limited."""
    name = f"{work} {path}{place}"
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(path.encode()).hexdigest()[:12]
    return f"{work} {digest} ...{path[60 - longest :]}{place}"
