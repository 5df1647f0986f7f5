/** How a virtual camera checks logins: strictly, as an Axis camera does. */
import { createHash, randomBytes } from 'node:crypto';
import { passwordDigest } from '../../../protocols/soap/username-token.ts';
import { textAt, type XmlElement } from '../../../protocols/soap/xml.ts';

const TOKEN_WINDOW_MS = 5000;
const REALM = 'virtual';

export interface VirtualAccount {
  readonly username: string;
  password: string;
  /** Its clock minus the true time. */
  clockOffsetMs: number;
}

export class VirtualLogin {
  readonly #account: VirtualAccount;
  readonly #algorithm: 'MD5' | 'SHA-256';
  readonly #seenNonces = new Set<string>();
  #nonce = randomBytes(12).toString('hex');

  constructor(account: VirtualAccount, algorithm: 'MD5' | 'SHA-256') {
    this.#account = account;
    this.#algorithm = algorithm;
  }

  get challenge(): string {
    return `Digest realm="${REALM}", qop="auth, auth-int", nonce="${this.#nonce}", algorithm=${this.#algorithm}`;
  }

  /** As after a restart: what was answered with the old one is refused. */
  renewNonce(): void {
    this.#nonce = randomBytes(12).toString('hex');
  }

  isTokenRight(token: XmlElement): boolean {
    const { username, password, clockOffsetMs } = this.#account;
    const nonce = textAt(token, 'Nonce') ?? '';
    const created = textAt(token, 'Created') ?? '';
    const isFresh = Math.abs(Date.parse(created) - (Date.now() + clockOffsetMs)) <= TOKEN_WINDOW_MS;
    const isReplay = this.#seenNonces.has(nonce);
    this.#seenNonces.add(nonce);
    return (
      isFresh &&
      !isReplay &&
      textAt(token, 'Username') === username &&
      textAt(token, 'Password') === passwordDigest(Buffer.from(nonce, 'base64'), created, password)
    );
  }

  isDigestRight(authorization: string, method: string, url: string): boolean {
    const { username, password } = this.#account;
    const value = (name: string) =>
      new RegExp(`[ ,]${name}="?([^",]*)"?`).exec(authorization)?.[1] ?? '';
    const hash = (text: string) =>
      createHash(this.#algorithm === 'SHA-256' ? 'sha256' : 'md5')
        .update(text)
        .digest('hex');
    const ha1 = hash(`${username}:${REALM}:${password}`);
    const ha2 = hash(`${method}:${url}`);
    const expected = hash(`${ha1}:${this.#nonce}:${value('nc')}:${value('cnonce')}:auth:${ha2}`);
    return value('username') === username && value('response') === expected;
  }
}
