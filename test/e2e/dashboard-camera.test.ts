/** The camera page in Chromium, against a running gateway: live pictures are counted, a head on a serial line is moved. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { type GstCamera, startGstCamera } from '../support/gst-camera.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { PageBesideBroker } from '../support/page-beside-broker.ts';
import { PseudoTerminal } from '../support/pseudo-terminal.ts';
import { until } from '../support/until.ts';
import {
  BROKER_LOGIN,
  makeJpeg,
  seriousFaults,
  type WatchedPage,
  watchPage,
} from './dashboard-scenario.ts';

const TEST_MS = 150_000;
const PATIENCE_MS = 60_000;
const OUT = join(process.cwd(), 'test/out');
const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
/** Three seconds of the camera. */
const ENOUGH_FRAMES = 45;
/** A busy machine; alone it is less than one. */
const MAX_LATENCY_MS = 6_000;

/** Pelco-D, address 1. */
const STOP = 'ff010000000001';
const RIGHT = 'ff0100023f0042';
const UP = 'ff010008003f48';
const ZOOM_IN = 'ff010020000021';
const GO_TO_5 = 'ff01000700050d';

let browser: Browser;
let gateway: GatewayProcess;
let terminal: PseudoTerminal;
let broker: Mosquitto;
/** Where it speaks WebSocket. */
let webPort: number;
/** Gives the snapshots of the stream `g711`. */
let snapshots: Server;
let cameras: { readonly cam: GstCamera; readonly hevc: GstCamera; readonly g711: GstCamera };

before(async () => {
  await mkdir(OUT, { recursive: true });
  const small = { width: 160, height: 90, fps: 5, gop: 5, bitrate: 100 } as const;
  const [cam, hevc, g711] = await Promise.all([
    startGstCamera({ width: 320, height: 180, fps: 15, gop: 15, bframes: 2, bitrate: 300 }),
    startGstCamera({ ...small, video: 'h265', audio: 'none' }),
    startGstCamera({ ...small, audio: 'pcma' }),
  ]);
  cameras = { cam, hevc, g711 };
  webPort = await freePort();
  let jpeg: Uint8Array;
  [terminal, browser, broker, jpeg] = await Promise.all([
    PseudoTerminal.make(),
    launchBrowser(),
    Mosquitto.start({
      logins: [BROKER_LOGIN],
      lines: [`listener ${webPort} 127.0.0.1`, 'protocol websockets'],
    }),
    makeJpeg(),
  ]);
  snapshots = createServer((_, response) => {
    response.setHeader('content-type', 'image/jpeg').end(jpeg);
  }).listen(0, '127.0.0.1');
  await once(snapshots, 'listening');
  const { port } = snapshots.address() as AddressInfo;
  gateway = await GatewayProcess.start(
    `mqtt: { url: "${broker.url}", username: ${BROKER_LOGIN.username}, password: ${BROKER_LOGIN.password} }
serial: [{ name: mast, path: "${terminal.path}", protocol: pelco-d, addresses: { yard: 1 } }]
streams:
  cam: { source: "${cam.url}", ptz: mast/yard }
  hevc: { source: "${hevc.url}" }
  g711: { source: "${g711.url}", snapshot: "http://127.0.0.1:${port}/now.jpg" }`,
    { http: 'cors: ["*"]' },
  );
  for (const name of Object.keys(cameras)) {
    const isOnline = async () => (await gateway.stream(name))?.status.state === 'online';
    await gateway.until(`${name} is online`, isOnline, PATIENCE_MS);
  }
  await until(() => terminal.received === STOP.repeat(2), PATIENCE_MS);
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
  await broker?.stop();
  snapshots?.close();
  await terminal?.[Symbol.asyncDispose]();
  for (const camera of Object.values(cameras ?? {})) await camera[Symbol.asyncDispose]();
});

/** In a window of its own, closed with the test. */
async function openCamera(
  test: TestContext,
  name: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ ...DESKTOP, ...options });
  test.after(() => context.close());
  const page = await context.newPage();
  return await watchPage(page, `${gateway.url}/#/camera/box/${name}`);
}

interface Shown {
  readonly frames: number;
  readonly width: number;
  readonly soundBytes: number;
  readonly behindS: number;
}

function shown(page: Page): Promise<Shown> {
  return page.evaluate(`(() => {
    const video = document.querySelector('video');
    const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
    const { buffered } = video;
    return {
      frames: totalVideoFrames - droppedVideoFrames,
      width: video.videoWidth,
      soundBytes: video.webkitAudioDecodedByteCount,
      behindS: buffered.length === 0 ? 0 : buffered.end(buffered.length - 1) - video.currentTime,
    };
  })()`);
}

async function waitForFrames(page: Page, count: number): Promise<Shown> {
  await page.locator('video').waitFor();
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const state = await shown(page);
    if (state.frames >= count) return state;
    const words = await page.locator('.player-words').textContent();
    assert.ok(performance.now() < deadlineMs, `${state.frames} frames of ${count}: ${words}`);
    await page.waitForTimeout(100);
  }
}

describe('the camera page', { timeout: TEST_MS }, () => {
  describe('while all is well', { concurrency: true }, () => {
    test('live pictures with B-frames, and sound', async (test) => {
      const { page, troubles } = await openCamera(test, 'cam', { colorScheme: 'light' });
      const first = await waitForFrames(page, ENOUGH_FRAMES);
      assert.equal(first.width, 320);
      await waitForFrames(page, first.frames + 15);
      // AAC is decoded; the test's time bounds the wait.
      while ((await shown(page)).soundBytes === 0) await page.waitForTimeout(100);
      assert.equal(await page.locator('.player-words').textContent(), '');
      await page.getByRole('button', { name: 'Unmute' }).click();
      await page.getByRole('button', { name: 'Mute', exact: true }).click();
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByText('Paused.').waitFor();
      await page.getByRole('button', { name: 'Play', exact: true }).click();
      await waitForFrames(page, 15);
      await page.getByText('H.264 Main', { exact: false }).waitFor();
      assert.deepEqual(await seriousFaults(page), []);
      assert.deepEqual(troubles, []);
    });

    test('H.265: it says that this browser cannot play it, and what to do', async (test) => {
      const { page, troubles } = await openCamera(test, 'hevc');
      await page.getByText('This browser cannot play H.265.', { exact: false }).waitFor();
      assert.deepEqual(troubles, []);
    });

    test('G.711: the picture plays, and it says that the sound does not; in Chinese, too', async (test) => {
      const { page, troubles } = await openCamera(test, 'g711');
      await waitForFrames(page, 10);
      await page.getByText('no decoder for G.711 A-law', { exact: false }).waitFor();
      await page.getByRole('combobox', { name: /language|语言/i }).selectOption('zh');
      await page.getByText('没有声音', { exact: false }).waitFor();
      await page.screenshot({ path: join(OUT, 'dashboard-camera-zh.png') });
      assert.deepEqual(troubles, []);
    });

    test('the head moves while it is held, by mouse and by keyboard', async (test) => {
      const { page, troubles } = await openCamera(test, 'cam', { colorScheme: 'dark' });
      await page.getByLabel('Speed').fill('1');
      const right = page.getByRole('button', { name: 'Right', exact: true });
      await right.hover();
      terminal.received = '';
      await page.mouse.down();
      // Longer than one move lasts: it is asked for again.
      await page.waitForTimeout(3_000);
      const held = terminal.received;
      await page.mouse.up();
      await until(() => terminal.received.endsWith(STOP), PATIENCE_MS);
      assert.match(held, new RegExp(`^(${RIGHT})+$`), 'it moves, and nothing stops it');

      await page.getByRole('button', { name: 'Home' }).focus();
      for (const [key, frame] of [
        ['ArrowUp', UP],
        ['+', ZOOM_IN],
      ] as const) {
        await untilSilent();
        terminal.received = '';
        await page.keyboard.down(key);
        // A zoom says its speed first.
        await until(() => terminal.received.includes(frame), PATIENCE_MS);
        assert.equal(terminal.received.includes(STOP), false);
        await page.keyboard.up(key);
        await until(() => terminal.received.endsWith(STOP), PATIENCE_MS);
      }

      // The press takes the focus from another button: it goes on all the same.
      await untilSilent();
      await page.getByRole('button', { name: 'Up', exact: true }).hover();
      terminal.received = '';
      await page.mouse.down();
      await page.waitForTimeout(1_000);
      assert.match(terminal.received, new RegExp(`^(${UP})+$`));
      await page.mouse.up();
      await until(() => terminal.received.endsWith(STOP), PATIENCE_MS);

      // Whoever goes elsewhere lets go.
      await page.getByRole('button', { name: 'Home' }).focus();
      await untilSilent();
      terminal.received = '';
      await page.keyboard.down('ArrowUp');
      await until(() => terminal.received.startsWith(UP), PATIENCE_MS);
      await page.evaluate(`window.dispatchEvent(new Event('blur'))`);
      await until(() => terminal.received.endsWith(STOP), PATIENCE_MS);
      await page.keyboard.up('ArrowUp');

      await untilSilent();
      terminal.received = '';
      await page.getByLabel('Preset number').fill('5');
      await page.getByRole('button', { name: 'Go there' }).click();
      await page.getByText('It goes to preset 5.').waitFor();
      assert.equal(terminal.received, GO_TO_5);

      // What this camera cannot do is not offered.
      const actions = page.getByRole('region', { name: 'Actions' }).getByRole('button');
      assert.deepEqual(await actions.allTextContents(), ['Restart stream']);
      assert.deepEqual(await seriousFaults(page), []);
      assert.deepEqual(troubles, []);
    });

    test('an address is copied, also where browsers have no clipboard for pages', async (test) => {
      const { page, troubles } = await openCamera(test, 'cam');
      await page.evaluate(`Object.defineProperty(navigator, 'clipboard', { value: undefined })`);
      await page.getByRole('button', { name: 'Copy HLS' }).click();
      await page.getByText('Copied.').waitFor();
      await page.evaluate(`document.body.append(document.createElement('textarea'));
        document.body.lastElementChild.focus()`);
      await page.keyboard.press('Control+V');
      const pasted = await page.evaluate('document.body.lastElementChild.value');
      assert.equal(pasted, `${gateway.url}/live/cam/index.m3u8`);
      assert.deepEqual(troubles, []);
    });

    test('charts, with a table for who does not see them; dark, light and on a telephone', async (test) => {
      const { page, troubles } = await openCamera(test, 'cam', { colorScheme: 'dark' });
      // Its numbers come meanwhile, every 10 s.
      const phone = await openCamera(test, 'cam', PHONE);
      await waitForFrames(page, 5);
      const chart = page.locator('.chart', { hasText: 'Bit rate' });
      await chart.getByRole('img', { name: /^Bit rate: \d+ kbit\/s now/ }).waitFor();
      await page.locator('.chart', { hasText: 'Packets lost' }).getByRole('img').waitFor();
      await chart.getByText('As a table').click();
      await chart.getByRole('table').locator('tbody tr').first().waitFor();
      assert.deepEqual(await seriousFaults(page), []);
      await page.screenshot({ path: join(OUT, 'dashboard-camera-dark.png'), fullPage: true });
      await page.emulateMedia({ colorScheme: 'light' });
      await page.screenshot({ path: join(OUT, 'dashboard-camera-light.png'), fullPage: true });
      assert.deepEqual(await seriousFaults(page), []);
      assert.deepEqual(troubles, []);
      await waitForFrames(phone.page, 5);
      await phone.page.locator('.chart').first().getByRole('img').waitFor();
      await phone.page.screenshot({
        path: join(OUT, 'dashboard-camera-phone.png'),
        fullPage: true,
      });
      const overflow = await phone.page.evaluate(
        'document.documentElement.scrollWidth - innerWidth',
      );
      assert.equal(overflow, 0, 'nothing is wider than the telephone');
      assert.deepEqual(phone.troubles, []);
    });

    describe('in the fleet view', { concurrency: true }, () => {
      /** Logged in at the broker. */
      async function openFleet(test: TestContext, name: string, config: object) {
        const policy = (await fetch(gateway.url)).headers.get('content-security-policy') ?? '';
        const beside = await PageBesideBroker.start(webPort, {
          policy: policy.replace('connect-src', `connect-src ${gateway.url}`),
          config: { view: 'fleet', mqttUrl: '/mqtt', baseTopic: 'sluice', ...config },
        });
        test.after(() => beside.close());
        const context = await browser.newContext(DESKTOP);
        test.after(() => context.close());
        const url = `${beside.url}/#/camera/box/${name}`;
        const watched = await watchPage(await context.newPage(), url);
        await watched.page.getByLabel('User name').fill(BROKER_LOGIN.username);
        await watched.page.getByLabel('Password').fill(BROKER_LOGIN.password);
        await watched.page.getByRole('button', { name: 'Log in' }).click();
        return watched;
      }

      test('live pictures from where the configuration says', async (test) => {
        const playUrl = `${gateway.url}/live/{stream}.flv`;
        const { page, troubles } = await openFleet(test, 'cam', { playUrl });
        await waitForFrames(page, ENOUGH_FRAMES);
        await page.getByRole('button', { name: 'Copy Central server' }).waitFor();
        assert.deepEqual(troubles, []);
      });

      test('snapshots over MQTT where it says nothing', async (test) => {
        const { page, troubles } = await openFleet(test, 'g711', {});
        await page.getByRole('img', { name: 'Newest snapshot of g711' }).waitFor();
        await page.getByText('has no address that streams play at', { exact: false }).waitFor();
        await page.getByRole('button', { name: 'Take snapshot' }).click();
        await page.getByRole('img', { name: /^Snapshot of g711/ }).waitFor();
        assert.equal(await page.getByRole('button', { name: 'Reboot camera' }).count(), 0);
        assert.deepEqual(troubles, []);
      });
    });
  });

  test('the camera dies: the page says why; it comes back, and so do its pictures', async (test) => {
    const { page, troubles } = await openCamera(test, 'cam');
    await waitForFrames(page, ENOUGH_FRAMES);
    const latencyMs = await latencyOf(page, cameras.cam);
    test.diagnostic(`from the camera to the page: about ${latencyMs} ms`);
    assert.ok(latencyMs < MAX_LATENCY_MS, `${latencyMs} ms`);
    await cameras.cam.kill();
    const words = page.locator('.player-words');
    await words.getByText('Not online', { exact: false }).waitFor();
    await page.getByText('nothing listens', { exact: false }).first().waitFor();
    await page.screenshot({ path: join(OUT, 'dashboard-camera-down.png') });
    await cameras.cam.start();
    // The last picture stays until there is another.
    await page.locator('.player-words:empty').waitFor({ state: 'attached' });
    await waitForFrames(page, ENOUGH_FRAMES);
    assert.equal(await words.textContent(), '');
    await page.getByRole('button', { name: 'Restart stream' }).click();
    await page.getByText('The stream begins anew.').waitFor();
    await waitForFrames(page, (await shown(page)).frames + ENOUGH_FRAMES);
    assert.deepEqual(troubles, []);
  });
});

/** No more frames are on their way: stops are sent twice, moves again and again. */
async function untilSilent(): Promise<void> {
  for (let before = ''; before !== terminal.received; ) {
    before = terminal.received;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** The camera stands still: how long until the page does. Its clock and ours are one. */
async function latencyOf(page: Page, camera: GstCamera): Promise<number> {
  const stoodStill = page.evaluate(`new Promise((resolve) => {
    const video = document.querySelector('video');
    let lastS = video.currentTime;
    let movedMs = Date.now();
    const timer = setInterval(() => {
      if (video.currentTime !== lastS) movedMs = Date.now();
      lastS = video.currentTime;
      if (Date.now() - movedMs < 1500) return;
      clearInterval(timer);
      resolve(movedMs);
    }, 10);
  })`);
  await page.waitForTimeout(500);
  const sinceMs = Date.now();
  camera.pause();
  const movedMs = (await stoodStill) as number;
  camera.resume();
  return movedMs - sinceMs;
}
