export { PerdureClient } from "./client.js";
export { ConnectionLost, PerdureError } from "./errors.js";
export type * from "./models.js";
export type { FollowOptions, Options } from "./transport.js";
