/** A certificate and its key in files, taken anew when they change: who listens with them ends no session for it. */
import { readFile, stat } from 'node:fs/promises';
import type { Logger } from 'pino';

/** Certificates are renewed weeks before they end. */
const CHECK_EVERY_MS = 10_000;

export interface CertificateFiles {
  /** PEM. */
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificatePem {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export class Certificate {
  readonly #files: CertificateFiles;
  readonly #log: Logger;
  #version = '';

  constructor(files: CertificateFiles, log: Logger) {
    this.#files = files;
    this.#log = log;
  }

  async read(): Promise<CertificatePem> {
    const { certFile, keyFile } = this.#files;
    const version = await this.#versionNow();
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
    this.#version = version;
    return { cert, key };
  }

  /** From `read()` on, until disposed of. `take` throws when the two do not belong together. */
  watch(take: (pem: CertificatePem) => void): Disposable {
    const check = setInterval(() => void this.#check(take), CHECK_EVERY_MS);
    return { [Symbol.dispose]: () => clearInterval(check) };
  }

  async #check(take: (pem: CertificatePem) => void): Promise<void> {
    const { certFile } = this.#files;
    const before = this.#version;
    try {
      if ((await this.#versionNow()) === before) return;
      take(await this.read());
      this.#log.info({ certFile }, 'took the new certificate');
    } catch (err) {
      // Half of a pair may be there while it is being replaced; the old one stays in use.
      this.#version = before;
      this.#log.warn({ err, certFile }, 'cannot take the new certificate yet');
    }
  }

  async #versionNow(): Promise<string> {
    const { certFile, keyFile } = this.#files;
    const [cert, key] = await Promise.all([stat(certFile), stat(keyFile)]);
    return `${cert.mtimeMs} ${cert.size} ${cert.ino} ${key.mtimeMs} ${key.size} ${key.ino}`;
  }
}
