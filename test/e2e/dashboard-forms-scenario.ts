/**
 * What dashboard-forms.test.ts clicks through: a program for a network of its own, in which an ONVIF camera is found. One gateway that
 * others reach (a login is needed), one for this machine only; both as users run them. Prints what failed, part by part.
 */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { startGstCamera } from '../support/gst-camera.ts';
import { RtmpSink } from '../support/rtmp-sink.ts';
import { VirtualOnvif } from '../support/virtual-onvif.ts';
import { seriousFaults, type WatchedPage, watchPage } from './dashboard-scenario.ts';

export interface PartOutcome {
  readonly failure?: string;
}

const OUT = join(process.cwd(), 'test/out');
const CAMERA_ADDRESS = '10.79.0.11';
const CAMERA_PASSWORD = 'the-camera-s-own';
const PLANTED = 'pl4nted-secret';
const OWN_PASSWORD = 'wet cat on a tin roof';
const NEXT_PASSWORD = 'the roof has dried by now';
const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** What is there when a screen has something to show. */
const READY = {
  settings: 'summary',
  devices: 'li.card',
  targets: 'tbody tr',
  events: '#main p',
} as const;

const outcomes: Record<string, PartOutcome> = {};

async function main(): Promise<void> {
  await mkdir(OUT, { recursive: true });
  const [browser, camera, master] = await Promise.all([
    launchBrowser(),
    startGstCamera({
      ...{ address: '0.0.0.0', audio: 'none', auth: 'digest', username: 'admin' },
      ...{ password: CAMERA_PASSWORD, width: 320, height: 180, fps: 10, gop: 10, bitrate: 200 },
      viewers: 'own',
    }),
    RtmpSink.listen(),
  ]);
  const onvif = await VirtualOnvif.start({
    ...{ address: CAMERA_ADDRESS, wsDiscoveryPort: 3702, auth: 'digest' },
    ...{ username: 'admin', password: CAMERA_PASSWORD },
    ...{ manufacturer: 'Acme', model: 'Dome', serial: 'AC0041' },
    endpointReference: 'urn:uuid:5f5a69c2-e0ae-504f-829b-000000000041',
    rtspUrl: `rtsp://${CAMERA_ADDRESS}:${camera.port}/cam`,
  });
  const gate = `rtsp://127.0.0.1:${camera.port}/cam`;
  const [box, shop] = await Promise.all([
    GatewayProcess.start(
      `# kept by whoever wrote it
log: { level: info }
mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }
streams:
  gate: { source: "${gate}", username: admin, password: ${CAMERA_PASSWORD} }
  lost: { source: "rtsp://viewer:${PLANTED}@127.0.0.1:${await freePort()}/cam" }
acceptors:
  - { protocol: rtmp, listen: "127.0.0.1:${await freePort()}", publish: { token: ${PLANTED} } }
proxypublish:
  targets:
    - { targetUri: "rtmp://u:${PLANTED}@127.0.0.1:${master.port}/live", localStreamName: gate }
`,
      {
        discovery: `adopt: ask, mdns: false, credentials: [ { username: other, password: ${PLANTED} } ]`,
      },
    ),
    GatewayProcess.start(`mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }\n`, {
      host: '0.0.0.0',
      id: 'shop',
    }),
  ]);
  const bench = new Bench(browser, box, shop, master, gate);
  try {
    await Promise.all([
      part('first-run', () => bench.firstRun()),
      part('adopt', () => bench.adopt()),
      (async () => {
        await part('settings', () => bench.settings());
        await part('cameras', () => bench.cameras());
      })(),
    ]);
    await part('screenshots', () => bench.screenshots());
    await part('targets', () => bench.targets());
    await part('secrets', () => bench.secrets());
  } finally {
    await Promise.all([browser.close(), box.stop(), shop.stop()]);
    await Promise.all([onvif.close(), camera[Symbol.asyncDispose](), master.close()]);
  }
}

async function part(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
    outcomes[name] = {};
  } catch (error) {
    outcomes[name] = { failure: error instanceof Error ? String(error.stack) : String(error) };
  }
}

class Bench {
  readonly #browser: Browser;
  readonly #box: GatewayProcess;
  readonly #shop: GatewayProcess;
  readonly #master: RtmpSink;
  readonly #gate: string;
  /** All that pages were answered and told. */
  #received = '';

  constructor(
    browser: Browser,
    box: GatewayProcess,
    shop: GatewayProcess,
    master: RtmpSink,
    gate: string,
  ) {
    this.#browser = browser;
    this.#box = box;
    this.#shop = shop;
    this.#master = master;
    this.#gate = gate;
  }

  async firstRun(): Promise<void> {
    const shown = /shown this once: (\S+) (\S+)/.exec(this.#shop.log);
    assert.ok(shown !== null, 'the console shows the first password');
    const [, username = '', first = ''] = shown;
    const { page, troubles } = await this.#open(this.#shop, '');
    const heading = page.getByRole('heading', { level: 1 });
    await heading.getByText('Log in to this gateway').waitFor();
    await this.#shoot(page, 'login');
    await logIn(page, username, 'not-this-one');
    await page.getByRole('alert').getByText('do not fit').waitFor();
    await logIn(page, username, first);
    await heading.getByText('Set a password of your own').waitFor();
    await this.#shoot(page, 'first-run');
    const set = async (fresh: string, again: string) => {
      await page.getByLabel('New password').fill(fresh);
      await page.getByLabel('The same again').fill(again);
      await page.getByRole('button', { name: 'Set the password' }).click();
    };
    await set('short', 'shorter');
    await page.getByText('The two are not the same.').waitFor();
    await page.getByText('Weak: quickly guessed.').waitFor();
    await set('short', 'short');
    await page.getByText('The gateway says:').waitFor();
    await set(OWN_PASSWORD, OWN_PASSWORD);
    await page.getByRole('navigation').waitFor();
    await page.goto(`${this.#shop.url}/#/settings`);
    await page.getByText(`Logged in as ${username}.`).waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await heading.getByText('Log in to this gateway').waitFor();
    await logIn(page, username, first);
    await page.getByRole('alert').getByText('do not fit').waitFor();
    await logIn(page, username, OWN_PASSWORD);
    await page.getByText(`Logged in as ${username}.`).waitFor();
    await this.#endedElsewhere(page, username);
    assert.equal((await page.content()).includes(OWN_PASSWORD), false);
    // Chromium itself says so of every answer that is no.
    assert.deepEqual(
      troubles.filter((text) => !/status of 40[01]/.test(text)),
      [],
    );
    await page.context().close();
  }

  /** Another browser sets another password, which ends all sessions but its own. */
  async #endedElsewhere(page: Page, username: string): Promise<void> {
    const other = await this.#open(this.#shop, '#/settings');
    await logIn(other.page, username, OWN_PASSWORD);
    await page.goto(`${this.#shop.url}/#/targets`);
    await page.getByRole('heading', { name: 'Push targets' }).waitFor();
    await other.page.getByRole('button', { name: 'Change the password' }).click();
    await other.page.getByLabel('Present password').fill(OWN_PASSWORD);
    await other.page.getByLabel('New password').fill(NEXT_PASSWORD);
    await other.page.getByLabel('The same again').fill(NEXT_PASSWORD);
    await other.page.getByRole('button', { name: 'Set the password' }).click();
    await other.page.getByText('The new password is set.').waitFor();
    await page.getByRole('heading', { name: 'Log in to this gateway' }).waitFor();
    await logIn(page, username, NEXT_PASSWORD);
    await page.getByRole('heading', { name: 'Push targets' }).waitFor();
    await page.getByText('● live').waitFor();
    assert.equal((await other.page.content()).includes(NEXT_PASSWORD), false);
    await other.page.context().close();
  }

  async adopt(): Promise<void> {
    const { page, troubles } = await this.#open(this.#box, '#/devices');
    const card = page.locator('li.card', { hasText: 'Dome' });
    await card.getByText('waits for you').waitFor();
    await this.#shoot(page, 'devices');
    await page.getByRole('button', { name: 'Search now' }).click();
    await card.getByRole('button', { name: 'Ignore' }).click();
    await card.getByText('○ ignored').waitFor();
    await page.getByText('Searched.').waitFor();
    const network = page.getByLabel('Another network');
    await network.fill('over there');
    await network.press('Enter');
    await page.getByText(/an IPv4 network such as/).waitFor();
    await network.fill('10.79.0.12/31');
    await network.press('Enter');
    await page.getByText('Working…').waitFor();
    await card.getByRole('button', { name: 'Adopt' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('li.card button:focus', { hasText: 'Adopt' }).press('Enter');
    await dialog.getByLabel('Name', { exact: true }).fill('Yard Dome');
    await dialog.getByLabel('User name').fill('admin');
    await dialog.getByLabel('Password').fill('wrong-one');
    await this.#shoot(page, 'adopt');
    await dialog.getByRole('button', { name: 'Adopt' }).click();
    await dialog.getByRole('alert').getByText('lower-case letters').waitFor();
    await dialog.getByLabel('Name', { exact: true }).fill('yard-dome');
    await dialog.getByRole('button', { name: 'Adopt' }).click();
    await dialog
      .getByRole('alert')
      .getByText(/password|login/i)
      .waitFor();
    await dialog.getByLabel('Password').fill(CAMERA_PASSWORD);
    await dialog.getByRole('button', { name: 'Adopt' }).click();
    await dialog.getByText('It is adopted as yard-dome.').waitFor();
    await page.getByText('Scanned. Addresses asked: 2.').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await card.getByText('adopted', { exact: false }).first().waitFor();
    await card.getByRole('link', { name: 'Show yard-dome' }).click();
    await page.waitForURL(/#\/camera\/box\/yard-dome/);
    assert.equal((await page.content()).includes(CAMERA_PASSWORD), false);
    await page.goBack();
    await this.#shoot(page, 'devices-adopted');
    await this.#answer(page, 'dismiss', () => card.getByRole('button', { name: 'Forget' }).click());
    await card.getByText('● adopted').waitFor();
    await this.#answer(page, 'accept', () => card.getByRole('button', { name: 'Forget' }).click());
    await card.getByText('waits for you').waitFor();
    assert.equal(await this.#box.stream('yard-dome'), undefined);
    assert.deepEqual(troubles, []);
    await page.context().close();
  }

  async settings(): Promise<void> {
    const { page, troubles } = await this.#open(this.#box, '#/settings');
    await openSection(page, 'limits');
    await control(page, 'limits.stallMs').fill('soon');
    await page.getByRole('button', { name: 'Review and save' }).click();
    const wrong = page.getByRole('alert');
    await wrong.getByText('expected a whole number from 1000 to 600000').waitFor();
    await page.locator('#setting-limits\\.stallMs:focus').waitFor();
    await control(page, 'limits.stallMs').fill('9000');
    await openSection(page, 'proxypublish');
    await control(page, 'proxypublish.targets').click();
    const uri = control(page, 'proxypublish.targets[1].targetUri');
    await uri.fill('http://not-a-master.example/live');
    await this.#saveReviewed(page, 'proxypublish.targets[1]');
    await wrong.getByText('The gateway does not take it').waitFor();
    await page
      .locator('#setting-proxypublish\\.targets\\[1\\]\\.targetUri[aria-invalid=true]')
      .waitFor();
    await page.getByRole('button', { name: 'Remove targets 2' }).click();
    await openSection(page, 'log');
    await control(page, 'log.level').selectOption('debug');
    await this.#shoot(page, 'settings');
    await page.getByText('2 changes, not saved yet.').waitFor();
    await this.#saveReviewed(page, 'log.level');
    await page.getByText('Saved.', { exact: true }).waitFor();
    const text = await readFile(this.#box.configFile, 'utf8');
    assert.match(text, /# kept by whoever wrote it/);
    assert.match(text, /level: debug/);
    assert.match(text, /stallMs: 9000/);
    assert.ok(text.includes(PLANTED), 'masks sent back leave secrets as they are');
    await page.getByText('No changes.').waitFor();
    await this.#conflict(page);
    assert.deepEqual(troubles, []);
    await page.context().close();
  }

  /** Somebody else saves while this page has changes of its own. */
  async #conflict(page: Page): Promise<void> {
    await control(page, 'limits.stallMs').fill('7000');
    await page.getByRole('link', { name: 'Events' }).click();
    await page.getByRole('heading', { name: 'Events' }).waitFor();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByText('One change, not saved yet.').waitFor();
    await openSection(page, 'limits');
    const { revision } = (await this.#command('config/get', {})) as { revision: string };
    await this.#command('config/set', { patch: { log: { level: 'warn' } }, revision });
    await this.#saveReviewed(page, 'limits.stallMs');
    await page.getByRole('status').getByText('Somebody else has changed').waitFor();
    await page.getByText('One change, not saved yet.').waitFor();
    assert.equal(await control(page, 'log.level').inputValue(), 'warn', 'theirs is loaded');
    assert.equal(await control(page, 'limits.stallMs').inputValue(), '7000', 'ours is kept');
    assert.ok(await control(page, 'limits.stallMs').isVisible(), 'what was open stays open');
    await this.#saveReviewed(page, 'limits.stallMs');
    await page.getByText('Saved.', { exact: true }).waitFor();
    const text = await readFile(this.#box.configFile, 'utf8');
    assert.match(text, /level: warn/);
    assert.match(text, /stallMs: 7000/);
  }

  async cameras(): Promise<void> {
    const { page, troubles } = await this.#open(this.#box, '#/settings');
    await page.getByRole('button', { name: '+ Add a camera' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('porch');
    await dialog.getByLabel('Address (URL)').fill('10.0.0.20');
    await dialog.getByRole('button', { name: 'Add it' }).click();
    await dialog.getByRole('alert').getByText('Expected a URL').waitFor();
    await dialog.getByLabel('Address (URL)').fill(this.#gate);
    await dialog.getByLabel('User name').fill('admin');
    await dialog.getByLabel('Password').fill(CAMERA_PASSWORD);
    await this.#shoot(page, 'add-camera');
    await dialog.getByRole('button', { name: 'Add it' }).click();
    await page.getByText('porch is added.').waitFor();
    await this.#box.until('it has pictures', async () => {
      return (await this.#box.stream('porch'))?.status.state === 'online';
    });
    await openSection(page, 'streams');
    const secret = control(page, 'streams.porch.password');
    assert.equal(await secret.inputValue(), '', 'the password does not come back');
    assert.equal(await secret.getAttribute('placeholder'), 'Set. Type to replace it');
    await page.locator('summary', { hasText: 'porch' }).click();
    await page.getByRole('button', { name: 'Remove porch' }).click();
    await this.#saveReviewed(page, 'streams.porch');
    await page.getByText('Saved.', { exact: true }).waitFor();
    await this.#box.until(
      'it is gone',
      async () => (await this.#box.stream('porch')) === undefined,
    );
    assert.doesNotMatch(await readFile(this.#box.configFile, 'utf8'), /porch/);
    assert.deepEqual(troubles, []);
    await page.context().close();
  }

  async targets(): Promise<void> {
    const { page, troubles } = await this.#open(this.#box, '#/targets');
    const events = await this.#open(this.#box, '#/events');
    const list = events.page.getByRole('log');
    // From before the page was opened.
    const before = await events.page.evaluate(
      `fetch('./api/v1/events').then((response) => response.json())`,
    );
    const [oldest] = before as [{ message: string }];
    await list.getByText(oldest.message).first().waitFor();
    const row = page.getByRole('row', { name: /gate/ });
    await row.getByText('publishing').waitFor();
    await this.#shoot(page, 'targets');
    await this.#master.close();
    await row.getByText(/Next try/).waitFor();
    await row.locator('.reason').waitFor();
    await page.getByLabel('Show').selectOption('publishing');
    await page.getByText('No push is in this state.').waitFor();
    await page.getByLabel('Show').selectOption('');
    await page.getByRole('button', { name: 'Sort by Queue' }).click();
    await page.locator('th[aria-sort=descending]').getByText('Queue').waitFor();
    await events.page.getByRole('button', { name: 'Pause' }).click();
    await this.#shoot(events.page, 'events');
    await events.page.getByLabel('Filter').fill('nothing is called so');
    await events.page.getByText('No event fits the filter.').waitFor();
    assert.deepEqual([...troubles, ...events.troubles], []);
    await page.context().close();
    await events.page.context().close();
  }

  /** Every screen once more, with all folded out, and all that was sent to any page. */
  async secrets(): Promise<void> {
    const { page } = await this.#open(this.#box, '#/settings');
    await page.locator('summary').first().waitFor();
    await page.evaluate(`for (const one of document.querySelectorAll('details')) one.open = true`);
    const values = await page.evaluate(
      `[...document.querySelectorAll('input, textarea, select')].map(({ value }) => value).join('\\n')`,
    );
    const seen = `${await page.content()}\n${values}`;
    for (const secret of [PLANTED, CAMERA_PASSWORD]) {
      assert.equal(seen.includes(secret), false, 'the page has a secret');
      assert.equal(this.#received.includes(secret), false, 'a page was sent a secret');
    }
    assert.ok(this.#received.includes('"config"'), 'the configuration was among what was sent');
    assert.ok(seen.includes('***') || String(values).includes('***'), 'masks stand for them');
    await page.context().close();
  }

  async screenshots(): Promise<void> {
    for (const screen of ['settings', 'devices', 'targets', 'events'] as const) {
      for (const [name, options] of [
        ['phone', { ...PHONE, colorScheme: 'light' }],
        ['dark', { ...DESKTOP, colorScheme: 'dark' }],
      ] as const) {
        const { page, troubles } = await this.#open(this.#box, `#/${screen}`, options);
        await page.locator('#main h1').waitFor();
        await page.locator('.frame-header .badge-ok').waitFor();
        await page.locator(READY[screen]).first().waitFor();
        if (screen === 'settings') {
          await openSection(page, 'discovery');
          await openSection(page, 'streams');
        }
        await page.screenshot({
          path: join(OUT, `dashboard-forms-${screen}-${name}.png`),
          fullPage: true,
        });
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        assert.ok(Number(overflow) <= 0, `${screen} is wider than a ${name}`);
        assert.deepEqual(await seriousFaults(page), [], `${screen} ${name}`);
        assert.deepEqual(troubles, []);
        await page.context().close();
      }
    }
    const { page } = await this.#open(this.#box, '#/settings', { ...PHONE, colorScheme: 'dark' });
    await page.getByRole('combobox', { name: 'Language' }).selectOption('zh');
    await page.getByRole('heading', { name: '设置', exact: true }).waitFor();
    await openSection(page, 'log');
    await this.#shoot(page, 'settings-chinese');
    await page.context().close();
  }

  /** What `box` does when somebody else asks; the reply's data. */
  async #command(verb: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const response = await fetch(`${this.#box.url}/api/v1/cmd/${verb}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(args),
    });
    const reply = (await response.json()) as { ok: boolean; data: unknown };
    assert.ok(reply.ok, JSON.stringify(reply));
    return reply.data;
  }

  /** To a question of the browser's. */
  async #answer(page: Page, how: 'accept' | 'dismiss', ask: () => Promise<void>): Promise<void> {
    const asked = page.waitForEvent('dialog').then((dialog) => dialog[how]());
    await Promise.all([asked, ask()]);
  }

  async #saveReviewed(page: Page, path: string): Promise<void> {
    await page.getByRole('button', { name: 'Review and save' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(path).first().waitFor();
    await this.#shoot(page, `review-${path.replace(/\W+/g, '-')}`);
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
  }

  async #shoot(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: join(OUT, `dashboard-forms-${name}.png`), fullPage: true });
    assert.deepEqual(await seriousFaults(page), [], name);
  }

  async #open(
    gateway: GatewayProcess,
    hash: string,
    options: BrowserContextOptions = DESKTOP,
  ): Promise<WatchedPage> {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => {
        this.#received += payload.toString();
      });
    });
    page.on('response', (response) => {
      if (!response.url().includes('/api/')) return;
      response.text().then(
        (text) => {
          this.#received += text;
        },
        // Gone with its page.
        () => undefined,
      );
    });
    return await watchPage(page, `${gateway.url}/${hash}`);
  }
}

async function logIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

async function openSection(page: Page, name: string): Promise<void> {
  await page.locator('summary', { has: page.getByRole('heading', { name, exact: true }) }).click();
}

function control(page: Page, path: string): Locator {
  return page.locator(`[id="setting-${path}"]`);
}

await main();
process.stdout.write(`\n${JSON.stringify(outcomes)}\n`);
process.exit();
