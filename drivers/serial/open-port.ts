/**
 * A serial port: 8 data bits, no parity, 1 stop bit, by the package `serialport`, which is loaded here and nowhere else.
 *
 * The package alone does not always notice that a device has gone: reading from a terminal that was hung up gives "no bytes", and
 * it reads on for ever (node-serialport#2043). `isThere` asks for the baud rate, which fails then, and whether the path still
 * leads to this device.
 */
import { fstat as fstatWithCallback } from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { UnsupportedError } from '../../codecs/errors.ts';

/** Telemetry and positions come slowly; serialport allocates this much for each line. */
const READ_BUFFER_BYTES = 4096;

const fstat = promisify(fstatWithCallback);

export interface PortOptions {
  readonly path: string;
  readonly baudRate: number;
  /** Valid during the call. */
  readonly onBytes: (bytes: Uint8Array) => void;
  /** At most once, and not after `close`. */
  readonly onGone: (error: Error) => void;
}

export interface OpenedPort {
  /** For ioctls. */
  readonly descriptor: number;
  /** Settles when the kernel has taken all of it. */
  write(bytes: Uint8Array): Promise<void>;
  /** Rejects when the device has gone, or another has its path. */
  isThere(): Promise<void>;
  /** Never rejects. */
  close(): Promise<void>;
}

export type OpenPort = (options: PortOptions) => Promise<OpenedPort>;

/** What we use of serialport; its own types are not there where the package is left out. */
interface Port {
  readonly isOpen: boolean;
  readonly port?: { readonly fd: number | null; getBaudRate(): Promise<unknown> };
  open(callback: (error: Error | null) => void): void;
  write(bytes: Uint8Array, callback: (error: Error | null | undefined) => void): boolean;
  close(callback: (error: Error | null) => void): void;
  on(event: 'data', listener: (bytes: Uint8Array) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'close', listener: (error: Error | null) => void): void;
}

export async function openPort(options: PortOptions): Promise<OpenedPort> {
  const { SerialPort } = await loadPackage();
  const port: Port = new SerialPort({
    path: options.path,
    baudRate: options.baudRate,
    autoOpen: false,
    highWaterMark: READ_BUFFER_BYTES,
  });
  const opened = new NodeSerialPort(port, options);
  await opened.open();
  return opened;
}

async function loadPackage() {
  try {
    // Its names are not in the chunk that the bundle makes of it: it is CommonJS.
    return (await import('serialport')).default;
  } catch (cause) {
    throw new UnsupportedError(
      'the package serialport is not installed, or has nothing for this machine: run npm install serialport@13 in the folder of Sluice, and start it again',
      { cause },
    );
  }
}

class NodeSerialPort implements OpenedPort {
  readonly #port: Port;
  readonly #path: string;
  #isGone = false;

  constructor(port: Port, { path, onBytes, onGone }: PortOptions) {
    this.#port = port;
    this.#path = path;
    const gone = (error: Error) => {
      if (this.#isGone) return;
      this.#isGone = true;
      onGone(error);
    };
    port.on('data', (bytes) => {
      if (!this.#isGone) onBytes(bytes);
    });
    port.on('error', gone);
    port.on('close', (error) => gone(error ?? new Error('the port was closed')));
  }

  get descriptor(): number {
    return this.#port.port?.fd ?? -1;
  }

  open(): Promise<void> {
    return settled((callback) => this.#port.open(callback));
  }

  async write(bytes: Uint8Array): Promise<void> {
    // serialport would keep it until the port is opened again.
    if (this.#isGone) throw new Error('it has gone');
    await settled((callback) => void this.#port.write(bytes, callback));
  }

  async isThere(): Promise<void> {
    const { descriptor } = this;
    await this.#port.port?.getBaudRate();
    const [ours, theirs] = await Promise.all([fstat(descriptor), stat(this.#path)]);
    if (ours.rdev !== theirs.rdev) throw new Error('another device has its path');
  }

  async close(): Promise<void> {
    this.#isGone = true;
    if (!this.#port.isOpen) return;
    // That it cannot be closed is of no use to anybody: it is not used again.
    await settled((callback) => this.#port.close(callback)).catch(() => undefined);
  }
}

function settled(call: (callback: (error: Error | null | undefined) => void) => void) {
  return new Promise<void>((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()));
  });
}
