/** Whether an event is what the packages' own schemas describe: all of it, with nothing beside it. */
import assert from "node:assert/strict";

import { EventSchema } from "@ag-ui/core/schemas";
import { EventSchemas as OlderSchemas } from "ag-ui-core-0";

export function checkEvent(event, { older }) {
  const parsed = EventSchema.safeParse(event);
  assert.ok(parsed.success, `${JSON.stringify(event)}\n${parsed.error}`);
  assert.deepEqual([...unknownMembers(EventSchema, event, event.type)], [], JSON.stringify(event));
  if (!older) return;
  const parsedByOlder = OlderSchemas.safeParse(event);
  assert.ok(parsedByOlder.success, `for 0.x: ${JSON.stringify(event)}\n${parsedByOlder.error}`);
  assert.deepEqual(parsedByOlder.data, event, "the older schema drops a part");
}

/** Its objects are loose, so that parsing alone lets every member pass; the client strips what no shape has. */
function* unknownMembers(schema, value, path) {
  const { type, innerType, element, options, discriminator, shape } = schema.def;
  if (type === "optional") yield* unknownMembers(innerType, value, path);
  else if (type === "array") for (const [at, item] of value.entries()) yield* unknownMembers(element, item, `${path}/${at}`);
  else if (type === "union") yield* unknownMembers(chosen(options, discriminator, value), value, path);
  else if (type === "object") {
    for (const [name, member] of Object.entries(value)) {
      if (Object.hasOwn(shape, name)) yield* unknownMembers(shape[name], member, `${path}/${name}`);
      else if (!schema.meta()?.specOpen) yield `${path}/${name}`;
    }
  }
}

function chosen(options, discriminator, value) {
  const fits = (option) =>
    discriminator ? option.def.shape[discriminator].def.values.includes(value[discriminator]) : option.safeParse(value).success;
  return options.find(fits);
}
