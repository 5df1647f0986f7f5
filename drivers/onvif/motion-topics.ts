/** Which notifications tell of motion, maker by maker. */
import type { Notification } from '../../protocols/soap/notification.ts';

interface MotionTopic {
  readonly topic: RegExp;
  /** The items that tell, any of them; where the message has none of these, its only one. */
  readonly items: readonly string[];
}

/**
 * ONVIF Analytics Service, Annex C (CellMotionDetector, MotionRegionDetector, FieldDetector), Imaging (MotionAlarm), and what
 * makers added. A person, a vehicle or an animal that is seen moves; a line that was crossed is a moment and no state.
 */
const MOTION_TOPICS: readonly MotionTopic[] = [
  // Hikvision, D-Link (one of them misspelt: onvif2mqtt PR#34), Reolink, Dahua.
  { topic: /^VideoSourc?e\/MotionAlarm$/, items: ['State'] },
  // Everybody; Tapo puts its other detectors below it, too (HA#109198).
  {
    topic: /^RuleEngine\/CellMotionDetector\/(?:Motion|People|Intrusion)$/,
    items: ['IsMotion', 'IsPeople', 'IsIntrusion'],
  },
  { topic: /^RuleEngine\/MotionRegionDetector\/Motion$/, items: ['State'] },
  { topic: /^RuleEngine\/FieldDetector\/ObjectsInside$/, items: ['IsInside'] },
  // Tapo (lightNVR#333, HomeAssistant-Tapo-Control#304).
  {
    topic:
      /^RuleEngine\/(?:PeopleDetector\/People|IntrusionDetector\/Intrusion|VehicleDetector\/Vehicle|PetDetector\/Pet)$/,
    items: ['IsPeople', 'IsIntrusion', 'IsVehicle', 'IsPet'],
  },
  {
    topic: /^RuleEngine\/TPSmartEventDetector\/TPSmartEvent$/,
    items: ['IsTPSmartEvent', 'IsPeople', 'IsVehicle', 'IsPet', 'IsMotion'],
  },
  // Reolink.
  { topic: /^RuleEngine\/MyRuleDetector\/(?:People|Vehicle|DogCat|Face)Detect$/, items: ['State'] },
  { topic: /^RuleEngine\/My(?:Motion|RegionMotion)DetectorRule$/, items: ['IsMotion', 'State'] },
  // Axis, and Samsung (HA#66493) and Hitron beside it.
  { topic: /^VideoAnalytics\/MotionDetection$/, items: ['motion', 'State', 'IsMotion'] },
  { topic: /^RuleEngine\/VMD3\/vmd3_video_\w+$/, items: ['active'] },
  { topic: /^RuleEngine\/VideoMotionDetection\/motion$/, items: ['motion', 'active'] },
  {
    topic:
      /^CameraApplicationPlatform\/(?:VMD|MotionGuard|FenceGuard|LoiteringGuard|ObjectAnalytics)\/\w+$/,
    items: ['active'],
  },
];

export interface MotionNews {
  /** Topic and source. */
  readonly detector: string;
  /** Undefined: the detector is no more. */
  readonly isMoving: boolean | undefined;
}

/** Undefined: it is about something else, or says nothing we understand. */
export function motionIn(notification: Notification): MotionNews | undefined {
  const { topic, operation, source, data } = notification;
  const known = MOTION_TOPICS.find((each) => each.topic.test(topic));
  if (known === undefined) return undefined;
  const detector = [topic, ...Array.from(source, ([name, value]) => `${name}=${value}`)].join(' ');
  if (operation === 'Deleted') return { detector, isMoving: undefined };
  // Asecam says "no motion" by saying nothing (HA#37545).
  if (data.size === 0) return { detector, isMoving: false };
  const told = known.items.flatMap((name) => data.get(name) ?? []);
  const values = told.length > 0 || data.size !== 1 ? told : [...data.values()];
  const states = values.flatMap((value) => stateOf(value) ?? []);
  return states.length === 0 ? undefined : { detector, isMoving: states.includes(true) };
}

function stateOf(value: string): boolean | undefined {
  if (/^(?:true|1|active)$/i.test(value)) return true;
  if (/^(?:false|0|inactive)$/i.test(value)) return false;
  return undefined;
}
