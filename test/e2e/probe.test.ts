/** `sluice probe` as users run it, against a camera for each thing that it must find. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GstCamera, startGstCamera } from '../support/gst-camera.ts';
import { fuA, nalUnit } from '../support/rtp-packets.ts';
import { answer, CAMERA_SDP, type Script, ScriptedCamera } from '../support/scripted-camera.ts';

const FRAME_MS = 40;

interface Probed {
  readonly exitCode: number;
  readonly output: string;
  readonly complaints: string;
}

interface Report {
  readonly ok: boolean;
  readonly carriage: string;
  readonly findings: readonly { code: string; weight: string; words: string }[];
  readonly tracks: readonly { kind: string; codec: string; width?: number }[];
  readonly video: { fps: number; kbps: number; longestGopMs?: number; bFrames: number } | null;
  readonly audio: { kbps: number } | null;
  readonly transport: string | null;
  readonly packets: { received: number; lost: number };
  readonly clockPercent: number | null;
}

async function runProbe(...args: string[]): Promise<Probed> {
  const child = spawn(process.execPath, ['dist/gateway/main.js', 'probe', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const [exitCode] = await once(child, 'close');
  return { exitCode: Number(exitCode), output, complaints };
}

async function reportOf(...args: string[]): Promise<Report & { exitCode: number }> {
  const { exitCode, output, complaints } = await runProbe('--json', ...args);
  assert.equal(complaints, '');
  return { ...(JSON.parse(output) as Report), exitCode };
}

function codes({ findings }: Report): string[] {
  return findings.map(({ weight, code }) => `${weight} ${code}`);
}

/** A camera that sends by itself, frame after frame, until it is closed. */
async function withCamera<T>(
  script: Script,
  frame: (camera: ScriptedCamera, n: number) => void,
  work: (camera: ScriptedCamera) => Promise<T>,
): Promise<T> {
  const camera = await ScriptedCamera.open(script);
  const begunMs = performance.now();
  let n = 0;
  // From absolute time: a timer that is late must not look like a slow clock.
  const timer = setInterval(() => {
    while (n * FRAME_MS < performance.now() - begunMs) {
      if (camera.tracks.length > 0) frame(camera, n);
      n += 1;
    }
  }, FRAME_MS / 2);
  try {
    return await work(camera);
  } finally {
    clearInterval(timer);
    await camera.close();
  }
}

function picture(camera: ScriptedCamera, timestamp: number, isIdr: boolean): void {
  camera.sendRtp(0, { timestamp, marker: true, payload: nalUnit(isIdr ? 0x65 : 0x41, 400) });
}

/** Without pictures of its own at PLAY. */
const QUIET: Script = { PLAY: (request) => answer(request, 200, { Session: 'abc' }) };
const VIDEO_ONLY_SDP = CAMERA_SDP.slice(0, CAMERA_SDP.indexOf('m=audio'));

// Nearly all of it is waiting: side by side.
describe('probe', { concurrency: 4 }, () => {
  let gst: GstCamera;
  before(async () => {
    // Two look at it at once: each must see the one keyframe, and nothing that is the other's.
    gst = await startGstCamera({ bframes: 2, gop: 1000, auth: 'digest', viewers: 'own' });
  });
  after(async () => {
    await gst[Symbol.asyncDispose]();
  });

  it('GOP too long, B-frames; the figures; words first', async () => {
    const url = gst.url.replace('rtsp://', 'rtsp://admin:secret@');
    const [report, text] = await Promise.all([reportOf(url), runProbe('--seconds', '6', url)]);
    assert.deepEqual(codes(report), ['warning long-gop', 'hint b-frames']);
    assert.equal(report.ok, true);
    assert.equal(report.exitCode, 0);
    assert.equal(report.carriage, 'any');
    assert.equal(report.tracks.find(({ kind }) => kind === 'video')?.width, 320);
    assert.ok(report.video !== null && report.audio !== null);
    assert.ok(Math.abs(report.video.fps - 25) < 1, `${report.video.fps} fps`);
    assert.ok(report.audio.kbps > 30 && report.audio.kbps < 110, `${report.audio.kbps} kbit/s`);
    // An encoder that falls behind on a busy machine; a clock that is wrong would be among the findings.
    assert.ok(Math.abs(report.clockPercent ?? 99) < 2, `${report.clockPercent} %`);
    assert.equal(report.packets.lost, 0);
    const lines = text.output.split('\n');
    assert.match(lines[2] ?? '', /^It works, with reservations\. Any RTMP master can take it\.$/);
    // A machine that is behind sees two of them in its 6 s.
    assert.ok(
      lines.some((line) => /^! A keyframe only every (?:more than )?\d/.test(line)),
      text.output,
    );
    assert.ok(lines.some((line) => /^video {4}H264 Main .*320x240/.test(line)));
    assert.doesNotMatch(text.output, /secret/);
  });

  it('wrong password', async () => {
    const report = await reportOf(gst.url.replace('rtsp://', 'rtsp://admin:not-this-one@'));
    assert.deepEqual(codes(report), ['problem auth']);
    assert.equal(report.exitCode, 1);
    assert.doesNotMatch(JSON.stringify(report), /not-this-one/);
  });

  it('sessions exhausted, as the RFC says it (453) and as Dahua says it (401 to a right password)', async () => {
    const full: Script = { SETUP: (request) => answer(request, 453) };
    const report = await withCamera(
      full,
      () => undefined,
      (camera) => reportOf(camera.url),
    );
    assert.deepEqual(codes(report), ['problem busy']);
    assert.match(report.findings[0]?.words ?? '', /Close other viewers/);
    const challenge = { 'WWW-Authenticate': 'Digest realm="dahua", nonce="1"' };
    const dahua: Script = {
      DESCRIBE: (request) =>
        request.headers.get('authorization') === undefined
          ? answer(request, 401, challenge)
          : undefined,
      SETUP: (request) => answer(request, 401, challenge),
    };
    const other = await withCamera(
      dahua,
      () => undefined,
      (camera) => reportOf(camera.url.replace('rtsp://', 'rtsp://admin:right@')),
    );
    assert.deepEqual(codes(other), ['problem busy']);
  });

  it('no keyframes', async () => {
    const report = await withCamera(
      QUIET,
      (camera, n) => picture(camera, n * 3600, false),
      (camera) => reportOf(camera.url),
    );
    assert.equal(report.ok, false);
    assert.deepEqual(codes(report), ['problem no-keyframe']);
  });

  it('missing parameter sets', async () => {
    const sdp = VIDEO_ONLY_SDP.replace(/;sprop-parameter-sets=[^\r]*/, '');
    const script: Script = {
      ...QUIET,
      DESCRIBE: (request) => answer(request, 200, { 'Content-Type': 'application/sdp' }, sdp),
    };
    const report = await withCamera(
      script,
      (camera, n) => picture(camera, n * 3600, n % 25 === 0),
      (camera) => reportOf(camera.url),
    );
    assert.deepEqual(codes(report), ['problem parameter-sets']);
  });

  it('packet loss', async () => {
    const report = await withCamera(
      QUIET,
      (camera, n) => {
        for (const [index, payload] of fuA(
          nalUnit(n % 25 === 0 ? 0x65 : 0x41, 400),
          120,
        ).entries()) {
          const isLost = n % 10 === 9 && index === 2;
          const track = camera.tracks[0];
          if (isLost && track !== undefined) track.sequenceNumber += 1;
          else camera.sendRtp(0, { timestamp: n * 3600, marker: index === 3, payload });
        }
        camera.sendAudio(n * 1920);
      },
      (camera) => reportOf('--transport', 'udp', '--seconds', '5', camera.url),
    );
    assert.deepEqual(codes(report), ['warning packet-loss']);
    assert.equal(report.transport, 'udp');
    assert.match(report.findings[0]?.words ?? '', /transport: tcp/);
  });

  it('a clock that runs slow: stamped 21 frames where 25 come', async () => {
    const report = await withCamera(
      QUIET,
      (camera, n) => {
        picture(camera, Math.round(n * 3600 * 0.84), n % 25 === 0);
        camera.sendAudio(n * 1920);
      },
      (camera) => reportOf('--seconds', '7', camera.url),
    );
    assert.deepEqual(codes(report), ['warning clock']);
    assert.ok(Math.abs((report.clockPercent ?? 0) + 16) < 2, `${report.clockPercent} %`);
  });

  it('a codec that many masters refuse: H.265, and G.711 beside it', async () => {
    const camera = await startGstCamera({ video: 'h265', audio: 'pcma' });
    try {
      const report = await reportOf('--seconds', '3', camera.url);
      assert.deepEqual(codes(report), ['warning enhanced-video', 'warning unusual-audio']);
      assert.equal(report.carriage, 'enhanced');
    } finally {
      await camera[Symbol.asyncDispose]();
    }
  });

  it('nothing there, arguments, and Ctrl-C while it connects', async () => {
    const { exitCode, output } = await runProbe('rtsp://127.0.0.1:1/cam');
    assert.equal(exitCode, 1);
    assert.match(output, /No picture\.\n\n✗ The camera at 127\.0\.0\.1: nothing listens there/);
    for (const args of [[], ['a', 'b'], ['gopher://x/'], ['rtsp://x/', '--seconds', '0']]) {
      const wrong = await runProbe(...args);
      assert.equal(wrong.exitCode, 2, args.join(' '));
      assert.match(wrong.complaints, /probe/);
    }
    const silent: Script = { OPTIONS: () => '' };
    await withCamera(
      silent,
      () => undefined,
      async (camera) => {
        const child = spawn(process.execPath, ['dist/gateway/main.js', 'probe', camera.url]);
        while (camera.connections === 0) await sleep(20);
        const beganMs = performance.now();
        child.kill('SIGINT');
        await once(child, 'close');
        assert.ok(performance.now() - beganMs < 2_000);
      },
    );
  });
});
