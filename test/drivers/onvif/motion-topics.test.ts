import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MotionState } from '../../../drivers/onvif/motion-state.ts';
import { motionIn } from '../../../drivers/onvif/motion-topics.ts';
import { readNotifications } from '../../../protocols/soap/notification.ts';
import { readXml } from '../../../protocols/soap/xml.ts';
import { motionMessage } from '../../support/virtual-onvif/event-service.ts';

function newsOf(topic: string, data: Record<string, string>, operation?: string) {
  const [notification] = readNotifications(
    readXml(`<Body>${motionMessage(topic, data, undefined, operation)}</Body>`),
  );
  assert.ok(notification);
  return motionIn(notification);
}

/** Topics as the devices named, or the clients of others that know them, have them. */
const TOPICS: readonly [string, string, Record<string, string>][] = [
  ['everybody', 'tns1:RuleEngine/CellMotionDetector/Motion', { IsMotion: 'true' }],
  ['D-Link DCS-2103, Hikvision', 'tns1:VideoSource/MotionAlarm', { State: 'true' }],
  ['onvif2mqtt PR#34', 'tns1:VideoSoure/MotionAlarm', { State: 'true' }],
  ['Profile T', 'tns1:RuleEngine/MotionRegionDetector/Motion', { State: '1' }],
  [
    'Hikvision, intrusion',
    'tns1:RuleEngine/FieldDetector/ObjectsInside',
    { IsInside: 'true', ObjectId: '1' },
  ],
  ['Tapo, lightNVR#333', 'tns1:RuleEngine/PeopleDetector/People', { IsPeople: 'true' }],
  ['Tapo, HA#109198', 'tns1:RuleEngine/CellMotionDetector/Intrusion', { IsIntrusion: 'true' }],
  [
    'Tapo, HomeAssistant-Tapo-Control#304',
    'tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent',
    { IsVehicle: 'true' },
  ],
  ['Reolink', 'tns1:RuleEngine/MyRuleDetector/PeopleDetect', { State: 'true' }],
  ['Axis', 'tns1:VideoAnalytics/tnsaxis:MotionDetection', { motion: '1' }],
  ['Axis VMD 3', 'tns1:RuleEngine/tnsaxis:VMD3/vmd3_video_1', { active: '1' }],
  ['Axis VMD 4', 'tnsaxis:CameraApplicationPlatform/VMD/Camera1ProfileANY', { active: '1' }],
  [
    'Axis Object Analytics',
    'tnsaxis:CameraApplicationPlatform/ObjectAnalytics/Device1ScenarioANY',
    { active: '1' },
  ],
  ['Samsung, HA#66493', 'tns1:VideoAnalytics/tnssamsung:MotionDetection', { State: 'true' }],
  [
    'a known topic, an unknown item',
    'tns1:RuleEngine/CellMotionDetector/Motion',
    { Anything: 'true' },
  ],
  ['a path with empty parts', 'tns1:RuleEngine/CellMotionDetector/Motion//.', { IsMotion: 'true' }],
];

test('motion as makers tell of it', () => {
  for (const [name, topic, data] of TOPICS) {
    assert.equal(newsOf(topic, data)?.isMoving, true, name);
    const still = Object.fromEntries(
      Object.entries(data).map(([item, value]) => [item, value === 'true' ? 'false' : '0']),
    );
    assert.equal(newsOf(topic, still)?.isMoving, false, name);
    assert.equal(newsOf(topic, data, 'Deleted')?.isMoving, undefined, name);
  }
});

test('what is no motion', () => {
  const others: [string, Record<string, string>][] = [
    ['tns1:Device/Trigger/DigitalInput', { LogicalState: 'true' }],
    ['tns1:RuleEngine/TamperDetector/Tamper', { IsTamper: 'true' }],
    ['tns1:RuleEngine/MyRuleDetector/Visitor', { State: 'true' }],
    ['tns1:RuleEngine/LineDetector/Crossed', { ObjectId: '3' }],
    ['tns1:VideoSource/GlobalSceneChange/ImagingService', { State: 'true' }],
    ['tns1:RuleEngine/CellMotionDetector/Motion', { IsMotion: 'perhaps' }],
    ['tns1:RuleEngine/CellMotionDetector/Motion', { A: 'true', B: 'false' }],
  ];
  for (const [topic, data] of others) assert.equal(newsOf(topic, data), undefined, topic);
});

/** HA#37545: an Asecam. */
test('a message with nothing in it ends the motion of its topic', () => {
  const told: boolean[] = [];
  const state = new MotionState((isMoving) => told.push(isMoving));
  const take = (xml: string) => {
    for (const notification of readNotifications(readXml(`<Body>${xml}</Body>`))) {
      const news = motionIn(notification);
      if (news !== undefined) state.take(news);
    }
  };
  const topic = 'tns1:RuleEngine/CellMotionDetector/Motion';
  take(motionMessage(topic, { IsMotion: 'true' }));
  take(`<NotificationMessage><Topic>${topic}</Topic><Message/></NotificationMessage>`);
  assert.deepEqual(told, [true, false]);
});
