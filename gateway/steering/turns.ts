/**
 * Who is next with one camera: one command at a time, few that wait. A move that waits gives way to a newer one. A stop goes before
 * all that wait, waits only for a movement under way (the camera might take them in another order), and ends the moves that wait.
 */
import { CommandError } from '../report/commands.ts';

/** `move`: whatever makes the camera move, travelling to a place included. */
export type TurnKind = 'move' | 'stop' | 'other';

/** A command takes 10 s at most, and whoever asked waits for a minute. */
const MAX_WAITING = 4;

interface Turn {
  readonly kind: TurnKind;
  readonly start: () => Promise<void>;
  readonly reject: (error: CommandError) => void;
}

export class Turns {
  readonly #waiting: Turn[] = [];
  readonly #running = new Set<Turn>();
  /** It waits: whoever else wants it stopped has the same. */
  #nextStop: Promise<unknown> | undefined;

  /** `work` bounds itself. */
  take<T>(kind: TurnKind, work: () => Promise<T>): Promise<T>;
  take(kind: TurnKind, work: () => Promise<unknown>): Promise<unknown> {
    if (kind === 'other') return this.#enter(kind, work);
    if (kind === 'move') {
      this.#replaceMoves('a newer command came before this one was sent to the camera');
      return this.#enter(kind, work);
    }
    this.#replaceMoves('a stop came before this one was sent to the camera');
    if (this.#nextStop !== undefined) return this.#nextStop;
    let hasBegun = false;
    const stop = this.#enter(kind, () => {
      hasBegun = true;
      this.#nextStop = undefined;
      return work();
    });
    if (!hasBegun) this.#nextStop = stop;
    return stop;
  }

  #enter<T>(kind: TurnKind, work: () => Promise<T>): Promise<T> {
    if (kind !== 'stop' && this.#waiting.length >= MAX_WAITING) {
      throw new CommandError('busy', `${MAX_WAITING} commands for this camera wait already`);
    }
    return new Promise<T>((resolve, reject) => {
      const turn: Turn = { kind, start: () => work().then(resolve, reject), reject };
      if (kind === 'stop') this.#waiting.unshift(turn);
      else this.#waiting.push(turn);
      this.#startNext();
    });
  }

  #startNext(): void {
    const [next] = this.#waiting;
    if (next === undefined || !this.#mayStart(next)) return;
    this.#waiting.shift();
    this.#running.add(next);
    void next.start().finally(() => {
      this.#running.delete(next);
      this.#startNext();
    });
  }

  #mayStart({ kind }: Turn): boolean {
    const running = [...this.#running];
    return kind === 'stop' ? running.every((turn) => turn.kind === 'other') : running.length === 0;
  }

  #replaceMoves(words: string): void {
    for (const turn of this.#waiting.filter(({ kind }) => kind === 'move')) {
      this.#waiting.splice(this.#waiting.indexOf(turn), 1);
      turn.reject(new CommandError('busy', words));
    }
  }
}
