/** A live connection to a broker, ours or another's, as the reporter sees it. */

export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** MQTT 5: the broker forgets it after so long. */
  readonly expiryS?: number;
  readonly correlationData?: Uint8Array | undefined;
}

export interface IncomingMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  /** MQTT 5 only. */
  readonly responseTopic?: string | undefined;
  readonly correlationData?: Uint8Array | undefined;
}

/** The connection stays: the message is too large for the broker, or its access list says no. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

export interface BrokerLink {
  /** QoS 1 messages that may be without acknowledgement at one time. */
  readonly window: number;
  /** False while the broker does not read: what is not retained is then skipped. */
  readonly isWritable: boolean;
  /**
   * `done` is called once: the broker has it (QoS 1), it is on its way (QoS 0), the broker does not take it, which is a
   * `RefusedError`, or the connection is going, which is another.
   */
  publish(message: OutgoingMessage, done?: (error?: Error | null) => void): void;
  /** `withRetained`: what the broker holds is wanted too, not only what comes from now on. */
  subscribe(filter: string, withRetained: boolean): void;
  unsubscribe(filter: string): void;
}
