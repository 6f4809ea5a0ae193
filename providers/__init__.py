"""Language-model vendors behind one protocol. Plain Python: no Django, nothing of the other apps."""
