/**
 * What the web page is clicked through against: a gateway as users run it, with a camera that has pictures, a serial head and a
 * snapshot, one that is not there, a master that takes the pushes and one that is not there; and Chromium.
 */
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { type GstCamera, startGstCamera } from '../support/gst-camera.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { PageBesideBroker } from '../support/page-beside-broker.ts';
import { PseudoTerminal } from '../support/pseudo-terminal.ts';
import { RtmpSink } from '../support/rtmp-sink.ts';
import { VirtualOnvif } from '../support/virtual-onvif.ts';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

export const PAGE_PATIENCE_MS = 45_000;
export const BROKER_LOGIN = { username: 'viewer', password: 'look-from-afar' };

export class DashboardScenario {
  readonly browser: Browser;
  readonly gateway: GatewayProcess;
  /** Behind the stream `gate`, by ONVIF, and `yard`, whose head is on the terminal (Pelco-D, address 1). */
  readonly camera: GstCamera;
  readonly terminal: PseudoTerminal;
  /** The gateway's, with a login. */
  readonly broker: Mosquitto;
  /** Where it speaks WebSocket. */
  readonly #webPort: number;
  #beside: PageBesideBroker | undefined;
  readonly #onvif: VirtualOnvif;
  readonly #master: RtmpSink;

  private constructor(parts: {
    readonly browser: Browser;
    readonly gateway: GatewayProcess;
    readonly camera: GstCamera;
    readonly terminal: PseudoTerminal;
    readonly broker: Mosquitto;
    readonly webPort: number;
    readonly onvif: VirtualOnvif;
    readonly master: RtmpSink;
  }) {
    this.browser = parts.browser;
    this.gateway = parts.gateway;
    this.camera = parts.camera;
    this.terminal = parts.terminal;
    this.broker = parts.broker;
    this.#webPort = parts.webPort;
    this.#onvif = parts.onvif;
    this.#master = parts.master;
  }

  /** `yaml`: further keys of the configuration; `options`: as of `GatewayProcess.start`. */
  static async start(
    yaml = '',
    options: Parameters<typeof GatewayProcess.start>[1] = {},
  ): Promise<DashboardScenario> {
    const webPort = await freePort();
    const [browser, broker, camera, terminal, master, jpeg, nobody] = await Promise.all([
      launchBrowser(),
      Mosquitto.start({
        logins: [BROKER_LOGIN],
        lines: [`listener ${webPort} 127.0.0.1`, 'protocol websockets'],
      }),
      startGstCamera({
        ...{ width: 320, height: 180, fps: 10, gop: 10, bitrate: 200 },
        ...{ audio: 'none', viewers: 'own' },
      }),
      PseudoTerminal.make(),
      RtmpSink.listen(),
      makeJpeg(),
      freePort(),
    ]);
    const onvif = await VirtualOnvif.start({
      rtspUrl: camera.url,
      auth: 'both',
      snapshot: jpeg,
      ptz: {},
    });
    const gateway = await GatewayProcess.start(
      `mqtt: { url: "${broker.url}", username: ${BROKER_LOGIN.username}, password: ${BROKER_LOGIN.password} }
serial:
  - { name: mast, path: "${terminal.path}", protocol: pelco-d, addresses: { yard: 1 } }
streams:
  gate: { source: "onvif://127.0.0.1:${onvif.port}", username: admin, password: secret }
  yard: { source: "${camera.url}", ptz: mast/yard }
  lost: { source: "rtsp://127.0.0.1:${nobody}/cam" }
proxypublish:
  targets:
    - { targetUri: "rtmp://127.0.0.1:${master.port}/live", localStreamName: gate }
    - { targetUri: "rtmp://127.0.0.1:${nobody}/live", localStreamName: yard }
${yaml}`,
      options,
    );
    const parts = { browser, gateway, camera, terminal, broker, webPort, onvif, master };
    return new DashboardScenario(parts);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.gateway.stop();
    this.#beside?.close();
    await this.broker.stop();
    await this.#onvif.close();
    await this.#master.close();
    await this.terminal[Symbol.asyncDispose]();
    await this.camera[Symbol.asyncDispose]();
  }

  /** A window of its own, at a screen such as `#/wall`. */
  async open(hash = '', options: BrowserContextOptions = {}): Promise<WatchedPage> {
    return await this.#openAt(`${this.gateway.url}/${hash}`, options);
  }

  /** The same files beside the broker, as a central server would have them: the fleet view. */
  async openFleet(hash = '', options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const { headers } = await fetch(this.gateway.url);
    this.#beside ??= await PageBesideBroker.start(this.#webPort, {
      policy: headers.get('content-security-policy') ?? '',
      config: { view: 'fleet', mqttUrl: '/mqtt', baseTopic: 'sluice' },
    });
    return await this.#openAt(`${this.#beside.url}/${hash}`, options);
  }

  async #openAt(url: string, options: BrowserContextOptions): Promise<WatchedPage> {
    const context = await this.browser.newContext({
      viewport: { width: 1280, height: 800 },
      ...options,
    });
    return await watchPage(await context.newPage(), url);
  }
}

export interface WatchedPage {
  readonly page: Page;
  /** Errors, refusals of the page's own policy, and requests that left the box. */
  readonly troubles: string[];
}

export async function watchPage(page: Page, url: string): Promise<WatchedPage> {
  const troubles: string[] = [];
  page.setDefaultTimeout(PAGE_PATIENCE_MS);
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(`${message.text()} ${message.location().url}`);
  });
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (hostname !== '127.0.0.1' && !/^(blob|data):$/.test(protocol)) {
      troubles.push(`asked ${request.url()}`);
    }
  });
  await page.goto(url);
  return { page, troubles };
}

/** Faults that keep people out, as axe-core finds them: its source is text for the page, past the page's policy. */
export async function seriousFaults(page: Page): Promise<string[]> {
  const source = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(source);
  return await page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join(' | ')))`);
}

/** A picture as a camera would give it. */
export async function makeJpeg(): Promise<Uint8Array> {
  const file = join(tmpdir(), `sluice-snapshot-${process.pid}.jpg`);
  await run('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'smptehdbars=size=640x360', '-frames:v', '1'],
    file,
  ]);
  const jpeg = await readFile(file);
  await rm(file);
  return jpeg;
}
