/**
 * RC4, the cipher of RTMPE. OpenSSL 3 has it only in its legacy provider, which Node does not load.
 * It hides nothing from anybody who tries: the keys of RTMPE are public.
 */
const STATE_BYTES = 256;

export class Rc4 {
  readonly #state = Uint8Array.from({ length: STATE_BYTES }, (_, index) => index);
  #i = 0;
  #j = 0;

  constructor(key: Uint8Array) {
    const state = this.#state;
    let j = 0;
    for (let i = 0; i < STATE_BYTES; i += 1) {
      const here = state[i] ?? 0;
      j = (j + here + (key[i % key.length] ?? 0)) & 0xff;
      state[i] = state[j] ?? 0;
      state[j] = here;
    }
  }

  /** Encrypts or decrypts in place: one is the other. */
  apply(bytes: Uint8Array): void {
    const state = this.#state;
    let i = this.#i;
    let j = this.#j;
    for (let index = 0; index < bytes.length; index += 1) {
      i = (i + 1) & 0xff;
      const a = state[i] ?? 0;
      j = (j + a) & 0xff;
      const b = state[j] ?? 0;
      state[i] = b;
      state[j] = a;
      bytes[index] = (bytes[index] ?? 0) ^ (state[(a + b) & 0xff] ?? 0);
    }
    this.#i = i;
    this.#j = j;
  }
}
