/** What the bench's processes say to one another. */

/** The stretch of time that is measured: an access unit belongs to it by the time at which it was sent. */
export interface Window {
  readonly fromUs: number;
  readonly toUs: number;
}

/** To cameras and sink. */
export type Request = { readonly window: Window } | { readonly collect: true };

export interface CamerasResult {
  readonly video: number;
  readonly audio: number;
  /** Due, but the system under test did not read. */
  readonly withheld: number;
}

export interface SinkResult {
  readonly video: number;
  readonly audio: number;
  /** Bytes differ from what the camera sent. */
  readonly corrupt: number;
  /** Twice, or after a later one. */
  readonly disordered: number;
  /** Send → arrival of each video access unit, sorted. */
  readonly latenciesUs: readonly number[];
}

/** From cameras and sink. */
export type Notice<Result> =
  | { readonly ports: readonly number[] }
  | { readonly flowing: number }
  | { readonly result: Result };
