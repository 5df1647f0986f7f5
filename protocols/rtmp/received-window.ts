/** When the peer is to be told how much has come: each time that the window it wishes for is full. RTMP 1.0 §5.4.3 and §5.4.4. */
import { controlMessage } from './control.ts';
import { MessageType, type RtmpMessage } from './message.ts';

/** What Flash Media Server used. */
export const WINDOW_BYTES = 2_500_000;

export class ReceivedWindow {
  /** 0: the peer wants to be told nothing. */
  windowBytes: number;
  #receivedBytes = 0;
  #acknowledgedBytes = 0;

  constructor(windowBytes: number) {
    this.windowBytes = windowBytes;
  }

  /** The acknowledgement, when one is due. */
  received(byteLength: number): RtmpMessage | undefined {
    this.#receivedBytes += byteLength;
    if (this.windowBytes === 0) return undefined;
    if (this.#receivedBytes - this.#acknowledgedBytes < this.windowBytes) return undefined;
    this.#acknowledgedBytes = this.#receivedBytes;
    return controlMessage(MessageType.acknowledgement, this.#receivedBytes % 2 ** 32);
  }
}
