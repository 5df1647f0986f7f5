/**
 * Every topic, in one place. State is retained, QoS 1; `stats` are neither, and so told to whoever comes besides; `event` is
 * QoS 1 alone, `snapshot` is retained where it is told every so often (`mqtt.snapshotIntervalMs`).
 * Payloads are the types of status.ts as JSON; `state` and `motion` are plain words, `snapshot` is a JPEG.
 */
import { toName } from '../names.ts';

export class Topics {
  /** `<baseTopic>/<gateway id>`: all our topics begin with it. */
  readonly base: string;
  /** `online`, `stopped`, or by last will `offline`. */
  readonly state: string;
  readonly info: string;
  readonly health: string;
  readonly event: string;
  readonly position: string;
  readonly commandFilter: string;
  /** Where an earlier life of this gateway may have left retained state of what is gone; JPEGs are too large to be listed. */
  readonly sweepFilters: readonly string[];

  constructor(baseTopic: string, gatewayId: string) {
    this.base = `${baseTopic}/${gatewayId}`;
    this.state = `${this.base}/state`;
    this.info = `${this.base}/info`;
    this.health = `${this.base}/health`;
    this.event = `${this.base}/event`;
    this.position = `${this.base}/position`;
    this.commandFilter = `${this.base}/cmd/#`;
    const ofStreams = ['status', 'info', 'motion'].map((part) => `stream/+/${part}`);
    const others = ['publish', 'found', 'serial', 'position'].map((part) => `${part}/#`);
    this.sweepFilters = [...ofStreams, ...others].map((filter) => `${this.base}/${filter}`);
  }

  streamStatus(stream: string): string {
    return `${this.base}/stream/${level(stream)}/status`;
  }

  /** The stream whose status is told there; undefined: of none. */
  streamOfStatus(topic: string): string | undefined {
    const [name = ''] = topic.slice(`${this.base}/stream/`.length).split('/');
    return topic === this.streamStatus(name) ? name : undefined;
  }

  streamInfo(stream: string): string {
    return `${this.base}/stream/${level(stream)}/info`;
  }

  streamStats(stream: string): string {
    return `${this.base}/stream/${level(stream)}/stats`;
  }

  /** A plain word: `ON` or `OFF`. */
  streamMotion(stream: string): string {
    return `${this.base}/stream/${level(stream)}/motion`;
  }

  /** A JPEG, each time one is asked for. */
  streamSnapshot(stream: string): string {
    return `${this.base}/stream/${level(stream)}/snapshot`;
  }

  publish(stream: string, target: string): string {
    return `${this.base}/publish/${level(stream)}/${level(target)}`;
  }

  found(id: string): string {
    return `${this.base}/found/${level(id)}`;
  }

  serial(line: string): string {
    return `${this.base}/serial/${level(line)}`;
  }

  command(verb: string): string {
    return `${this.base}/cmd/${verb}`;
  }

  /** The verb of a command topic; undefined for any other topic. */
  verbOf(topic: string): string | undefined {
    const prefix = `${this.base}/cmd/`;
    return topic.startsWith(prefix) ? topic.slice(prefix.length) : undefined;
  }

  reply(verb: string): string {
    return `${this.base}/res/${verb}`;
  }

  /**
   * Whether a requester may have its reply there: no wildcard, no broker's own topic, and not our
   * own state, which a request could otherwise overwrite.
   */
  canReplyTo(topic: string): boolean {
    if (topic === '' || topic.length > 1024 || /[+#\0]|^\$/.test(topic)) return false;
    return !topic.startsWith(`${this.base}/`) || topic.startsWith(`${this.base}/res/`);
  }
}

/** Whether a subscription of `filter` hears `topic` (MQTT 3.1.1 §4.7.1). */
export function isHeardBy(filter: string, topic: string): boolean {
  const levels = topic.split('/');
  const wanted = filter.split('/');
  if (wanted.at(-1) === '#') {
    wanted.pop();
    // "a/#" hears "a", too.
    levels.length = Math.min(levels.length, wanted.length);
  }
  if (wanted.length !== levels.length) return false;
  return wanted.every((level, index) => level === '+' || level === levels[index]);
}

/** Names are valid already where they are given; this only makes a wildcard or slash impossible. */
function level(name: string): string {
  return /^[a-z0-9-]{1,48}$/.test(name) ? name : toName(name, 'unnamed');
}
