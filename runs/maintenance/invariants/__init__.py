"""What must hold of the rows at any moment: `manage.py check_invariants`, the admin, and the workers that mend."""

from runs.maintenance.invariants.catalogue import INVARIANTS
from runs.maintenance.invariants.finding import Found, Looked, find_violations, look
from runs.maintenance.invariants.registry import Ids, Invariant, Violation, register

__all__ = ["INVARIANTS", "Found", "Ids", "Invariant", "Looked", "Violation", "find_violations", "look", "register"]
