/** Matches streams with targets and keeps one publish link for each pair. */
import type { Logger } from 'pino';
import type { Hub } from '../hub/hub.ts';
import type { Stream } from '../hub/stream.ts';
import { publishKey } from '../report/board.ts';
import { type Publisher, PublishLink, type PublishLinkContext } from './publish-link.ts';

export interface Target {
  /** Its name in topics, unique. */
  readonly id: string;
  /** Equal for targets that differ in nothing but the streams that they take. Holds secrets. */
  readonly identity: string;
  /** Without secrets. */
  readonly url: string;
  /** Exact stream name or glob; undefined: every stream. */
  readonly localStreamName: string | undefined;
  /** False: a session that was lost is not opened again before the stream begins anew. */
  readonly keepAlive: boolean;
  /** A new publisher for one stream. */
  readonly makePublisher: (streamName: string, log: Logger) => Publisher;
}

interface OpenLink {
  readonly link: PublishLink;
  readonly identity: string;
}

export class Proxypublish {
  #targets: readonly Target[];
  readonly #context: PublishLinkContext;
  /** What a target that came later does is no reason to give up. */
  readonly #atStart: ReadonlySet<string>;
  /** By stream and the target's id. */
  readonly #links = new Map<Stream, Map<string, OpenLink>>();
  /** By what they are called; the next of that name waits for them. */
  readonly #closing = new Map<string, Promise<void>>();

  constructor(targets: readonly Target[], context: PublishLinkContext) {
    this.#targets = targets;
    this.#context = context;
    this.#atStart = new Set(targets.map(({ identity }) => identity));
  }

  get targets(): readonly Target[] {
    return this.#targets;
  }

  /** Follows the hub until closed. */
  open(hub: Hub): void {
    for (const stream of hub.streams) this.#add(stream);
    hub.on('added', (stream) => this.#add(stream));
    hub.on('removed', (stream) => {
      const links = this.#links.get(stream);
      this.#links.delete(stream);
      for (const [id, { link }] of links ?? []) void this.#close(stream, id, link);
    });
  }

  /** From now on these. Links of streams to targets that stay do not notice; resolves when the others are closed. */
  async retarget(targets: readonly Target[]): Promise<void> {
    this.#targets = targets;
    const closed: Promise<void>[] = [];
    for (const [stream, links] of this.#links) {
      for (const [id, { link, identity }] of [...links]) {
        const target = targets.find((one) => one.id === id && one.identity === identity);
        if (target !== undefined && matches(target.localStreamName, stream.name)) continue;
        links.delete(id);
        closed.push(this.#close(stream, id, link));
      }
      this.#open(stream, links);
    }
    await Promise.all(closed);
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()].flatMap((each) => [...each.values()]);
    this.#links.clear();
    await Promise.all([...links.map(({ link }) => link.close()), ...this.#closing.values()]);
  }

  tellStats(): void {
    for (const links of this.#links.values()) {
      for (const { link } of links.values()) link.tellStats();
    }
  }

  #add(stream: Stream): void {
    const links = new Map<string, OpenLink>();
    this.#links.set(stream, links);
    this.#open(stream, links);
  }

  /** Those that are not there yet. */
  #open(stream: Stream, links: Map<string, OpenLink>): void {
    const context = this.#context;
    for (const { id, identity, url, localStreamName, keepAlive, makePublisher } of this.#targets) {
      if (links.has(id) || !matches(localStreamName, stream.name)) continue;
      const log = context.log.child({ stream: stream.name, target: id });
      const link = new PublishLink(
        stream,
        { target: id, targetUrl: url, keepAlive, publisher: makePublisher(stream.name, log) },
        { ...context, log, ...(this.#atStart.has(identity) ? {} : { onConnectError: () => {} }) },
      );
      links.set(id, { link, identity });
      const closing = this.#closing.get(publishKey(stream.name, id));
      if (closing === undefined) link.open();
      else void closing.then(() => this.#links.get(stream)?.get(id)?.link === link && link.open());
    }
  }

  #close(stream: Stream, id: string, link: PublishLink): Promise<void> {
    const key = publishKey(stream.name, id);
    const closing = link.close().finally(() => {
      if (this.#closing.get(key) === closing) this.#closing.delete(key);
    });
    this.#closing.set(key, closing);
    return closing;
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
