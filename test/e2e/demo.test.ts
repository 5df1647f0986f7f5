/** The bundle's demo: Chromium shows its colour bars, a command turns its camera, and nothing is left of it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser, openPage, videoState } from '../support/browser.ts';
import { DemoProcess } from '../support/demo-process.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { NetworkNamespace, whyNot } from '../support/network-namespace.ts';

const run = promisify(execFile);

const TEST_MS = 120_000;
const PATIENCE_MS = 60_000;
/** What a stop may take, and what a busy machine adds. */
const MAX_STOP_MS = 4_000;
/** 75 % colour bars, as a browser shows them. */
const BARS = [
  [191, 191, 191],
  [191, 191, 0],
  [0, 191, 191],
  [0, 191, 0],
  [191, 0, 191],
  [191, 0, 0],
  [0, 0, 191],
  [0, 0, 0],
] as const;
/** A level of the mosaic is 4 steps of luma, which are 4.7 of RGB; Chromium without a graphics card adds up to 9. */
const COLOUR_TOLERANCE = 16;

const noNamespaces = await whyNot(async () => {});

describe('sluice demo', { timeout: TEST_MS }, () => {
  let browser: Browser;
  let demo: DemoProcess;
  let page: Page;
  let mqtt: MqttWatcher;

  before(async () => {
    demo = new DemoProcess();
    const [launched, invitation] = await Promise.all([launchBrowser(), demo.invitation()]);
    browser = launched;
    mqtt = await MqttWatcher.open(`mqtt://127.0.0.1:${invitation.mqttPort}`, 4);
    ({ page } = await openPage(browser, invitation.page));
  });

  after(async () => {
    await mqtt?.close();
    await browser?.close();
    await demo?.[Symbol.asyncDispose]();
  });

  test('says what happens in order, and no password', () => {
    const steps = [
      'A virtual camera is on',
      'The gateway starts',
      'Found a device by ws-discovery at 127.',
      'Logged in to it, and adopted it: its stream is called vc-1-0001',
      'Its pictures arrive over RTSP: h264 640x360, 25 pictures a second',
      'Published to the master',
      'The master has the picture',
    ].map((words) => demo.output.indexOf(words));
    assert.ok(
      steps.every((at, index) => at > (steps[index - 1] ?? -1)),
      demo.output,
    );
    assert.doesNotMatch(demo.output, /"level"/, 'the log is not among it');
  });

  describe('all at once', { concurrency: true }, () => {
    test('Chromium shows moving pictures, and they are colour bars; a command turns the camera, and takes it home', async () => {
      await untilSeen(page, async () => (await videoState(page)).frames >= 50);
      const colours = await barColours(page);
      for (const [bar, wanted] of BARS.entries()) assertColour(colours[bar], wanted, `bar ${bar}`);
      const ask = (text: object) => ptz(mqtt, text);
      const answer = await ask({ action: 'preset', preset: '2' });
      assert.equal(answer.ok, true, JSON.stringify(answer));
      // The second preset looks at grey steps.
      await untilSeen(page, async () => (await barColours(page)).every(isGrey));
      assert.equal((await ask({ action: 'home' })).ok, true);
      await untilSeen(page, async () => (await barColours(page)).every(isBar));
    });

    test('what moves in the picture is told', async () => {
      const topic = 'sluice/demo/stream/vc-1-0001/motion';
      const first = await mqtt.untilState(topic);
      // 5 s of motion, 3 s of rest.
      await mqtt.untilState(topic, first === 'ON' ? 'OFF' : 'ON');
    });

    test('both tell of themselves at one broker', async () => {
      await mqtt.untilState('sluice/demo/state', 'online');
      await mqtt.untilState('sluice/master/state', 'online');
      const status = await mqtt.untilState('sluice/demo/stream/vc-1-0001/status');
      assert.equal(JSON.parse(status).state, 'online');
    });
  });

  test('what it prints can be pasted into a shell', async () => {
    const [, line = ''] = /and back +(curl .+)/.exec(demo.output) ?? [];
    const { stdout } = await run('sh', ['-c', line]);
    assert.equal(JSON.parse(stdout).ok, true, stdout);
  });

  test('SIGTERM ends it in time, and nothing stays', async () => {
    assert.equal((await readdir(demo.folder)).length, 1);
    const { code, ms } = await demo.stop();
    assert.equal(code, 0, demo.output);
    assert.ok(ms < MAX_STOP_MS, `it took ${ms} ms`);
    await mqtt.untilState('sluice/demo/state', 'stopped');
    assert.deepEqual(await readdir(demo.folder), []);
  });
});

describe('sluice demo elsewhere', { concurrency: true, timeout: TEST_MS }, () => {
  test('on a machine with nothing but its loopback; Ctrl-C', { skip: noNamespaces }, async () => {
    await using namespace = await NetworkNamespace.make();
    await using demo = new DemoProcess(['ip', 'netns', 'exec', namespace.name]);
    await demo.invitation();
    const { code } = await demo.stop('SIGINT');
    assert.equal(code, 0, demo.output);
    assert.deepEqual(await readdir(demo.folder), []);
  });

  test('its help teaches; other arguments are refused', async () => {
    const sluice = (...args: string[]) => run(process.execPath, ['dist/gateway/main.js', ...args]);
    const { stdout } = await sluice('demo', '--help');
    assert.match(stdout, /usage: sluice demo[\s\S]+virtual camera[\s\S]+discovery\.credentials/);
    await assert.rejects(sluice('demo', '--fast'), { code: 2 });
  });
});

interface Reply {
  readonly id?: number;
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string };
}

let lastId = 0;

async function ptz(mqtt: MqttWatcher, request: object): Promise<Reply> {
  lastId += 1;
  const id = lastId;
  await mqtt.publish('sluice/demo/cmd/ptz', JSON.stringify({ id, name: 'vc-1-0001', ...request }));
  return await mqtt.until(`the answer to ${JSON.stringify(request)}`, () =>
    mqtt.heard
      .filter(({ topic }) => topic === 'sluice/demo/res/ptz')
      .map(({ text }) => JSON.parse(text) as Reply)
      .find((reply) => reply.id === id),
  );
}

async function untilSeen(page: Page, isSeen: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!(await isSeen())) {
    if (performance.now() > deadlineMs) {
      const seen = JSON.stringify([await videoState(page), await barColours(page)]);
      assert.fail(`it shows only ${seen}`);
    }
    await sleep(100);
  }
}

/** In the middle of each bar, near the top. Text, because it runs in the browser. */
function barColours(page: Page): Promise<number[][]> {
  return page.evaluate(`(() => {
    const video = document.querySelector('video');
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0);
    return Array.from({ length: 8 }, (_, bar) => [...context.getImageData(bar * 80 + 40, 40, 1, 1).data.slice(0, 3)]);
  })()`);
}

function isGrey([red = 0, green = 0, blue = 0]: number[]): boolean {
  return Math.max(red, green, blue) - Math.min(red, green, blue) < COLOUR_TOLERANCE;
}

function isBar(colour: number[], bar: number): boolean {
  return colour.every((value, at) => Math.abs(value - (BARS[bar]?.[at] ?? 0)) <= COLOUR_TOLERANCE);
}

function assertColour(
  colour: number[] | undefined,
  wanted: readonly [number, number, number],
  what: string,
): void {
  const isNear = wanted.every(
    (value, at) => Math.abs(value - (colour?.[at] ?? 999)) <= COLOUR_TOLERANCE,
  );
  assert.ok(isNear, `${what} is ${colour}, not ${wanted}`);
}
