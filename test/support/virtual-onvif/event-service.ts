/** A virtual camera's events: pull points that expire, and can be as odd as cameras' are. */
import { EventEmitter, once } from 'node:events';
import { escapeXml, numberAt, textAt } from '../../../protocols/soap/xml.ts';
import { EVENTS, type VirtualCall, VirtualFault, type VirtualService } from './soap.ts';

export interface VirtualEventOptions {
  /** What it grants, whatever is asked for. Default: that. */
  readonly lifetimeMs?: number;
  /** Cuts pulls without an answer after this long (Tapo: ten seconds). */
  readonly cutsPullsAfterMs?: number;
  /** Refuses to renew. */
  readonly refusesRenewal?: boolean;
  /** Answers pulls at once, whether there is something or not. */
  readonly neverWaits?: boolean;
  /** One address for all subscriptions, told apart by a reference parameter (Axis); or by nothing at all. */
  readonly addressing?: 'own' | 'reference' | 'shared';
}

/** So long a subscription outlives what was granted: a busy machine renews late. */
const GRACE_MS = 20_000;

interface Subscription {
  readonly id: string;
  readonly queue: string[];
  endsAtMs: number;
}

/** Sends the request away without an answer. */
export class Cut extends Error {}

export class EventService implements VirtualService {
  readonly subscriptions = new Map<string, Subscription>();
  created = 0;
  renewals = 0;
  readonly #options: VirtualEventOptions;
  /** Its host and port are those that the camera advertises. */
  readonly #baseUrl: () => string;
  readonly #clockOffsetMs: () => number;
  readonly #news = new EventEmitter();

  constructor(options: VirtualEventOptions, baseUrl: () => string, clockOffsetMs: () => number) {
    this.#options = options;
    this.#baseUrl = baseUrl;
    this.#clockOffsetMs = clockOffsetMs;
    this.#news.setMaxListeners(0);
  }

  /** To all subscriptions: a NotificationMessage of that topic, by `motionMessage` or of a test's own. */
  emit(message: string): void {
    for (const { queue } of this.subscriptions.values()) queue.push(message);
    this.#news.emit('news');
  }

  /** As after a restart. */
  forget(): void {
    this.subscriptions.clear();
    this.#news.emit('news');
  }

  async perform({ name, operation, header, path }: VirtualCall): Promise<string | undefined> {
    if (name === 'CreatePullPointSubscription') return this.#create(operation);
    const id =
      this.#options.addressing === 'reference'
        ? textAt(header, 'SubscriptionId')
        : this.#options.addressing === 'shared'
          ? [...this.subscriptions.keys()].at(-1)
          : path.slice('/event/'.length);
    const subscription = this.subscriptions.get(id ?? '');
    if (subscription === undefined || subscription.endsAtMs + GRACE_MS < Date.now()) {
      this.subscriptions.delete(id ?? '');
      throw new VirtualFault('wsrf-rw:ResourceUnknownFault', 'no such subscription');
    }
    switch (name) {
      case 'PullMessages':
        return await this.#pull(
          subscription,
          durationMs(textAt(operation, 'Timeout') ?? ''),
          numberAt(operation, 'MessageLimit'),
        );
      case 'Renew': {
        if (this.#options.refusesRenewal) return undefined;
        this.renewals += 1;
        this.#grant(subscription, textAt(operation, 'TerminationTime') ?? '');
        return `<wsnt:RenewResponse xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2">${this.#times(subscription)}</wsnt:RenewResponse>`;
      }
      case 'Unsubscribe':
        this.subscriptions.delete(subscription.id);
        return '<wsnt:UnsubscribeResponse xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"/>';
      default:
        return undefined;
    }
  }

  #create(operation: VirtualCall['operation']): string {
    this.created += 1;
    const id = String(this.created);
    const subscription = { id, queue: [], endsAtMs: 0 };
    this.#grant(subscription, textAt(operation, 'InitialTerminationTime') ?? '');
    this.subscriptions.set(id, subscription);
    const { addressing = 'own' } = this.#options;
    const path = addressing === 'own' ? `/event/${id}` : '/onvif/event_service';
    const parameters =
      addressing === 'reference'
        ? `<wsa:ReferenceParameters><axis:SubscriptionId xmlns:axis="http://www.axis.com/2009/event">${id}</axis:SubscriptionId></wsa:ReferenceParameters>`
        : '';
    return (
      `<tev:CreatePullPointSubscriptionResponse xmlns:tev="${EVENTS}" xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2">` +
      `<tev:SubscriptionReference><wsa:Address>${escapeXml(this.#baseUrl() + path)}</wsa:Address>${parameters}</tev:SubscriptionReference>` +
      `${this.#times(subscription)}</tev:CreatePullPointSubscriptionResponse>`
    );
  }

  async #pull(subscription: Subscription, timeoutMs: number, limit: number): Promise<string> {
    const { cutsPullsAfterMs, neverWaits } = this.#options;
    const isCut = cutsPullsAfterMs !== undefined && cutsPullsAfterMs < timeoutMs;
    const signal = AbortSignal.timeout(isCut ? cutsPullsAfterMs : timeoutMs);
    while (subscription.queue.length === 0 && !signal.aborted && neverWaits !== true) {
      await once(this.#news, 'news', { signal }).catch(() => {});
      if (!this.subscriptions.has(subscription.id)) throw new Cut();
    }
    if (isCut && signal.aborted) throw new Cut();
    const messages = subscription.queue.splice(0, limit).join('');
    return (
      `<tev:PullMessagesResponse xmlns:tev="${EVENTS}" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tns1="http://www.onvif.org/ver10/topics">` +
      `${this.#times(subscription).replaceAll('wsnt:', 'tev:')}${messages}</tev:PullMessagesResponse>`
    );
  }

  #grant(subscription: Subscription, asked: string): void {
    subscription.endsAtMs = Date.now() + (this.#options.lifetimeMs ?? durationMs(asked));
  }

  #times({ endsAtMs }: Subscription): string {
    const at = (ms: number) => new Date(ms + this.#clockOffsetMs()).toISOString();
    return `<wsnt:CurrentTime>${at(Date.now())}</wsnt:CurrentTime><wsnt:TerminationTime>${at(endsAtMs)}</wsnt:TerminationTime>`;
  }
}

/** A notification as cameras write them. */
export function motionMessage(
  topic: string,
  data: Readonly<Record<string, string>>,
  source: Readonly<Record<string, string>> = { VideoSourceConfigurationToken: 'VideoSourceToken' },
  operation = 'Changed',
): string {
  const items = (values: Readonly<Record<string, string>>) =>
    Object.entries(values)
      .map(([name, value]) => `<tt:SimpleItem Name="${name}" Value="${value}"/>`)
      .join('');
  return (
    '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">' +
    `${topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="2026-11-25T08:00:00Z" PropertyOperation="${operation}">` +
    `<tt:Source>${items(source)}</tt:Source><tt:Data>${items(data)}</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
  );
}

function durationMs(text: string): number {
  const [, minutes = '0', seconds = '0'] = /^PT(?:(\d+)M)?(?:(\d+)S)?$/.exec(text) ?? [];
  return (Number(minutes) * 60 + Number(seconds)) * 1000;
}
