/**
 * One subscription to a camera's events, by its pull point (ONVIF Core §9.2, WS-BaseNotification 1.3 §6).
 *
 * All four requests are our own: the package reads the reply's times and address as it expects them and stumbles over others,
 * knows reference parameters of Axis only, and pulls for a minute, which not every camera bears.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParseError, ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import { type Notification, readNotifications } from '../../protocols/soap/notification.ts';
import { child, escapeXml, textAt, writeXml, type XmlElement } from '../../protocols/soap/xml.ts';
import { type CamReply, soapRequest } from './cam.ts';
import type { OnvifEndpoint } from './onvif-endpoint.ts';
import type { OnvifSession } from './onvif-session.ts';
import { SOAP_TIMEOUT_MS } from './soap-http.ts';
import { isNotSupported } from './soap-reply.ts';

const EVENTS = 'http://www.onvif.org/ver10/events/wsdl';
const WSN = 'http://docs.oasis-open.org/wsn/b-2';
/** Long enough for few renewals, short enough that those we leave behind soon make room: some cameras have room for five. */
const LIFETIME_MS = 120_000;
/** Of the time granted: a renewal that fails leaves time for another subscription. */
const RENEW_AT = 0.8;
const PULL_MS = 30_000;
/** For cameras that cut the connection after ten seconds: Tapo C220 (agsh PR#314). */
const SHORT_PULL_MS = 8_000;
/** A pull that ends sooner, and empty: the camera does not wait. Then we do. */
const MIN_PULL_INTERVAL_MS = 1_000;
/** The gateway has two seconds for its end. */
const UNSUBSCRIBE_TIMEOUT_MS = 1_000;
const MESSAGE_LIMIT = 100;
/** An Axis has one, of a few characters. */
const MAX_REFERENCE_CHARS = 4096;

/** Times to wait, for tests. */
export interface PullPointTimes {
  readonly pullMs: number;
  readonly shortPullMs: number;
  readonly minIntervalMs: number;
}

const USUAL_TIMES: PullPointTimes = {
  pullMs: PULL_MS,
  shortPullMs: SHORT_PULL_MS,
  minIntervalMs: MIN_PULL_INTERVAL_MS,
};

interface Subscription {
  readonly endpoint: OnvifEndpoint;
  /** As the camera gave it: what it knows itself by, although we reach it elsewhere. */
  readonly address: string;
  /** Of its reference, as they go into the header (WS-Addressing 1.0 SOAP Binding §3.3). */
  readonly reference: string;
}

export class PullPoint {
  readonly #session: OnvifSession;
  readonly #times: PullPointTimes;
  #renewAtMs = 0;

  constructor(session: OnvifSession, times: PullPointTimes = USUAL_TIMES) {
    this.#session = session;
    this.#times = times;
  }

  /** Until `signal` aborts or the subscription fails. `onPulled` is called at every answer, also one without messages. */
  async run(
    onPulled: (notifications: readonly Notification[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#session.findServices(signal);
    if (!this.#session.hasService('events')) {
      throw new UnsupportedError('the camera has no events');
    }
    let subscription = await this.#subscribe(signal);
    let { pullMs } = this.#times;
    try {
      for (;;) {
        if (performance.now() >= this.#renewAtMs) {
          subscription = await this.#renewed(subscription, signal);
        }
        const startedMs = performance.now();
        const waitMs = Math.min(pullMs, this.#renewAtMs - startedMs);
        const notifications = await this.#pull(subscription, waitMs, signal).catch(
          (error: unknown) => {
            const mayBeShort = isCut(error) && pullMs > this.#times.shortPullMs;
            if (signal.aborted || !mayBeShort) throw error;
            pullMs = this.#times.shortPullMs;
            return [];
          },
        );
        onPulled(notifications);
        const spareMs = startedMs + this.#times.minIntervalMs - performance.now();
        if (spareMs > 0) await sleep(spareMs, undefined, { signal });
      }
    } finally {
      if (signal.aborted) await this.#unsubscribe(subscription);
    }
  }

  async #subscribe(signal: AbortSignal): Promise<Subscription> {
    const body =
      `<CreatePullPointSubscription xmlns="${EVENTS}"><InitialTerminationTime>${duration(LIFETIME_MS)}` +
      '</InitialTerminationTime></CreatePullPointSubscription>';
    let reply: CamReply;
    try {
      reply = await this.#session.send(soapRequest(body, 'events'), signal);
    } catch (error) {
      throw isNotSupported(error) ? new UnsupportedError('the camera has no pull point') : error;
    }
    const answer = child(reply.body, 'CreatePullPointSubscriptionResponse');
    const subscription = this.#readReference(child(answer, 'SubscriptionReference'));
    this.#granted(answer);
    return subscription;
  }

  #readReference(reference: XmlElement | undefined): Subscription {
    const address = textAt(reference, 'Address') ?? '';
    const endpoint = address.length > 2048 ? undefined : this.#session.endpointAt(address);
    const parameters = child(reference, 'ReferenceParameters')?.children ?? [];
    const header = parameters.map(referenceHeader).join('');
    if (endpoint === undefined || header.length > MAX_REFERENCE_CHARS) {
      throw new ProtocolError('ONVIF_URI', 'the camera gave its pull point no usable address');
    }
    return { endpoint, address, reference: header };
  }

  async #pull(
    subscription: Subscription,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Notification[]> {
    const body =
      `<PullMessages xmlns="${EVENTS}"><Timeout>${duration(timeoutMs)}</Timeout>` +
      `<MessageLimit>${MESSAGE_LIMIT}</MessageLimit></PullMessages>`;
    const action = `${EVENTS}/PullPointSubscription/PullMessagesRequest`;
    const waitMs = timeoutMs + SOAP_TIMEOUT_MS;
    const answer = this.#toSubscription(subscription, body, action, waitMs, signal);
    const reply = await answer.catch((error: unknown) => {
      // Not what the camera cannot do, which its fault would mean elsewhere: another subscription may.
      throw isFault(error) ? new ProtocolError('ONVIF_SUBSCRIPTION', error.message) : error;
    });
    if (child(reply.body, 'PullMessagesResponse') === undefined) {
      throw new ProtocolError('ONVIF_REPLY', 'PullMessages: the reply is about something else');
    }
    return readNotifications(reply.body);
  }

  /** Refused: it is gone, or the camera knows no renewal. Then another; the old one expires by itself. */
  async #renewed(subscription: Subscription, signal: AbortSignal): Promise<Subscription> {
    const body = `<Renew xmlns="${WSN}"><TerminationTime>${duration(LIFETIME_MS)}</TerminationTime></Renew>`;
    const action = `${WSN.replace('/b-2', '/bw-2')}/SubscriptionManager/RenewRequest`;
    try {
      const reply = await this.#toSubscription(subscription, body, action, SOAP_TIMEOUT_MS, signal);
      this.#granted(child(reply.body, 'RenewResponse'));
      return subscription;
    } catch (error) {
      if (!(error instanceof ProtocolError || error instanceof ParseError)) throw error;
      return await this.#subscribe(signal);
    }
  }

  /** Ours alone. It would expire by itself, so that failing does no harm. */
  async #unsubscribe(subscription: Subscription): Promise<void> {
    if (this.#isShared(subscription)) return;
    const body = `<Unsubscribe xmlns="${WSN}"></Unsubscribe>`;
    const action = `${WSN.replace('/b-2', '/bw-2')}/SubscriptionManager/UnsubscribeRequest`;
    const signal = AbortSignal.timeout(UNSUBSCRIBE_TIMEOUT_MS);
    await this.#toSubscription(subscription, body, action, UNSUBSCRIBE_TIMEOUT_MS, signal).catch(
      () => {},
    );
  }

  /** Nothing tells it from others' subscriptions: ending it might end theirs (HA PR#37711). */
  #isShared({ endpoint, reference }: Subscription): boolean {
    const path = this.#session.camera.services['events']?.path;
    return (
      reference === '' && (endpoint.path === path || endpoint.path === this.#session.endpoint.path)
    );
  }

  async #toSubscription(
    subscription: Subscription,
    body: string,
    action: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<CamReply> {
    const { endpoint, address, reference } = subscription;
    const header =
      `<a:Action>${action}</a:Action><a:MessageID>urn:uuid:${randomUUID()}</a:MessageID>` +
      `<a:To>${escapeXml(address)}</a:To>${reference}`;
    const request = { ...soapRequest(body, 'events', header), endpoint, timeoutMs };
    return await this.#session.send(request, signal);
  }

  /** By the camera's own clock, which need not be right. One that says nothing, or nonsense, is believed to grant what we asked for. */
  #granted(answer: XmlElement | undefined): void {
    const current = Date.parse(textAt(answer, 'CurrentTime') ?? '');
    const end = Date.parse(textAt(answer, 'TerminationTime') ?? '');
    const toldMs = end - current;
    const lifetimeMs = toldMs > 0 && toldMs < LIFETIME_MS ? toldMs : LIFETIME_MS;
    this.#renewAtMs = performance.now() + Math.max(1000, lifetimeMs * RENEW_AT);
  }
}

function referenceHeader(parameter: XmlElement): string {
  const attributes = new Map([...parameter.attributes, ['a:IsReferenceParameter', 'true']]);
  return writeXml({ ...parameter, attributes }, '');
}

/** xs:duration in whole seconds, at least one: firmwares read fractions as 0. */
function duration(ms: number): string {
  return `PT${Math.max(1, Math.round(ms / 1000))}S`;
}

function isFault(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && error.code === 'ONVIF_FAULT';
}

/** The connection ended without an answer. */
function isCut(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    ['ECONNRESET', 'EPIPE'].includes(String(error.code))
  );
}
