/** Tokens of programs that collect or command, as Bearer (RFC 6750). */
import type { HttpConfig } from '../config/schema.ts';
import { isSameText } from '../same-text.ts';

export class MachineTokens {
  readonly #tokens: HttpConfig['tokens'];

  constructor(tokens: HttpConfig['tokens']) {
    this.#tokens = tokens;
  }

  /** Every one is compared: the time says nothing about which one it was. undefined: none of them. */
  accessOf(token: string): 'read' | 'admin' | undefined {
    let access: 'read' | 'admin' | undefined;
    for (const known of this.#tokens) {
      if (isSameText(token, known.token ?? '') && known.token !== undefined) access = known.access;
    }
    return access;
  }
}
