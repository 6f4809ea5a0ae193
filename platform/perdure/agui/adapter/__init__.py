"""What a run's log and stream frames are in the words of AG-UI. Pure: no database, no clock, no Django.

from perdure.agui.adapter import Adapter, Opening, sequence_of
"""

from perdure.agui.adapter.adapter import Adapter
from perdure.agui.adapter.marks import sequence_of
from perdure.agui.adapter.opening import Opening

__all__ = ["Adapter", "Opening", "sequence_of"]
