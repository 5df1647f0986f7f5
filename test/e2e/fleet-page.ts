/** The web page beside a central broker, in Chromium: three gateways, their cameras, a live picture. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { launchBrowser, videoState } from '../support/browser.ts';

const OUT = join(process.cwd(), 'test/out');
const WAIT_MS = 30_000;
const PHONE = { width: 390, height: 844 };
const FRAMES = 30;

export interface FleetPageResult {
  readonly refusedLogin: string;
  readonly rows: readonly string[];
  readonly tiles: readonly string[];
  readonly frames: number;
  readonly troubles: readonly string[];
  readonly foreignRequests: readonly string[];
}

export interface FleetPageOptions {
  readonly username: string;
  readonly password: string;
  readonly gateways: readonly string[];
  readonly stream: string;
}

export async function lookAtFleet(
  url: string,
  options: FleetPageOptions,
): Promise<FleetPageResult> {
  const { username, password, gateways, stream } = options;
  mkdirSync(OUT, { recursive: true });
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({
      ignoreHTTPSErrors: true,
      httpCredentials: { username, password },
    });
    page.setDefaultTimeout(WAIT_MS);
    const troubles: string[] = [];
    const foreignRequests: string[] = [];
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') troubles.push(message.text());
    });
    page.on('request', (asked) => {
      if (!/^(https|wss):\/\/127\.0\.0\.1\/|^(blob|data):/.test(asked.url())) {
        foreignRequests.push(asked.url());
      }
    });
    await page.goto(url);
    const refusedLogin = await logIn(page, username, 'wrong');
    await logIn(page, username, password);
    const rows: string[] = [];
    for (const gateway of gateways) {
      const row = page.getByRole('row').filter({ hasText: gateway });
      await row.filter({ hasText: /1 \/ 1.*1 \/ 1/ }).waitFor();
      rows.push(((await row.first().textContent()) ?? '').replace(/\s+/g, ' '));
    }
    await page.screenshot({ path: join(OUT, 'fleet-table-light.png') });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.screenshot({ path: join(OUT, 'fleet-table-dark.png') });
    await page.setViewportSize(PHONE);
    await page.screenshot({ path: join(OUT, 'fleet-table-phone.png') });
    await page.setViewportSize({ width: 1280, height: 800 });

    await page.goto(`${url}#/wall`);
    const tiles: string[] = [];
    for (const gateway of gateways) {
      const tile = page.getByRole('listitem').filter({ hasText: gateway });
      tiles.push(((await tile.first().textContent()) ?? '').replace(/\s+/g, ' '));
    }
    await page.screenshot({ path: join(OUT, 'fleet-wall-dark.png') });

    await page.goto(`${url}#/camera/${gateways[0] ?? ''}/${stream}`);
    await page.locator('video').waitFor();
    const frames = await framesOf(page);
    await page.screenshot({ path: join(OUT, 'fleet-camera-dark.png') });
    return { refusedLogin, rows, tiles, frames, troubles, foreignRequests };
  } finally {
    await browser.close();
  }
}

/** What the page says where the broker refuses it. */
async function logIn(page: Page, username: string, password: string): Promise<string> {
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  const isRight = password !== 'wrong';
  if (isRight) {
    await page.getByRole('navigation').first().waitFor();
    return '';
  }
  return (await page.getByRole('alert').first().textContent()) ?? '';
}

async function framesOf(page: Page): Promise<number> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const { frames } = await videoState(page);
    if (frames >= FRAMES || Date.now() > deadline) return frames;
    await page.waitForTimeout(100);
  }
}
