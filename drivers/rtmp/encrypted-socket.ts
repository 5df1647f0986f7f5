/** RTMPE over whatever carries it: the handshake, and from then on every byte encrypted. */
import { ProtocolError } from '../../codecs/errors.ts';
import type { RtmpCiphers } from '../../protocols/rtmp/rtmpe.ts';
import { RtmpeClientHandshake } from '../../protocols/rtmp/rtmpe-client-handshake.ts';
import type { RtmpSocket } from './rtmp-socket.ts';

/** From connected to encrypted. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

type State =
  | { readonly at: 'idle' }
  | {
      readonly at: 'handshake';
      readonly carrier: RtmpSocket;
      readonly handshake: RtmpeClientHandshake;
      readonly done: (error?: unknown) => void;
    }
  | { readonly at: 'open'; readonly carrier: RtmpSocket; readonly ciphers: RtmpCiphers };

export class EncryptedSocket implements RtmpSocket {
  readonly #onData: (bytes: Uint8Array) => void;
  #state: State = { at: 'idle' };
  /** What came before the owner knew of the socket. */
  #early: Uint8Array[] | undefined = [];

  constructor(onData: (bytes: Uint8Array) => void) {
    this.#onData = onData;
  }

  get writableLength(): number {
    return this.#carrier.writableLength;
  }

  get destroyed(): boolean {
    return this.#carrier.destroyed;
  }

  /** Destroys the carrier when it throws. */
  async open(carrier: RtmpSocket, signal: AbortSignal): Promise<void> {
    const life = AbortSignal.any([signal, AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS)]);
    const { promise, done } = settling();
    const hungUp = () => {
      const words = 'it closed the connection during the handshake of RTMPE';
      done(new ProtocolError('RTMP_CLOSED', words));
    };
    const aborted = () => done(life.reason);
    const handshake = new RtmpeClientHandshake();
    this.#state = { at: 'handshake', carrier, handshake, done };
    carrier.on('error', done);
    carrier.on('end', hungUp);
    carrier.on('close', hungUp);
    life.addEventListener('abort', aborted, { once: true });
    try {
      life.throwIfAborted();
      carrier.write(handshake.hello());
      await promise;
    } catch (error) {
      carrier.on('error', () => undefined); // what a socket that is given up still has to say
      carrier.destroy();
      throw error;
    } finally {
      life.removeEventListener('abort', aborted);
      carrier.off('error', done);
      carrier.off('end', hungUp);
      carrier.off('close', hungUp);
    }
    setImmediate(() => this.#deliverEarly());
  }

  /** Bytes of the carrier; decrypted where they lie. */
  read(bytes: Uint8Array): void {
    const state = this.#state;
    if (state.at === 'open') {
      state.ciphers.decrypt(bytes);
      this.#deliver(bytes);
    } else if (state.at === 'handshake') {
      this.#shakeHands(bytes, state);
    }
  }

  /** Encrypts a copy: the bytes may be lent, and others may be writing the same. */
  write(bytes: Uint8Array, flushed?: () => void): boolean {
    if (this.#state.at !== 'open') return false;
    const copy = new Uint8Array(bytes);
    this.#state.ciphers.encrypt(copy);
    return this.#state.carrier.write(copy, flushed);
  }

  cork(): void {
    this.#carrier.cork();
  }

  uncork(): void {
    this.#carrier.uncork();
  }

  end(): void {
    this.#carrier.end();
  }

  destroy(): void {
    this.#carrier.destroy();
  }

  on(event: 'error' | 'end' | 'close', listener: (error: Error) => void): void {
    if (event === 'error') this.#carrier.on(event, listener);
    else this.#carrier.on(event, listener as () => void);
  }

  off(event: 'error' | 'end' | 'close', listener: (error: Error) => void): void {
    this.#carrier.off(event, listener);
  }

  once(event: 'close', listener: () => void): void {
    this.#carrier.once(event, listener);
  }

  get #carrier(): RtmpSocket {
    if (this.#state.at === 'idle') throw new TypeError('not open');
    return this.#state.carrier;
  }

  #shakeHands(bytes: Uint8Array, { carrier, handshake, done }: State & { at: 'handshake' }): void {
    try {
      const { reply, rest, ciphers } = handshake.push(bytes);
      if (reply !== undefined) carrier.write(reply);
      if (rest === undefined || ciphers === undefined) return;
      this.#state = { at: 'open', carrier, ciphers };
      if (rest.length > 0) this.#deliver(rest);
      done();
    } catch (error) {
      done(error);
    }
  }

  #deliver(bytes: Uint8Array): void {
    if (this.#early === undefined) this.#onData(bytes);
    else this.#early.push(new Uint8Array(bytes));
  }

  #deliverEarly(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const bytes of early) this.#onData(bytes);
  }
}

function settling() {
  let done: (error?: unknown) => void = () => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    done = (error) => (error === undefined ? resolve() : reject(error));
  });
  promise.catch(() => undefined); // it may fail before it is waited for
  return { promise, done };
}
