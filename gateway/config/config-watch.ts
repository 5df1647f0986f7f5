/**
 * Tells that a file is another: by the kernel at once, where it says so, else by looking now and then (network disks, single
 * files mounted into a container). Its folder is watched, because editors put a new file in the old one's place.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Editors and copying programs write in several steps. */
const SETTLE_MS = 300;
/** An empty or missing file is mostly one that is just being written; half of its streams must not go for that. */
const DOUBTFUL_MS = 2_000;
const LOOK_MS = 5_000;

export class ConfigWatch {
  readonly #path: string;
  readonly #changed: () => void;
  #seen: string;
  #watcher: FSWatcher | undefined;
  #look: NodeJS.Timeout | undefined;
  #settle: NodeJS.Timeout | undefined;

  /** `changed`: it may be another; called again for each time that it was written. */
  constructor(path: string, changed: () => void) {
    this.#path = path;
    this.#changed = changed;
    this.#seen = markOf(path);
  }

  start(): void {
    this.#watch();
    this.#look = setInterval(() => {
      if (this.#watcher === undefined) this.#watch();
      this.#glance();
    }, LOOK_MS);
    this.#look.unref();
  }

  stop(): void {
    clearInterval(this.#look);
    clearTimeout(this.#settle);
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #watch(): void {
    try {
      const watcher = watch(dirname(this.#path), { persistent: false }, () => this.#glance());
      this.#watcher = watcher;
      watcher.on('error', () => {
        watcher.close();
        if (this.#watcher === watcher) this.#watcher = undefined;
      });
    } catch {
      // No folder yet, or no watches left in the kernel: it is looked at now and then.
    }
  }

  #glance(): void {
    if (this.#settle !== undefined || markOf(this.#path) === this.#seen) return;
    this.#wait(SETTLE_MS);
  }

  /** Until it has stayed the same for so long. */
  #wait(ms: number): void {
    const mark = markOf(this.#path);
    this.#settle = setTimeout(() => {
      this.#settle = undefined;
      if (markOf(this.#path) !== mark) this.#wait(SETTLE_MS);
      else if (isDoubtful(mark) && ms < DOUBTFUL_MS) this.#wait(DOUBTFUL_MS);
      else if (mark !== this.#seen) {
        this.#seen = mark;
        this.#changed();
      }
    }, ms);
    this.#settle.unref();
  }
}

const MISSING = 'missing';

function markOf(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return [size, ino, mtimeMs, ctimeMs].join(' ');
  } catch {
    return MISSING;
  }
}

function isDoubtful(mark: string): boolean {
  return mark === MISSING || mark.startsWith('0 ');
}
