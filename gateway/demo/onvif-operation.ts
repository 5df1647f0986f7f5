/** What a service of the virtual camera is made of: operations by their names, each from the request's element to the answer's XML. */
import type { XmlElement } from '../../protocols/soap/xml.ts';

/** Returns the content of `<prefix:NAMEResponse>`. Throws `OnvifFault`. `query`: what stood behind a question mark in the address. */
export type OnvifOperation = (request: XmlElement, query: string) => string | Promise<string>;

/** By their names. */
export type OnvifOperations = Readonly<Record<string, OnvifOperation>>;

export interface OnvifService {
  /** Several may have the same. */
  readonly path: string;
  readonly namespace: string;
  /** Of the elements of its answers; bound in every envelope. */
  readonly prefix: string;
  readonly operations: OnvifOperations;
}

/** ONVIF Core §5.8.2: faults by their subcodes, such as `ter:NoToken`. */
export class OnvifFault extends Error {
  override readonly name = 'OnvifFault';
  readonly subcodes: readonly string[];

  constructor(subcodes: readonly string[], message: string) {
    super(message);
    this.subcodes = subcodes;
  }
}

export function invalidArgument(subcode: string, message: string): OnvifFault {
  return new OnvifFault(['ter:InvalidArgVal', subcode], message);
}

/** Of an xs:duration of minutes and seconds, as clients write them. */
export function durationMs(text: string): number | undefined {
  const [, minutes, seconds] = /^PT(?:(\d{1,4})M)?(?:(\d{1,6}(?:\.\d{1,9})?)S)?$/.exec(text) ?? [];
  if (minutes === undefined && seconds === undefined) return undefined;
  return Number(minutes ?? 0) * 60_000 + Number(seconds ?? 0) * 1000;
}
