/** What goes on beside a stream, with the ONVIF driver and a virtual camera in place of the fakes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OnvifCamera } from '../../../drivers/camera/onvif-camera.ts';
import { CredentialChooser } from '../../../drivers/onvif/credential-chooser.ts';
import { parseOnvifUrl } from '../../../drivers/onvif/onvif-endpoint.ts';
import { AttemptBudget } from '../../../gateway/attempt-budget.ts';
import { CameraSide } from '../../../gateway/steering/camera-side.ts';
import { collectingLog } from '../../support/reporting.ts';
import { until } from '../../support/until.ts';
import { motionMessage } from '../../support/virtual-onvif/event-service.ts';
import { VirtualOnvif, type VirtualOnvifOptions } from '../../support/virtual-onvif.ts';

const HOUR_MS = 3_600_000;
const PATIENCE_MS = 20_000;

async function makeSide(options: Partial<VirtualOnvifOptions>, password = 'secret') {
  const camera = await VirtualOnvif.start({ rtspUrl: 'rtsp://127.0.0.1:1/x', ...options });
  const { log } = collectingLog();
  const now = Date.now;
  const credentials = new CredentialChooser([{ username: 'admin', password }], now);
  const driver = new OnvifCamera(
    {
      endpoints: () => [parseOnvifUrl(`onvif://127.0.0.1:${camera.port}`)],
      credentials,
      profile: 'main',
      transport: 'auto',
      openRtsp: () => {
        throw new Error('nothing is played here');
      },
    },
    { log, now },
  );
  const told: string[] = [];
  const events: string[] = [];
  const side = new CameraSide(
    { who: 'The camera yard', controls: driver.controls, watchesMotion: true, setsClock: true },
    {
      budget: new AttemptBudget(1000, 1000, now),
      now,
      random: () => 0,
      uptimeMs: () => performance.now(),
      isOwnClockRight: async () => true,
      log,
      tellMotion: (motion) => told.push(motion),
      event: (type, message) => events.push(`${type}: ${message}`),
      changed: () => undefined,
    },
  );
  return { camera, side, told, events };
}

test('a clock 3 h off is set right, once, and motion is told', async () => {
  const { camera, side, told, events } = await makeSide({
    clockOffsetMs: -3 * HOUR_MS,
    events: {},
  });
  side.begin();
  await until(() => events.length > 0, PATIENCE_MS);
  assert.deepEqual(events, [
    'clock-set: The camera yard: Its clock is 3 h behind this box. It has been set.',
  ]);
  assert.ok(Math.abs(camera.clockOffsetMs) < 2_000);
  side.end();
  await side.stopped();
  side.begin();
  await until(() => camera.events.subscriptions.size === 1, PATIENCE_MS);
  camera.events.emit(motionMessage('tns1:VideoSource/MotionAlarm', { State: 'true' }));
  await until(() => told.length > 0, PATIENCE_MS);
  side.end();
  assert.deepEqual(told, ['ON', 'OFF']);
  await side.stopped();
  assert.equal(camera.events.subscriptions.size, 0);
  assert.equal(camera.requests.filter((name) => name === 'SetSystemDateAndTime').length, 1);
  await camera.close();
});

test('a user who may not set the clock: told as an event and in the notes', async () => {
  const { camera, side, events } = await makeSide({
    clockOffsetMs: HOUR_MS,
    events: {},
    forbidden: ['SetSystemDateAndTime'],
  });
  side.begin();
  await until(() => events.length > 0, PATIENCE_MS);
  assert.match(
    events[0] ?? '',
    /^clock-not-set: The camera yard: Its clock is 60 min ahead .*"admin"/,
  );
  assert.match(side.info.notes[0] ?? '', /It could not be set/);
  side.end();
  await side.stopped();
  await camera.close();
});

test('a camera without events: one note, and no motion', async () => {
  const { camera, side, told } = await makeSide({});
  side.begin();
  await until(() => side.info.notes.length > 0, PATIENCE_MS);
  assert.deepEqual(side.info.notes, ['Motion is not told: the camera has no events.']);
  side.end();
  await side.stopped();
  assert.deepEqual(told, []);
  await camera.close();
});

test('a wrong password: never more than three refusals, whoever asks', async () => {
  const { camera, side } = await makeSide({ events: {} }, 'wrong');
  for (let times = 0; times < 5; times += 1) {
    side.begin();
    await new Promise((resolve) => setTimeout(resolve, 300));
    side.end();
    await side.stopped();
  }
  assert.ok(camera.refusals >= 1 && camera.refusals <= 3, `${camera.refusals} refusals`);
  await camera.close();
});
