/** What an RTMP session needs of a socket: one of Node's is one. */
export interface RtmpSocket {
  /** What was written and the network has not taken. */
  readonly writableLength: number;
  readonly destroyed: boolean;
  /** `flushed`: the network has taken them. */
  write(bytes: Uint8Array, flushed?: () => void): boolean;
  cork(): void;
  uncork(): void;
  /** Closes when everything has gone out. */
  end(): unknown;
  destroy(): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** The peer has closed its side; the connection is over. */
  on(event: 'end' | 'close', listener: () => void): unknown;
  off(event: 'error' | 'end' | 'close', listener: (error: Error) => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}
