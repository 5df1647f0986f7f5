/** The virtual camera's events: whether something moves, for whoever has a pull point. ONVIF Core §9, WS-BaseNotification §6. */
import { textAt, type XmlElement } from '../../protocols/soap/xml.ts';
import { durationMs, invalidArgument, OnvifFault, type OnvifService } from './onvif-operation.ts';

const PULL_PATH = '/onvif/pull_point';
const DEFAULT_LIFETIME_MS = 60_000;
const MAX_LIFETIME_MS = 10 * 60_000;
const MAX_WAIT_MS = 60_000;
/** More are refused; those that nobody renews make room. */
const MAX_SUBSCRIPTIONS = 8;
/** Of one that is not pulled the oldest go. */
const MAX_WAITING = 32;

interface Subscription {
  readonly waiting: string[];
  endsAtMs: number;
  /** Ends a pull that waits. */
  wake: () => void;
}

export class EventService {
  readonly service: OnvifService;
  /** Where its answers lead to; nobody is told of them otherwise. */
  readonly pullPoints: readonly OnvifService[];
  readonly #origin: () => string;
  readonly #subscriptions = new Map<string, Subscription>();
  #lastId = 0;
  #isMoving = false;

  /** `origin`: `http://host:port`. */
  constructor(origin: () => string) {
    this.#origin = origin;
    const names = { namespace: 'http://www.onvif.org/ver10/events/wsdl', prefix: 'tev' };
    this.service = {
      ...names,
      path: '/onvif/event_service',
      operations: {
        GetServiceCapabilities: () => '<tev:Capabilities WSPullPointSupport="true"/>',
        CreatePullPointSubscription: (request) => this.#subscribe(request),
      },
    };
    this.pullPoints = [
      {
        ...names,
        path: PULL_PATH,
        operations: {
          PullMessages: (request, id) => this.#pull(request, this.#find(id)),
          SetSynchronizationPoint: (_, id) => {
            this.#put(this.#find(id), 'Initialized');
            return '';
          },
        },
      },
      {
        path: PULL_PATH,
        namespace: 'http://docs.oasis-open.org/wsn/b-2',
        prefix: 'wsnt',
        operations: {
          Renew: (request, id) => this.#renew(request, this.#find(id)),
          Unsubscribe: (_, id) => {
            this.#find(id).wake();
            this.#subscriptions.delete(id);
            return '';
          },
        },
      },
    ];
  }

  tellMotion(isMoving: boolean): void {
    this.#isMoving = isMoving;
    for (const subscription of this.#subscriptions.values()) this.#put(subscription, 'Changed');
  }

  stop(): void {
    for (const { wake } of this.#subscriptions.values()) wake();
    this.#subscriptions.clear();
  }

  #subscribe(request: XmlElement): string {
    const lifetimeMs = readLifetime(textAt(request, 'InitialTerminationTime'));
    const nowMs = Date.now();
    for (const [id, { endsAtMs }] of this.#subscriptions) {
      if (endsAtMs <= nowMs) this.#subscriptions.delete(id);
    }
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
      throw new OnvifFault(['ter:Action', 'ter:MaxPullPoints'], 'No pull point is free');
    }
    this.#lastId += 1;
    const id = String(this.#lastId);
    const subscription = { waiting: [], endsAtMs: nowMs + lifetimeMs, wake: () => undefined };
    this.#subscriptions.set(id, subscription);
    this.#put(subscription, 'Initialized');
    const address = `${this.#origin()}${PULL_PATH}?${id}`;
    return (
      '<tev:SubscriptionReference><wsa:Address xmlns:wsa="http://www.w3.org/2005/08/addressing">' +
      `${address}</wsa:Address></tev:SubscriptionReference>${times('wsnt', nowMs, subscription)}`
    );
  }

  /** Waits until there is something, or for as long as was asked. */
  async #pull(request: XmlElement, subscription: Subscription): Promise<string> {
    const waitMs = Math.min(MAX_WAIT_MS, durationMs(textAt(request, 'Timeout') ?? '') ?? 0);
    const limit = Number(textAt(request, 'MessageLimit') ?? MAX_WAITING);
    // Whoever pulls twice at once: the first gets what there is.
    subscription.wake();
    if (subscription.waiting.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        subscription.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const messages = subscription.waiting.splice(0, limit > 0 ? limit : MAX_WAITING);
    return times('tev', Date.now(), subscription) + messages.join('');
  }

  #renew(request: XmlElement, subscription: Subscription): string {
    const nowMs = Date.now();
    subscription.endsAtMs = nowMs + readLifetime(textAt(request, 'TerminationTime'));
    return times('wsnt', nowMs, subscription);
  }

  #find(id: string): Subscription {
    const subscription = this.#subscriptions.get(id);
    if (subscription !== undefined && subscription.endsAtMs > Date.now()) return subscription;
    throw invalidArgument('ter:NoEntity', 'There is no such subscription');
  }

  #put(subscription: Subscription, operation: 'Initialized' | 'Changed'): void {
    const { waiting } = subscription;
    waiting.push(notification(this.#isMoving, operation));
    if (waiting.length > MAX_WAITING) waiting.shift();
    subscription.wake();
  }
}

/** Imaging's motion alarm, which all cameras have; ONVIF Imaging §5. */
function notification(isMoving: boolean, operation: string): string {
  return (
    '<wsnt:NotificationMessage><wsnt:Topic xmlns:tns1="http://www.onvif.org/ver10/topics"' +
    ' Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:VideoSource/MotionAlarm</wsnt:Topic>' +
    `<wsnt:Message><tt:Message UtcTime="${new Date().toISOString()}" PropertyOperation="${operation}">` +
    '<tt:Source><tt:SimpleItem Name="Source" Value="scene"/></tt:Source>' +
    `<tt:Data><tt:SimpleItem Name="State" Value="${isMoving}"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
  );
}

function times(prefix: string, nowMs: number, { endsAtMs }: Subscription): string {
  return (
    `<${prefix}:CurrentTime>${new Date(nowMs).toISOString()}</${prefix}:CurrentTime>` +
    `<${prefix}:TerminationTime>${new Date(endsAtMs).toISOString()}</${prefix}:TerminationTime>`
  );
}

/** A duration; a time of day is not taken. */
function readLifetime(text: string | undefined): number {
  const lifetimeMs = text === undefined ? DEFAULT_LIFETIME_MS : durationMs(text);
  if (lifetimeMs !== undefined) return Math.min(MAX_LIFETIME_MS, lifetimeMs);
  throw invalidArgument('ter:InvalidArgs', 'The time of termination is not a duration');
}
