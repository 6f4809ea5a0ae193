"""A death in the middle of a call: from the database's side, nothing more is written."""

from runs.errors import Suspended


class Died(Suspended):
    """Ends what the dead process was doing; to the job's code its run is gone."""
