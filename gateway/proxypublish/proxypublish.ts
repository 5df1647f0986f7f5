/** Matches streams with targets and keeps one publish link for each pair. */
import type { Logger } from 'pino';
import type { Hub } from '../hub/hub.ts';
import type { Stream } from '../hub/stream.ts';
import { type Publisher, PublishLink, type PublishLinkContext } from './publish-link.ts';

export interface Target {
  /** Its name in topics, unique. */
  readonly id: string;
  /** Without secrets. */
  readonly url: string;
  /** Exact stream name or glob; undefined: every stream. */
  readonly localStreamName: string | undefined;
  /** False: a session that was lost is not opened again before the stream begins anew. */
  readonly keepAlive: boolean;
  /** A new publisher for one stream. */
  readonly makePublisher: (streamName: string, log: Logger) => Publisher;
}

export class Proxypublish {
  readonly #targets: readonly Target[];
  readonly #context: PublishLinkContext;
  readonly #links = new Map<Stream, PublishLink[]>();

  constructor(targets: readonly Target[], context: PublishLinkContext) {
    this.#targets = targets;
    this.#context = context;
  }

  /** Follows the hub until closed. */
  open(hub: Hub): void {
    for (const stream of hub.streams) this.#add(stream);
    hub.on('added', (stream) => this.#add(stream));
    hub.on('removed', (stream) => {
      const links = this.#links.get(stream) ?? [];
      this.#links.delete(stream);
      for (const link of links) void link.close();
    });
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()].flat();
    this.#links.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  tellStats(): void {
    for (const links of this.#links.values()) for (const link of links) link.tellStats();
  }

  #add(stream: Stream): void {
    const matching = this.#targets.filter((target) => matches(target.localStreamName, stream.name));
    const links = matching.map((target) => {
      const log = this.#context.log.child({ stream: stream.name, target: target.id });
      const publisher = target.makePublisher(stream.name, log);
      return new PublishLink(
        stream,
        { target: target.id, targetUrl: target.url, keepAlive: target.keepAlive, publisher },
        { ...this.#context, log },
      );
    });
    this.#links.set(stream, links);
    for (const link of links) link.open();
  }
}

/** A glob knows `*` and `?`; everything else stands for itself. */
export function matches(glob: string | undefined, name: string): boolean {
  if (glob === undefined) return true;
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`).test(name);
}
