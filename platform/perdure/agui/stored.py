"""Protocol runs whose log is gone: the transcript, the state, and how they ended."""

from ag_ui.core import BaseEvent, Event, RunErrorEvent
from pydantic import TypeAdapter

from perdure.agui.adapter import Adapter
from perdure.agui.compat import OlderShape
from perdure.agui.encoding import Told
from perdure.agui.passages import Passage

_EVENT: TypeAdapter[BaseEvent] = TypeAdapter(Event)


def tell_stored(passage: Passage) -> list[Told]:
    """Snapshots instead of the single events, then the terminal event as it was. Nobody can go on from any of them."""
    part = passage.parts[-1]
    told = Adapter(passage.turn_id, passage.history, passage.state).begin(part.opening)
    if part.outcome is None:
        end: BaseEvent = RunErrorEvent(code="HISTORY_PRUNED", message="The log of this run is gone. Load its thread.")
    else:
        end = _EVENT.validate_python(part.outcome)
    older = OlderShape(part.opening.run_id, passage.agent, lambda: passage.history)
    return [Told("", event, older) for event in (*told, end)]
