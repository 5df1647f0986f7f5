/**
 * Event notifications as pull points and brokers give them: WS-BaseNotification 1.3 §4.2 NotificationMessage, around the
 * Message of ONVIF Core §9.5 (event service). Read are topic, property operation and simple items; the rest is left.
 */
import { child, descend, descendants, textAt, type XmlElement } from './xml.ts';

/** We ask for a tenth of it; some cameras give all they have. */
const MAX_NOTIFICATIONS = 1024;
/** Rules have three. */
const MAX_ITEMS = 32;
const MAX_TEXT_CHARS = 256;

export interface Notification {
  /** `RuleEngine/CellMotionDetector/Motion`: without the namespaces of its parts. */
  readonly topic: string;
  /** `Initialized`, `Changed`, `Deleted`; undefined for what is no property. */
  readonly operation: string | undefined;
  /** Who tells: Source and Key. */
  readonly source: ReadonlyMap<string, string>;
  readonly data: ReadonlyMap<string, string>;
}

/** Those in a SOAP Body, in order. What has no topic is left out. */
export function readNotifications(body: XmlElement): Notification[] {
  const notifications: Notification[] = [];
  for (const element of descendants(body, 'NotificationMessage')) {
    if (notifications.length >= MAX_NOTIFICATIONS) break;
    const topic = textAt(element, 'Topic');
    if (topic === undefined || topic.length > MAX_TEXT_CHARS || !element.closed) continue;
    const message = descend(element, 'Message', 'Message');
    notifications.push({
      topic: plainTopic(topic),
      operation: message?.attributes.get('PropertyOperation')?.slice(0, MAX_TEXT_CHARS),
      source: itemsOf(child(message, 'Source'), child(message, 'Key')),
      data: itemsOf(child(message, 'Data')),
    });
  }
  return notifications;
}

/** `tns1:VideoAnalytics/tnsaxis:MotionDetection` → `VideoAnalytics/MotionDetection`; empty parts go, too. */
function plainTopic(topic: string): string {
  return topic
    .split('/')
    .map((part) => part.slice(part.lastIndexOf(':') + 1).trim())
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function itemsOf(...groups: readonly (XmlElement | undefined)[]): ReadonlyMap<string, string> {
  const items = new Map<string, string>();
  for (const item of groups.flatMap((group) => group?.children ?? [])) {
    const name = item.attributes.get('Name');
    const value = item.attributes.get('Value');
    if (item.name !== 'SimpleItem' || name === undefined || value === undefined) continue;
    if (name.length <= MAX_TEXT_CHARS && value.length <= MAX_TEXT_CHARS) items.set(name, value);
    if (items.size >= MAX_ITEMS) break;
  }
  return items;
}
