/** Where a device says that its services and streams are: by who said it, so that what is announced anew replaces what was said before. */
import type { DiscoveredDevice } from './device-registry.ts';

type Urls = Pick<DiscoveredDevice, 'xaddrs' | 'rtspUrls' | 'sourceUrls'>;

/** Methods and services by which one device is seen. */
export const MAX_KEYS = 64;
const MAX_URLS = 16;

export class DeviceUrls {
  readonly #said = new Map<string, Urls>();

  /** What is left out was said before. */
  say(key: string, { xaddrs, rtspUrls, sourceUrls }: Partial<Urls>): void {
    const before = this.#said.get(key);
    if (before === undefined && this.#said.size >= MAX_KEYS) return;
    this.#said.set(key, {
      xaddrs: (xaddrs ?? before?.xaddrs ?? []).slice(0, MAX_URLS),
      rtspUrls: (rtspUrls ?? before?.rtspUrls ?? []).slice(0, MAX_URLS),
      sourceUrls: (sourceUrls ?? before?.sourceUrls ?? []).slice(0, MAX_URLS),
    });
  }

  forget(key: string): void {
    this.#said.delete(key);
  }

  /** Two have turned out to be one. */
  absorb(other: DeviceUrls): void {
    for (const [key, urls] of other.#said) this.say(key, urls);
  }

  /** In an order of their own, whatever was heard first. */
  all(field: keyof Urls): string[] {
    const said = [...this.#said]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([_key, urls]) => urls[field]);
    return [...new Set(said)].slice(0, MAX_URLS);
  }
}
