/** The server refused: its stable `code`, its message (which ends with a remedy), the HTTP status and more. */
export class PerdureError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
    this.name = "PerdureError";
  }
}

/** The server was not reached within the time given. */
export class ConnectionLost extends Error {
  constructor(baseUrl: string, cause: unknown) {
    super(`${baseUrl} was not reached: ${cause instanceof Error ? cause.message : "no answer"}. Is it running?`, { cause });
    this.name = "ConnectionLost";
  }
}

/** What a response of 400 or more tells. */
export async function errorOf(response: Response): Promise<PerdureError> {
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string; details?: Record<string, unknown> } };
    return new PerdureError(error.code, error.message, response.status, error.details ?? {});
  } catch {
    return new PerdureError("unexpected_answer", `The server answered ${response.status}.`, response.status);
  }
}
