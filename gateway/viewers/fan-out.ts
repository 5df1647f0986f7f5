/**
 * One stream to many viewers of one protocol: each access unit is framed once, and all viewers' sockets refer to the
 * same bytes. It subscribes to a stream only while somebody watches; nothing is framed for nobody.
 *
 * There is no queue of our own for each viewer: what it has not taken waits in its socket, and `Seat` decides how much that
 * may be.
 */
import type { Socket } from 'node:net';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import type { Track } from '../../codecs/track.ts';
import type { Hub } from '../hub/hub.ts';
import type { BacklogBudget } from './backlog-budget.ts';
import { Channel } from './channel.ts';

/** How often viewers that take nothing are looked for, and streams that nobody watches any more. */
const LOOK_EVERY_MS = 1_000;
/** Who reloads the page, or switches to and fro, starts at once. */
const LINGER_MS = 5_000;

/** Access units → the bytes of one protocol. One for each stream and protocol. */
export interface Framer {
  /** Called again when a source returns, or a track changes. */
  start(tracks: readonly Track[]): void;
  /** What a viewer gets before its first frame. */
  header(): Uint8Array | undefined;
  /** One unit in memory of its own that is never written again; undefined: not carried. */
  frame(unit: AccessUnit): Uint8Array | undefined;
}

export interface Viewer {
  /** What its socket still holds. */
  readonly backlogBytes: number;
  /** What waits is its own copy, encrypted for it alone, and not the bytes that all viewers share. */
  readonly holdsCopies?: boolean;
  /** Takes the bytes as they are, and is this viewer's alone: while it holds nothing it may be written to past `send`. */
  readonly socket?: Socket | undefined;
  /** Shared with other viewers: never change it. */
  send(bytes: Uint8Array): void;
  /** The source has gone, or has come back; also while nothing has been sent yet. */
  sourceChanged?(isOnline: boolean): void;
  /** Too slow for too long: it is no longer sent anything. */
  close(words: string): void;
}

/** A viewer's place. Disposed of by whoever joined. */
export interface Viewing extends Disposable {
  /** That it was too slow for. */
  readonly droppedGops: number;
}

export interface FanOutContext {
  /** Milliseconds on a clock that never goes backwards. */
  readonly now: () => number;
  /** One for all viewers of the process. */
  readonly budget: BacklogBudget;
}

export class FanOut {
  readonly #hub: Hub;
  readonly #makeFramer: (streamName: string) => Framer;
  readonly #context: FanOutContext;
  readonly #channels = new Map<string, Channel>();
  #looking: NodeJS.Timeout | undefined;

  constructor(hub: Hub, makeFramer: (streamName: string) => Framer, context: FanOutContext) {
    this.#hub = hub;
    this.#makeFramer = makeFramer;
    this.#context = context;
  }

  /** The stream need not exist yet. Header and current GOP are sent before this returns. */
  join(streamName: string, viewer: Viewer): Viewing {
    const channel = this.#channels.get(streamName) ?? this.#open(streamName);
    return channel.join(viewer);
  }

  #open(name: string): Channel {
    const channel: Channel = new Channel(
      this.#hub,
      name,
      this.#makeFramer(name),
      this.#context,
      // Nothing is there to linger for, and a player may try any number of names.
      () => {
        if (!channel.isOnline) this.#close(name, channel);
      },
    );
    this.#channels.set(name, channel);
    this.#looking ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    channel.open();
    return channel;
  }

  #close(name: string, channel: Channel): void {
    channel.close();
    if (this.#channels.get(name) === channel) this.#channels.delete(name);
  }

  #look(): void {
    for (const [name, channel] of this.#channels) {
      channel.look();
      if (channel.emptyForMs() < LINGER_MS) continue;
      this.#close(name, channel);
    }
    if (this.#channels.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }
}
