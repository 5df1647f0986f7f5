/** What carries a head's packets: a bus that others use, too, or a network. */
import type { BusJobKind } from '../serial/bus-queue.ts';

export interface HeadJob {
  readonly kind: BusJobKind;
  readonly packets: readonly Uint8Array[];
  /** The first packet may reach the head from now on. */
  readonly onSend?: () => void;
}

export interface HeadLink {
  /** Settles when all is sent or, where heads answer, accepted. */
  send(job: HeadJob, signal?: AbortSignal): Promise<void>;
  /** The answer to an inquiry, as it came. */
  ask(inquiry: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /** Where the link is the head's alone. */
  close?(): void;
}
