/** One VISCA head as seen from here: which of its two sockets are taken, and what is waited for from it. */
import { ViscaErrorCode, type ViscaReply } from '../../protocols/visca/visca-reply.ts';

/** What was sent: it tells which reply answers it. */
export type ViscaSent = 'command' | 'inquiry' | 'clear' | 'cancel';

export class ViscaPeer {
  /** Sockets of commands that are accepted and not completed (the head travels), and the how many'th command that is. */
  readonly running = new Map<number, number>();
  #accepted = 0;
  #sent: ViscaSent | undefined;
  #answer: ((reply: ViscaReply | undefined) => void) | undefined;

  /** The reply to what is sent now; undefined where none comes within `timeoutMs`. One at a time. */
  answerTo(sent: ViscaSent, timeoutMs: number): Promise<ViscaReply | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer?.(undefined), timeoutMs);
      this.#sent = sent;
      this.#answer = (reply) => {
        clearTimeout(timer);
        this.#sent = undefined;
        this.#answer = undefined;
        resolve(reply);
      };
    });
  }

  /** Nothing is waited for any longer. */
  giveUp(): void {
    this.#answer?.(undefined);
  }

  heard(reply: ViscaReply): void {
    const isEnd = this.note(reply);
    if (this.#sent !== undefined && answers(reply, this.#sent, isEnd)) this.#answer?.(reply);
  }

  /** Only what it says of sockets; returns whether it ends a command that was accepted before. */
  note(reply: ViscaReply): boolean {
    if (reply.kind === 'ack' && reply.socket !== 0) {
      this.#accepted += 1;
      this.running.set(reply.socket, this.#accepted);
    }
    const isOfSocket = reply.kind === 'completion' || reply.kind === 'error';
    return isOfSocket && this.running.delete(reply.socket);
  }
}

function answers(reply: ViscaReply, sent: ViscaSent, isEnd: boolean): boolean {
  if (reply.kind === 'error') return isOfCancel(reply.code) ? sent === 'cancel' : !isEnd;
  if (isEnd || sent === 'cancel') return false;
  // Some heads complete without an acknowledgement.
  if (sent === 'command') return reply.kind === 'ack' || reply.kind === 'completion';
  return reply.kind === 'completion' && (sent === 'clear' || reply.payload.length > 0);
}

function isOfCancel(code: number): boolean {
  return code === ViscaErrorCode.cancelled || code === ViscaErrorCode.noSocket;
}
