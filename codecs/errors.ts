/** One error class per reaction of the supervisor; `code` is stable and can be searched for. */

/** Bytes break the spec: the session is over, back off and try again. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  readonly offset: number | undefined;

  constructor(message: string, offset?: number) {
    super(offset === undefined ? message : `${message} (at byte ${offset})`);
    this.offset = offset;
  }
}

/** Well-formed but wrong: an error status, an unexpected message. The session is over, back off. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: string;
  readonly status: number | undefined;

  constructor(code: string, message: string, status?: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** Refused after credentials were sent (or for want of any): retry slowly, cameras lock accounts. */
export class AuthenticationError extends Error {
  override readonly name = 'AuthenticationError';
  /** False when no credentials were configured at all. */
  readonly credentialsSent: boolean;
  /** Nothing is sent before, in ms since the epoch: too many were refused. */
  readonly heldUntilMs: number | undefined;

  constructor(message: string, credentialsSent: boolean, heldUntilMs?: number) {
    super(message);
    this.credentialsSent = credentialsSent;
    this.heldUntilMs = heldUntilMs;
  }
}

/** Legal, but we do not do it: no retry until something changes. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}
