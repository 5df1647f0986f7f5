/** What a RTSP server says no with. RFC 2326 §7.1.1, §11. */

/** Answered with this status. */
export class RtspError extends Error {
  override readonly name = 'RtspError';
  readonly status: Status;
  readonly headers: Headers;

  /** `words`: for people, instead of the standard's. */
  constructor(status: Status, headers: Headers = [], words: string = REASONS[status]) {
    super(words);
    this.status = status;
    this.headers = headers;
  }
}

/** §7.1.1. */
export const REASONS = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  406: 'Not Acceptable',
  415: 'Unsupported Media Type',
  451: 'Parameter Not Understood',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  455: 'Method Not Valid in This State',
  459: 'Aggregate Operation Not Allowed',
  461: 'Unsupported Transport',
  501: 'Not Implemented',
  551: 'Option not supported',
} as const;
export type Status = keyof typeof REASONS;
export type Headers = readonly (readonly [string, string])[];

export function wrongState(): RtspError {
  return new RtspError(455);
}
