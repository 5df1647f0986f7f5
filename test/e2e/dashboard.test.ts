/** The web page's frame, camera wall and gateway screen in Chromium, against a running gateway with cameras. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import {
  BROKER_LOGIN,
  DashboardScenario,
  PAGE_PATIENCE_MS,
  seriousFaults,
} from './dashboard-scenario.ts';

const TEST_MS = 120_000;
const OUT = join(process.cwd(), 'test/out');
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const SCREENS = ['wall', 'devices', 'targets', 'events', 'gateway', 'settings'] as const;
/** What a broker keeps of a gateway whose box has died. */
const GONE = {
  state: 'offline',
  health: JSON.stringify({
    ...{ at: '2026-11-25T12:00:00.000Z', uptimeS: 1, cpuPercent: 1, rssMb: 100, anonMb: null },
    ...{ load1: 0, memoryTotalMb: 1000, memoryAvailableMb: null, temperatureC: null },
    ...{ throttled: null, diskTotalMb: null, diskFreeMb: null, uplinkKbps: 900 },
    ...{ clockSynchronised: null, streamsUp: 1, streamsTotal: 1, publishesUp: 1 },
    publishesTotal: 1,
  }),
  'stream/loft/status': JSON.stringify({
    ...{ state: 'online', code: 'ok', reason: 'Pictures are arriving.' },
    ...{ since: '2026-11-25T11:00:00.000Z', lastFrameAt: null, attempts: 0, nextRetryAt: null },
  }),
  'publish/loft/master': JSON.stringify({
    ...{ state: 'publishing', code: 'ok', reason: '', target: 'rtmp://master/live/loft' },
    ...{ queueMs: 0, droppedGops: 0, droppedUnits: 0, bytes: 1, attempts: 0, nextRetryAt: null },
    since: '2026-11-25T11:00:00.000Z',
  }),
};

describe('the web page of a gateway', { timeout: TEST_MS }, () => {
  let scenario: DashboardScenario;

  before(async () => {
    await mkdir(OUT, { recursive: true });
    scenario = await DashboardScenario.start();
    await scenario.gateway.until(
      'there are pictures',
      async () => (await scenario.gateway.stream('gate'))?.status.state === 'online',
      PAGE_PATIENCE_MS,
    );
  });

  after(() => scenario?.close());

  describe('while all is well', { concurrency: true }, () => {
    test('the wall: snapshots, states with their reasons, bit rates; filters', async () => {
      const { page, troubles } = await scenario.open('#/wall', { colorScheme: 'dark' });
      await tile(page, 'gate').getByText('● online').waitFor();
      await tile(page, 'gate').locator('img').waitFor();
      await tile(page, 'yard').getByText('the camera has none to give').waitFor();
      await tile(page, 'lost')
        .getByText(/nothing listens there/)
        .waitFor();
      await tile(page, 'gate')
        .getByText(/^\d+ kbit\/s$/)
        .waitFor();
      const line = tile(page, 'gate')
        .getByRole('img', { name: /kbit\/s/ })
        .locator('polyline');
      assert.match((await line.getAttribute('points')) ?? '', /^[\d.]+,[\d.]+ [\d.]+,/);
      await page.getByText('3 of 3 cameras, 2 online').waitFor();
      await page.screenshot({ path: join(OUT, 'dashboard-wall-dark.png') });
      await page.getByLabel('State').selectOption('trouble');
      await tile(page, 'gate').waitFor({ state: 'detached' });
      await page.getByLabel('State').selectOption('all');
      await page.getByLabel('Filter by').fill('yar');
      await tile(page, 'lost').waitFor({ state: 'detached' });
      await page.getByLabel('Filter by').fill('no such');
      await page.getByText('No camera fits the filter.').waitFor();
      assert.deepEqual(await seriousFaults(page), []);
      assert.deepEqual(troubles, []);
      await page.context().close();
    });

    test('every screen has a heading, a title, and no serious fault; the keyboard alone goes everywhere', async () => {
      const { page, troubles } = await scenario.open();
      await tile(page, 'gate').waitFor();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate('document.activeElement.id'), 'main', 'the skip link skips');
      for (const [at, screen] of SCREENS.entries()) {
        await tabTo(page, `nav li:nth-child(${at + 1}) a`);
        await page.keyboard.press('Enter');
        await page.waitForURL(new RegExp(`#/${screen}`));
        await page.locator('#main h1').first().waitFor();
        await page.locator('#main h1:focus, #main:focus').waitFor();
        assert.match(await page.title(), / · box · Sluice$/);
        assert.deepEqual(await seriousFaults(page), [], screen);
        await page.screenshot({ path: join(OUT, `dashboard-${screen}-light.png`) });
      }
      assert.deepEqual(troubles, []);
      await page.context().close();
    });

    test('the gateway screen: how the box does; a command, and what became of it', async () => {
      const { page, troubles } = await scenario.open('#/gateway', { colorScheme: 'dark' });
      await page.getByRole('heading', { name: 'box', exact: true }).waitFor();
      await page.getByText('2 / 3').waitFor();
      await page.getByText('mast').waitFor();
      await page.getByLabel('Log level').selectOption('debug');
      await page.getByRole('button', { name: 'Set it' }).click();
      await page.getByText('The log level is debug until the next start.').waitFor();
      await page.screenshot({ path: join(OUT, 'dashboard-gateway-dark.png') });
      assert.deepEqual(await seriousFaults(page), []);
      await page.evaluate('Intl.NumberFormat = undefined');
      await page.goto(`${scenario.gateway.url}/#/camera/box/gate`);
      await page.getByRole('alert').getByText('This screen cannot be drawn').waitFor();
      await page.getByRole('link', { name: 'Cameras' }).click();
      await tile(page, 'gate').waitFor();
      assert.deepEqual(troubles, []);
      await page.context().close();
    });

    test('at phone width nothing is wider than the phone; Chinese and dark are remembered', async () => {
      const { page, troubles } = await scenario.open('#/wall', PHONE);
      await tile(page, 'gate').waitFor();
      await page.getByLabel('Language').selectOption('zh');
      await page.getByRole('heading', { name: '摄像机' }).waitFor();
      await page.getByLabel('主题').selectOption('dark');
      await tile(page, 'lost').getByText('该端口没有服务在监听').waitFor();
      await page.reload();
      await tile(page, 'lost').getByText('无法访问').waitFor();
      assert.equal(await page.evaluate('document.documentElement.lang'), 'zh-Hans');
      assert.equal(await page.evaluate('document.documentElement.dataset.theme'), 'dark');
      for (const screen of SCREENS) {
        await page.goto(`${scenario.gateway.url}/#/${screen}`);
        await page.locator('#main h1').first().waitFor();
        const widths = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]');
        assert.deepEqual(widths, [390, 390], screen);
        const { x, width } = (await page.locator('nav [aria-current]').boundingBox()) ?? {};
        assert.ok(x !== undefined && width !== undefined && x >= 0 && x + width <= 390, screen);
        await page.screenshot({ path: join(OUT, `dashboard-${screen}-phone.png`) });
      }
      assert.deepEqual(await seriousFaults(page), []);
      assert.deepEqual(troubles, []);
      await page.context().close();
    });

    test('beside a broker: its login is asked for; all gateways, over MQTT 5; snapshots by command', async (context) => {
      const other = await MqttWatcher.open(scenario.broker.url, 5, BROKER_LOGIN);
      context.after(() => other.close());
      for (const [topic, words] of Object.entries(GONE)) {
        await other.publish(`sluice/attic/${topic}`, words, { retain: true });
      }
      const { page, troubles } = await scenario.openFleet();
      await page.getByLabel('User name').fill(BROKER_LOGIN.username);
      await page.getByLabel('Password').fill('wrong');
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByText('The broker refused this login.').waitFor();
      assert.deepEqual(await seriousFaults(page), []);
      // Who mistyped the password types that alone.
      await page.locator('input[type=password]:focus').waitFor();
      assert.equal(await page.getByLabel('User name').inputValue(), BROKER_LOGIN.username);
      await page.getByLabel('Password').fill(BROKER_LOGIN.password);
      await page.getByRole('button', { name: 'Log in' }).click();
      const row = (id: string) =>
        page.getByRole('row').filter({ has: page.getByRole('link', { name: id, exact: true }) });
      await row('attic').getByText('offline').waitFor();
      await row('attic').getByText('0 / 1').nth(1).waitFor();
      await row('box').getByText('online').waitFor();
      await row('box').getByText('2 / 3').waitFor();
      await page.getByText('2 of 2 gateways, 1 online').waitFor();
      await page.screenshot({ path: join(OUT, 'dashboard-fleet-light.png') });
      const first = () => page.locator('tbody th').first().textContent();
      assert.equal(await first(), 'attic');
      await page.getByRole('button', { name: 'Gateway', exact: true }).click();
      await page.locator('tbody tr:first-child th', { hasText: 'box' }).waitFor();
      assert.deepEqual(await seriousFaults(page), []);
      await row('attic').getByRole('link', { name: 'attic', exact: true }).click();
      await tile(page, 'loft')
        .getByText(/The gateway has been offline since .+2026.+; last known: online\./)
        .waitFor();
      await page.getByText('1 of 1 cameras, 0 online').waitFor();
      await page.screenshot({ path: join(OUT, 'dashboard-gone-light.png') });
      await page.getByRole('link', { name: 'Gateways' }).click();
      await row('box').getByRole('link', { name: 'box', exact: true }).click();
      await tile(page, 'gate').locator('img').waitFor();
      await page.setViewportSize(PHONE.viewport);
      await page.getByRole('link', { name: 'Gateways' }).click();
      await row('box').getByText('online').waitFor();
      assert.equal(
        await page.evaluate('document.documentElement.scrollWidth'),
        PHONE.viewport.width,
      );
      await page.screenshot({ path: join(OUT, 'dashboard-fleet-phone.png') });
      await strangeWords(other);
      await page.goto(page.url().replace(/#.*/, '#/camera/attic/cam'));
      await page.getByText('constructor').waitFor();
      await page.getByRole('heading', { name: 'Packets lost' }).waitFor();
      assert.deepEqual(
        await page.evaluate('Object.keys(sessionStorage)'),
        [],
        'no login is kept unasked',
      );
      assert.deepEqual(troubles, []);
      await page.context().close();
    });
  });

  test('a camera goes, and the wall says why; the gateway goes, and the page says so, and finds it again', async () => {
    const { page } = await scenario.open('#/wall');
    await tile(page, 'yard').getByText('● online').waitFor();
    await scenario.camera.kill();
    await tile(page, 'yard')
      .getByText(/nothing listens there|closed the connection|ended the stream/)
      .waitFor();
    await scenario.gateway.kill();
    await page.getByText('not connected').waitFor();
    await page.getByText(/Trying again; what is shown may be old/).waitFor();
    await scenario.gateway.startAgain();
    await page.getByText('● live').waitFor();
    await tile(page, 'lost')
      .getByText(/nothing listens there/)
      .waitFor();
  });
});

/** All that they may say by their shape, and none of it has a word or a place here. */
async function strangeWords(gateway: MqttWatcher): Promise<void> {
  const say = (part: string, payload: object) =>
    gateway.publish(`sluice/attic/stream/cam/${part}`, JSON.stringify(payload), { retain: true });
  const since = '+275760-09-13T00:00:00.000Z';
  await say('status', {
    ...{ state: 'toString', code: '__proto__', reason: '<img src=x onerror=alert(1)>', since },
    ...{ lastFrameAt: 'yesterday', attempts: -1, nextRetryAt: since },
  });
  await say('info', {
    source: 'javascript:alert(1)',
    tracks: [{ kind: 'constructor', codec: '' }],
  });
  const odd = { videoKbps: 1e-322, audioKbps: 0, fps: 9e15, gopMs: null, jitterMs: -9e15 };
  for (const lostPackets of [0, 5e-324]) {
    const rest = { damagedUnits: 0, reconnects: 0, units: 0, bytes: -1, viewers: 0.5 };
    await say('stats', { ...odd, lostPackets, ...rest });
  }
}

function tile(page: Page, name: string) {
  return page.locator('.tile').filter({ has: page.getByRole('heading', { name, exact: true }) });
}

/** As who has no mouse: on and on, until it is there. */
async function tabTo(page: Page, selector: string): Promise<void> {
  const isThere = () =>
    page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`);
  for (let presses = 0; presses < 80; presses += 1) {
    if (await isThere()) return;
    await page.keyboard.press('Shift+Tab');
  }
  assert.fail(`the keyboard does not get to ${selector}`);
}
