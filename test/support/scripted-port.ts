/** A serial port in memory: what is written is kept, what is heard and when it is lost is up to the test. */
import { EventEmitter, once } from 'node:events';
import type { OpenedPort, OpenPort, PortOptions } from '../../drivers/serial/open-port.ts';
import { toHex } from './hex.ts';

export class ScriptedPorts extends EventEmitter {
  /** In hex, one entry a write. */
  readonly written: string[] = [];
  /** Opening fails with it. */
  refusal: Error | undefined;
  /** Writing never ends. */
  isStuck = false;
  /** What `isThere` rejects with. */
  absence: Error | undefined;
  opened = 0;
  closed = 0;
  #current: PortOptions | undefined;

  readonly open: OpenPort = async (options) => {
    if (this.refusal !== undefined) throw this.refusal;
    this.opened += 1;
    this.#current = options;
    let isOpen = true;
    const port: OpenedPort = {
      descriptor: 7,
      write: async (bytes) => {
        if (!isOpen) throw new Error('EIO: i/o error, write');
        if (this.isStuck) return await new Promise(() => {});
        this.written.push(toHex(bytes));
        this.emit('written', bytes);
      },
      isThere: async () => {
        if (this.absence !== undefined) throw this.absence;
      },
      close: async () => {
        isOpen = false;
        this.closed += 1;
        this.#current = undefined;
      },
    };
    setImmediate(() => this.emit('opened'));
    return port;
  };

  hear(bytes: Uint8Array): void {
    this.#current?.onBytes(bytes);
  }

  unplug(): void {
    this.#current?.onGone(new Error('EIO: i/o error, read'));
  }

  async untilOpened(): Promise<void> {
    await once(this, 'opened');
  }
}
