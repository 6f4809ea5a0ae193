"""From a flow as it is written to the flow itself: every file read, every default written out."""

import json
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from flows.agents import spec, written
from flows.agents.facets import Facets, Piece, Refused
from flows.agents.validation.found import Found
from flows.documents import Path

BETWEEN = "\n\n---\n\n"
"""Between the parts of an instruction that is a list."""

MOST_TEXT = 900_000
"""Characters of all texts that a flow's steps and personas are put together of: what a run records of its definition
has to fit into one payload."""


class Assembling:
    """`pieces` holds, by path, of what texts a text was put together; `found` what cannot be read."""

    def __init__(self, flow: written.Flow, folder: FilePath | None) -> None:
        self._flow = flow
        self._facets = Facets(folder)
        self._personas: dict[str, spec.Persona] = {}
        self._texts: dict[str, dict[str, str]] = {"policies": {}, "knowledge": {}}
        self._left = MOST_TEXT
        self.found: list[Found] = []
        self.pieces: dict[Path, list[Piece]] = {}

    def flow(self) -> spec.Flow:
        """The flow; it is no good where something was found."""
        given = self._flow
        for name, persona in given.personas.items():
            self._personas[name] = self._persona(persona, ("personas", name))
        for kind in self._texts:
            for name in getattr(given, kind):
                self._section(kind, name, (kind, name))
        steps = tuple(self._step(step, ("steps", place)) for place, step in enumerate(given.steps))
        monitors = tuple(self._monitor(one, ("loop_monitors", place)) for place, one in enumerate(given.loop_monitors))
        answerer = self._named_persona(given.answer_agent, "answer_agent", ("answer_agent",))
        same = {"name", "version", "description", "language", "rule_order", "loop_detection", "workspace", "subflow",
                "interventions", "budget", "agui", "max_steps"}  # fmt: skip
        return spec.Flow(
            **{key: getattr(given, key) for key in same},
            initial_step=given.initial_step or given.steps[0].name,
            answer_agent=answerer,
            personas=self._personas, steps=steps, loop_monitors=monitors, **self._texts,
        )  # fmt: skip

    # -- texts ----------------------------------------------------------------------------------------------------

    def _refused(self, exc: Refused, path: Path) -> None:
        self.found.append(Found(exc.message, path, exc.remedy))

    def _text(self, kind: str, text: str, path: Path, inline: bool = True) -> str:
        try:
            piece = self._facets.text(kind, text, getattr(self._flow, kind), path, inline=inline)
        except Refused as exc:
            self._refused(exc, path)
            return ""
        self.pieces[path] = [piece]
        return self._taken(piece, path)

    def _taken(self, piece: Piece, path: Path) -> str:
        """Its text; nothing of one that would make the flow too large, however often it is named."""
        if self._left < 0:
            return ""
        self._left -= len(piece.text)
        if self._left < 0:
            told = f"the texts of this flow are longer than {MOST_TEXT:,} characters together"
            self.found.append(Found(told, path, "Shorten them, or share them as policies or knowledge."))
            return ""
        return piece.text

    def _joined(self, kind: str, texts: tuple[str, ...], path: Path) -> str:
        """A text that is alone stands at the path itself."""
        places = [(*path, place) for place in range(len(texts))] if len(texts) != 1 else [path]
        parts = [self._text(kind, text, place) for text, place in zip(texts, places, strict=True)]
        self.pieces[path] = [piece for place in places for piece in self.pieces.get(place, ())]
        return BETWEEN.join(parts)

    def _section(self, kind: str, name: str, path: Path) -> str:
        """Puts the policy or knowledge into the flow; the name it has there."""
        texts = self._texts[kind]
        if name not in texts:
            texts[name] = self._text(kind, name, path, inline=False)
        return name

    # -- personas -------------------------------------------------------------------------------------------------

    def _persona(self, persona: written.Persona, path: Path) -> spec.Persona:
        prompt = persona.prompt
        try:
            piece = self._facets.file(persona.file) if persona.file else self._facets.entry(prompt, path)
            self.pieces[path] = [piece]
            prompt = self._taken(piece, path)
        except Refused as exc:
            self._refused(exc, path)
        return spec.Persona(prompt=prompt, **persona.model_dump(exclude={"prompt", "file"}))

    def _named_persona(self, name: str | None, own: str, path: Path) -> str | None:
        """The key under which the persona stands in the flow. A text or file becomes one of its own."""
        if name is None or name in self._personas:
            return name
        try:
            piece = self._facets.text("personas", name, self._flow.personas, path, inline=True)
        except Refused as exc:
            self._refused(exc, path)
            return None
        key = FilePath(piece.file).stem if piece.file else own if piece.text else name
        persona = self._of_piece(piece, path)
        if self._personas.get(key, persona) != persona:
            key = f"{key}: {name[:30]}"
        self._personas[key] = persona
        self.pieces.setdefault(("personas", key), [piece])
        return key

    def _of_piece(self, piece: Piece, path: Path) -> spec.Persona:
        if not piece.file.endswith((".yaml", ".yml", ".json")):
            return spec.Persona(prompt=self._taken(piece, path))
        try:
            return spec.Persona.model_validate(self._facets.value(piece))
        except Refused as exc:
            self._refused(exc, path)
        except ValueError as exc:
            self.found.append(Found(f"{piece.file} is no persona: {exc}", path, "Correct the file."))
        return spec.Persona()

    # -- steps ----------------------------------------------------------------------------------------------------

    def _step(self, step: written.Step, path: Path) -> spec.Step:
        same = {"name", "description", "persona_name", "edit", "allowed_tools", "profile", "model", "session",
                "session_key", "pass_previous_response", "rules", "default", "most_gate_rounds", "concurrency",
                "call", "call_version", "with_", "function", "ask"}  # fmt: skip
        parts: dict[str, Any] = {key: getattr(step, key) for key in same}
        if step.instruction:
            parts["instruction"] = self._joined("instructions", step.instruction, (*path, "instruction"))
        if step.required_permission_mode is not None:
            parts["permission"] = step.required_permission_mode
        elif step.edit:
            parts["permission"] = spec.Permission.EDIT
        for kind, key in (("policies", "policy"), ("knowledge", "knowledge")):
            parts[key] = tuple(
                self._section(kind, name, (*path, key, place))
                for place, name in enumerate(dict.fromkeys(getattr(step, key)))
            )
        return spec.Step(
            **parts,
            persona=self._named_persona(step.persona, step.name, (*path, "persona")),
            reports=self._reports(step, path),
            output_schema=self._schema(step.structured_output, (*path, "structured_output")),
            quality_gates=tuple(_gate(gate) for gate in step.quality_gates),
            parallel=tuple(self._step(sub, (*path, "parallel", at)) for at, sub in enumerate(step.parallel or ())),
        )

    def _reports(self, step: written.Step, path: Path) -> tuple[spec.Report, ...]:
        made = []
        for key, reports in (("report", step.report), ("output_contracts", step.output_contracts.report)):
            for place, one in enumerate(reports):
                at = (*path, key, *(("report",) if key == "output_contracts" else ()), place)
                form = self._text("report_formats", one.format, (*at, "format")) if one.format else ""
                try:
                    made.append(spec.Report(name=one.name, label=one.label, format=form, order=one.order))
                except ValueError:
                    message = f"{one.name[:50]!r} is no name of a report"
                    self.found.append(Found(message, at, "Name a file without folders, as in `review.md`."))
        return tuple(made)

    def _schema(self, given: written.Structured | None, path: Path) -> dict[str, Any] | None:
        if given is None:
            return None
        if given.schema_ is not None:
            return given.schema_
        if given.schema_ref is None:
            self.found.append(Found("structured_output has no schema", path, "Add `schema` or `schema_ref`."))
            return None
        entry = self._flow.schemas.get(given.schema_ref)
        if isinstance(entry, Mapping):
            return dict(entry)
        return self._schema_of(given.schema_ref, (*path, "schema_ref"))

    def _schema_of(self, name: str, path: Path) -> dict[str, Any] | None:
        try:
            value = self._facets.value(self._facets.text("schemas", name, self._flow.schemas, path, inline=False))
        except Refused as exc:
            self._refused(exc, path)
            return None
        if not isinstance(value, dict):
            self.found.append(Found(f"the schema {name!r} is no mapping", path, "Write it as JSON Schema."))
            return None
        return json.loads(json.dumps(value))  # type: ignore[no-any-return]

    def _monitor(self, monitor: written.Monitor, path: Path) -> spec.LoopMonitor:
        own = "judge of " + " ".join(monitor.cycle)
        judge = monitor.judge
        made = spec.Judge(
            persona=self._named_persona(judge.persona, own[:60], (*path, "judge", "persona")),
            instruction=self._joined("instructions", judge.instruction, (*path, "judge", "instruction")),
            rules=judge.rules,
        )
        return spec.LoopMonitor(**(monitor.model_dump(exclude={"judge"}) | {"judge": made}))


def _gate(gate: written.Gate) -> spec.Gate:
    seconds = gate.timeout_seconds or (gate.timeout_ms or 300_000) / 1000
    return spec.Gate(name=gate.name, text=gate.text, command=gate.command, timeout_seconds=seconds)
