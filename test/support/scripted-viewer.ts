/** A viewer that takes what it is sent at once, or only when it is told to, and keeps it as text. */
import type { Viewer } from '../../gateway/viewers/fan-out.ts';

export class ScriptedViewer implements Viewer {
  backlogBytes = 0;
  readonly holdsCopies: boolean;
  readonly seen: string[] = [];
  /** As they came, by reference. */
  readonly blocks: Uint8Array[] = [];
  /** Nothing leaves its socket until `take`. */
  isSlow = false;
  onSend: () => void = () => undefined;

  constructor({ holdsCopies = false } = {}) {
    this.holdsCopies = holdsCopies;
  }

  send(bytes: Uint8Array): void {
    this.seen.push(Buffer.from(bytes).toString('latin1').replaceAll('.', ''));
    this.blocks.push(bytes);
    if (this.isSlow) this.backlogBytes += bytes.length;
    this.onSend();
  }

  take(byteLength = this.backlogBytes): void {
    this.backlogBytes -= byteLength;
  }

  sourceChanged(isOnline: boolean): void {
    this.seen.push(isOnline ? '<online>' : '<offline>');
  }

  close(words: string): void {
    this.seen.push(`<closed: ${words}>`);
  }

  /** What has come since the last call. */
  news(): string {
    return this.seen.splice(0).join(' ');
  }
}
