/**
 * HLS from the whole gateway: ffmpeg publishes over RTMP; ffmpeg, a strict low latency client and Chromium watch. The
 * units arrive bit by bit as they were published.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { concat, equalBytes } from '../../codecs/bytes.ts';
import { launchBrowser, openPage, type VideoState, videoState } from '../support/browser.ts';
import { assertSameUnits, type CodedUnit, type SeenUnit } from '../support/compare-units.ts';
import { FfmpegSender, MediaFolder } from '../support/ffmpeg-media.ts';
import { flvUnits } from '../support/flv-units.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { checkReload, type HlsPlaylist, readMediaPlaylist } from '../support/hls-playlist.ts';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

const AAC = ['-c:a', 'aac', '-ac', '2'];
/** Longer than the tests take on the busiest machine. */
const SECONDS = 90;
/** Sound goes on without gaps, where FLV has whole milliseconds. */
const TOLERANCE_US = 1_600;
const TEST_MS = 90_000;
const PATIENCE_MS = 45_000;
/** Parts of about 0.4 s; the rest is how busy this machine is. */
const MAX_BLOCKED_MS = 8_000;

/** How far behind hls.js may be; how far it is, a busy machine decides. */
const PART_HOLD_BACK_S = 1.35;

const HLS_JS_PAGE = `<!doctype html><video muted autoplay></video><script src="/hls.js"></script><script>
  const hls = new Hls({ lowLatencyMode: true });
  // On a busy machine pictures come late: that is no fault of the playlist's.
  const isLate = (details) => details === 'bufferStalledError' || details === 'bufferNudgeOnStall';
  hls.on(Hls.Events.ERROR, (_, { details, fatal }) => {
    if (fatal || !isLate(details)) console.error(details, fatal);
  });
  hls.loadSource('/live/cam/index.m3u8');
  hls.attachMedia(document.querySelector('video'));
  const state = () => ({
    isLowLatency: hls.levels[0].details.canBlockReload && hls.levels[0].details.partList?.length > 0,
    partHoldBackS: hls.levels[0].details.partHoldBack,
  });
</script>`;

let media: MediaFolder;
let file: string;
let published: CodedUnit[];
let gateway: GatewayProcess;
let browser: Browser;
let rtmpPort: number;
let tsPort: number;

before(async () => {
  rtmpPort = await freePort();
  tsPort = await freePort();
  [media, browser] = await Promise.all([MediaFolder.make(), launchBrowser()]);
  file = await media.makeFlv('media.flv', SECONDS, AAC);
  published = flvUnits(await readFile(file));
  gateway = await GatewayProcess.start(
    `mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }
acceptors:
  - { protocol: rtmp, listen: "127.0.0.1:${rtmpPort}" }
  - { protocol: mpegts-tcp, listen: "127.0.0.1:${tsPort}", localStreamName: h265 }`,
  );
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
  await media?.[Symbol.asyncDispose]();
});

function publish(name: string): FfmpegSender {
  return new FfmpegSender(file, ['-f', 'flv', `rtmp://127.0.0.1:${rtmpPort}/live/${name}`]);
}

const urlOf = (name: string, path: string) => `${gateway.url}/live/${name}${path}`;

async function online(name: string): Promise<void> {
  await gateway.until(`${name} is there`, async () => (await fetch(urlOf(name, '/index.m3u8'))).ok);
}

/** `args`: how much of it. */
async function ffprobeUnits(url: string, ...args: readonly string[]): Promise<SeenUnit[]> {
  const { stdout } = await run(
    'ffprobe',
    [...['-v', 'error', ...args, '-show_packets', '-show_data_hash', 'SHA256', '-of', 'json', url]],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const { packets } = JSON.parse(stdout) as { packets: Record<string, string>[] };
  return packets.map((packet) => ({
    kind: packet['codec_type'] as 'video' | 'audio',
    ptsUs: Math.round(Number(packet['pts_time']) * 1e6),
    dtsUs: Math.round(Number(packet['dts_time']) * 1e6),
    sha256: packet['data_hash']!.replace('SHA256:', ''),
  }));
}

/** A player with low latency: asks for each playlist before there is anything new in it. */
class LowLatencyClient {
  playlist: HlsPlaylist | undefined;
  longestMs = 0;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  async reload(): Promise<HlsPlaylist> {
    const open = this.playlist?.segments.at(-1);
    const isOpen = open?.uri === undefined;
    const query =
      open === undefined
        ? ''
        : `?_HLS_msn=${open.number + (isOpen ? 0 : 1)}&_HLS_part=${isOpen ? open.parts.length : 0}`;
    const sinceMs = performance.now();
    const response = await fetch(urlOf(this.#name, `/media.m3u8${query}`));
    const text = await response.text();
    assert.equal(response.status, 200, `${query}: ${text}`);
    this.longestMs = Math.max(this.longestMs, performance.now() - sinceMs);
    const playlist = readMediaPlaylist(text);
    if (this.playlist !== undefined) checkReload(this.playlist, playlist);
    this.playlist = playlist;
    return playlist;
  }

  async bytes(uri: string): Promise<Uint8Array> {
    const response = await fetch(urlOf(this.#name, `/${uri}`));
    assert.equal(response.status, 200, uri);
    return new Uint8Array(await response.arrayBuffer());
  }
}

describe('HLS', { concurrency: true, timeout: TEST_MS }, () => {
  test('ffprobe reads what was published, bit by bit; a strict client with low latency, too; browsers play it', async (context) => {
    await using sender = publish('cam');
    await online('cam');
    await Promise.all([
      context.test('ffprobe', async () => {
        const seen = await ffprobeUnits(urlOf('cam', '/index.m3u8'), '-read_intervals', '%+6');
        const options = { toleranceUs: TOLERANCE_US, fewest: 250 };
        const { audioDelayUs } = assertSameUnits(published, seen, options);
        assert.ok(Math.abs(audioDelayUs ?? 99_999) < 3_000, `${audioDelayUs} us`);
      }),
      context.test('parts by blocking reload', () => followParts('cam')),
      context.test("Chromium's own HLS, which knows segments only", async () => {
        const { page, troubles } = await openPage(browser, `${gateway.url}/plain.html`, {
          '/plain.html': `<!doctype html><video muted autoplay src="/live/cam/index.m3u8"></video>`,
        });
        await playing(() => videoState(page), { currentTime: 2, frames: 30 });
        assert.deepEqual(troubles, []);
        await page.close();
      }),
      context.test('hls.js, with low latency', async () => {
        const { page, troubles } = await openPage(browser, `${gateway.url}/hls-js.html`, {
          '/hls-js.html': HLS_JS_PAGE,
          '/hls.js': await readFile(require.resolve('hls.js'), 'utf8'),
        });
        await playing(() => videoState(page), { currentTime: 2, frames: 30 });
        const { isLowLatency, partHoldBackS } = (await page.evaluate('state()')) as {
          isLowLatency: boolean;
          partHoldBackS: number;
        };
        assert.deepEqual([isLowLatency, partHoldBackS], [true, PART_HOLD_BACK_S]);
        assert.deepEqual(troubles, []);
        await page.close();
      }),
      context.test('the page in Chromium', async () => {
        const { page, troubles } = await openPage(browser, urlOf('cam', ''));
        await playing(() => videoState(page), { currentTime: 2, frames: 30 });
        const { width, words } = await videoState(page);
        assert.deepEqual([width, words, troubles], [320, '', []]);
        await page.close();
      }),
    ]);
    assert.doesNotMatch(sender.log, /error/i);
  });

  test('H.265 and AC-3 are carried; the page says what the browser lacks', async () => {
    const path = join(media.path, 'h265.ts');
    await run('ffmpeg', [
      ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=15'],
      ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=15', '-c:a', 'ac3'],
      ...['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-x265-params'],
      ...['keyint=25:bframes=2:log-level=none:pools=1', path],
    ]);
    await using sender = new FfmpegSender(path, ['-f', 'mpegts', `tcp://127.0.0.1:${tsPort}`]);
    await online('h265');
    const seen = await ffprobeUnits(urlOf('h265', '/index.m3u8'), '-read_intervals', '%+2');
    assert.ok(
      seen.some(({ kind }) => kind === 'video') && seen.some(({ kind }) => kind === 'audio'),
    );
    const { page } = await openPage(browser, urlOf('h265', ''));
    const status = page.locator('[role=status]');
    await status
      .filter({ hasText: /does not decode hvc1\.1\.6\.L60\.90, ac-3/ })
      .waitFor({ timeout: PATIENCE_MS });
    await page.close();
    assert.doesNotMatch(sender.log, /error/i);
  });

  test('the source returns: a discontinuity, and the page goes on by itself', async () => {
    const client = new LowLatencyClient('door');
    const first = publish('door');
    await online('door');
    const { page } = await openPage(browser, urlOf('door', ''));
    await playing(() => videoState(page), { currentTime: 1, frames: 20 });
    await client.reload();
    await first[Symbol.asyncDispose]();
    const before = await videoState(page);
    await using second = publish('door');
    await gateway.until(
      'the playlist has a discontinuity',
      async () => {
        client.playlist = undefined;
        return (await client.reload()).segments.some(({ discontinuity }) => discontinuity);
      },
      PATIENCE_MS,
    );
    await playing(() => videoState(page), { currentTime: 1, frames: before.frames + 50 });
    await page.close();
    const parts = client.playlist!.segments.filter(({ discontinuity }) => discontinuity);
    assert.equal(parts.length, 1);
    assert.doesNotMatch(second.log, /error/i);
  });
});

/** For about five seconds: every playlist by the rules, every part there as soon as it is listed. */
async function followParts(name: string): Promise<void> {
  const client = new LowLatencyClient(name);
  const { segments } = await client.reload();
  const firstNumber = segments.at(-1)!.number;
  const taken = new Map<string, Uint8Array>();
  for (let reloads = 0; reloads < 15; reloads += 1) {
    const hinted = client.playlist!.preloadHint;
    const [bytes, playlist] = await Promise.all([client.bytes(hinted), client.reload()]);
    taken.set(hinted, bytes);
    const parts = playlist.segments.flatMap((segment) => segment.parts.map(({ uri }) => uri));
    assert.ok(parts.includes(hinted), `${hinted} is what came`);
  }
  assert.ok(client.longestMs < MAX_BLOCKED_MS, `a reload took ${client.longestMs} ms`);
  const whole = client.playlist!.segments.filter(
    ({ number, uri, parts }) => number > firstNumber && uri !== undefined && parts.length > 0,
  );
  assert.ok(whole.length >= 1);
  for (const { uri, parts } of whole) {
    const bytes = await Promise.all(
      parts.map(async (part) => taken.get(part.uri) ?? (await client.bytes(part.uri))),
    );
    assert.ok(equalBytes(concat(...bytes), await client.bytes(uri!)), `${uri} is its parts`);
  }
  const target = join(media.path, `${name}.mp4`);
  const init = await client.bytes(whole[0]!.map);
  await writeFile(
    target,
    concat(init, ...(await Promise.all(whole.map(({ uri }) => client.bytes(uri!))))),
  );
  assertSameUnits(published, await ffprobeUnits(target), { toleranceUs: TOLERANCE_US, fewest: 40 });
}

/** Until it has played so much; fails with what it shows instead. */
async function playing(
  look: () => Promise<VideoState>,
  wanted: Pick<VideoState, 'currentTime' | 'frames'>,
): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  let begunAt: number | undefined;
  for (;;) {
    const state = await look();
    if (state.frames > 0) begunAt ??= state.currentTime;
    const playedS = state.currentTime - (begunAt ?? state.currentTime);
    if (playedS >= wanted.currentTime && state.frames >= wanted.frames) return;
    assert.ok(performance.now() < deadlineMs, `it shows ${JSON.stringify(state)}\n${gateway.log}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
