/**
 * RTMPE, RTMPT, RTMPTE, RTMPS and RTMPTS with the programs of others and with our own publisher and player: what each
 * publishes comes out by every other way, bit for bit. One gateway serves all.
 *
 *   ffmpeg 5.1       rtmp, rtmps, rtmpt, rtmpts (Debian's is built without librtmp)
 *   rtmpdump 2.4     rtmp, rtmps, rtmpe, rtmpt, rtmpte; its rtmpts crashes before it sends a byte
 *   GStreamer 1.22   rtmpsink, which is librtmp as a publisher
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dialRtmp } from '../../drivers/rtmp/rtmp-dial.ts';
import type { RtmpScheme } from '../../protocols/rtmp/variants.ts';
import { makeCertificate, type TestCertificate } from '../support/certificates.ts';
import { assertSameUnits, type CodedUnit } from '../support/compare-units.ts';
import { FfmpegSender, MediaFolder } from '../support/ffmpeg-media.ts';
import { flvUnits, sha256 } from '../support/flv-units.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { NginxProxy } from '../support/nginx-proxy.ts';
import { Publishing } from '../support/publishing.ts';
import { RtmpPlayer } from '../support/rtmp-player.ts';
import { SendingProgram } from '../support/sending-program.ts';
import { SourceAttempt } from '../support/source-attempt.ts';
import { Lender, makeTestMedia, type TestMedia } from '../support/test-media.ts';
import { until } from '../support/until.ts';

const SECONDS = 4;
/** At 25 pictures a second. Players of others may begin late on a busy machine: with a later keyframe. */
const ENOUGH = 40;
/** FLV has milliseconds on both sides. */
const EXACT = { toleranceUs: 1000, fewest: ENOUGH };
/** Beginning to end, but for what the player may hold back. */
const NEARLY_ALL = SECONDS * 25 - 4;
const SCHEMES: readonly RtmpScheme[] = ['rtmp', 'rtmps', 'rtmpe', 'rtmpt', 'rtmpts', 'rtmpte'];
/** Debian's, which has python3-gi. */
const PYTHON = '/usr/bin/python3';
const GST_SENDER = join(process.cwd(), 'test/support/gst-rtmp-sender.py');

let gateway: GatewayProcess;
let folder: MediaFolder;
let file: string;
let sent: CodedUnit[];
/** Without B-frames: GStreamer's muxer gives those other decoding times. */
let gstFile: string;
let gstSent: CodedUnit[];
let media: TestMedia;
let certificate: TestCertificate;
const ports = { plain: 0, tls: 0, tunnel: 0, attacked: 0 };

before(async () => {
  for (const key of Object.keys(ports) as (keyof typeof ports)[]) ports[key] = await freePort();
  folder = await MediaFolder.make();
  certificate = await makeCertificate('IP:127.0.0.1');
  await writeFile(join(folder.path, 'cert.pem'), certificate.cert);
  await writeFile(join(folder.path, 'key.pem'), certificate.key);
  const files = `certFile: ${folder.path}/cert.pem, keyFile: ${folder.path}/key.pem`;
  gateway = await GatewayProcess.start(`acceptors:
  - { protocol: rtmp, listen: "127.0.0.1:${ports.plain}", limits: { connectionsPerAddress: 300 } }
  - { protocol: rtmps, listen: "127.0.0.1:${ports.tls}", ${files} }
  - { protocol: rtmpt, listen: "127.0.0.1:${ports.tunnel}" }
  - { protocol: rtmpt, listen: "127.0.0.1:${ports.attacked}", limits: { connectionsPerAddress: 20 } }
mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }
`);
  file = await folder.makeFlv('media.flv', SECONDS, ['-c:a', 'aac', '-b:a', '64k']);
  sent = flvUnits(await readFile(file));
  gstFile = await folder.makeFlv('gst.flv', SECONDS, ['-bf', '0', '-c:a', 'aac', '-b:a', '64k']);
  gstSent = flvUnits(await readFile(gstFile));
  media = await makeTestMedia({ seconds: SECONDS, bFrames: 2 });
});

after(async () => {
  const { code } = await gateway.stop();
  await folder[Symbol.asyncDispose]();
  assert.equal(code, 0);
  assert.doesNotMatch(gateway.log, /"level":"(error|fatal)"/);
});

/** Up to the application. */
function server(scheme: RtmpScheme): string {
  const port = scheme === 'rtmps' || scheme === 'rtmpts' ? ports.tls : ports.plain;
  return `${scheme}://127.0.0.1:${port}/live`;
}

function ffmpeg(scheme: RtmpScheme, name: string): RtmpPlayer {
  return RtmpPlayer.ffmpeg(`${server(scheme)}/${name}`);
}

async function assertAll(players: readonly RtmpPlayer[], wanted = sent): Promise<void> {
  await Promise.all(players.map((player) => player.has(ENOUGH)));
  for (const player of players) assertSameUnits(wanted, player.units, EXACT);
}

/** From our publisher to our player. */
async function assertOwn(context: TestContext, to: string, from: string, name: string) {
  const tls = { ca: certificate.ca };
  const player = new SourceAttempt(context, `${from}/${name}`, { tls });
  await until(() => player.log.some((line) => line.includes('"state":"playing"')), 20_000);
  await using publishing = new Publishing(
    { targetUri: to, targetStreamName: name, ...tls },
    media.tracks,
  );
  await publishing.accepted;
  const lender = new Lender();
  for (const unit of media.units) {
    publishing.write(lender.lend(unit));
    await sleep(2);
  }
  await player.has(NEARLY_ALL, 100);
  await publishing.stop();
  await gateway.until('it is told that the publisher has gone', async () => {
    return (await gateway.stream(name))?.status.code === 'ended';
  });
  assert.equal(publishing.publisher.stats.droppedUnits, 0);
  assertSameUnits(unitsOf(media), seenBy(player), EXACT);
}

/** How the gateway says that a publisher came. */
function cameBy(name: string): string | undefined {
  const line = gateway.log.split('\n').find((text) => {
    return text.includes(`"stream":"${name}"`) && text.includes('"msg":"publisher"');
  });
  return /"protocol":"(\w+)"/.exec(line ?? '')?.[1];
}

describe('what is between RTMP and TCP', { concurrency: true }, () => {
  it('ffmpeg publishes through HTTP; rtmpdump plays by all that it knows', async () => {
    const players = (['rtmp', 'rtmps', 'rtmpe', 'rtmpt', 'rtmpte'] as const).map((scheme) =>
      RtmpPlayer.rtmpdump(server(scheme), 'from-rtmpt'),
    );
    const tunnel = `127.0.0.1:${ports.tunnel}/live`;
    players.push(RtmpPlayer.rtmpdump(`rtmpte://${tunnel}`, 'from-rtmpt'));
    try {
      await using publisher = new FfmpegSender(file, [
        ...['-f', 'flv', `rtmpt://${tunnel}/from-rtmpt`],
      ]);
      await publisher.exited;
      await assertAll(players);
      assert.equal(cameBy('from-rtmpt'), 'RTMPT', publisher.log);
    } finally {
      for (const player of players) await player[Symbol.asyncDispose]();
    }
  });

  it('ffmpeg publishes through HTTPS; ffmpeg plays through HTTP, HTTPS and TLS', async () => {
    await using overHttp = ffmpeg('rtmpt', 'from-rtmpts');
    await using overHttps = ffmpeg('rtmpts', 'from-rtmpts');
    await using overTls = ffmpeg('rtmps', 'from-rtmpts');
    await using publisher = new FfmpegSender(file, [
      '-f',
      'flv',
      `${server('rtmpts')}/from-rtmpts`,
    ]);
    await publisher.exited;
    await assertAll([overHttp, overHttps, overTls]);
    assert.equal(cameBy('from-rtmpts'), 'RTMPTS', publisher.log);
  });

  for (const scheme of ['rtmpe', 'rtmpt', 'rtmpte'] as const) {
    it(`GStreamer publishes by ${scheme}, ffmpeg and rtmpdump play`, async () => {
      const name = `gst-${scheme}`;
      await using player = ffmpeg('rtmp', name);
      await using dump = RtmpPlayer.rtmpdump(server(scheme), name);
      await using sender = gstSender(`${server(scheme)}/${name}`);
      await sender.exited;
      await assertAll([player, dump], gstSent);
      assert.equal(cameBy(name), scheme.toUpperCase(), sender.log);
    });
  }

  for (const scheme of SCHEMES) {
    it(`our own publisher and player by ${scheme}`, async (context) => {
      await assertOwn(context, server(scheme), server(scheme), `own-${scheme}`);
    });
  }

  it('through a proxy: our own publisher and player, and those of others', async (context) => {
    await using impatient = await NginxProxy.start(ports.tunnel, 7);
    await using proxy = await NginxProxy.start(ports.tunnel, 1_000);
    const atImpatient = `127.0.0.1:${impatient.port}/live`;
    await assertOwn(context, `rtmpte://${atImpatient}`, `rtmpt://${atImpatient}`, 'own-proxy');
    // ffmpeg gives up when the proxy closes its connection.
    const at = `127.0.0.1:${proxy.port}/live`;
    await using player = RtmpPlayer.ffmpeg(`rtmpt://${at}/proxy`);
    await using publisher = new FfmpegSender(file, ['-f', 'flv', `rtmpt://${at}/proxy`]);
    await publisher.exited;
    await assertAll([player]);
  });

  it('300 handshakes of RTMPE in a row by rtmpdump, and 300 of our own', async () => {
    const dumps = Array.from({ length: 3 }, async (_, dump) => {
      for (let count = 0; count < 100; count += 1) {
        const { stderr } = await rtmpdump('rtmpe', 'nowhere');
        // The refusal was encrypted, and understood.
        assert.match(stderr, /Connected\.\.\.\s.*rtmp server sent error/s, `${dump}: ${count}`);
      }
    });
    await Promise.all(dumps);
    for (let count = 0; count < 300; count += 1) {
      const address = { host: '127.0.0.1', port: ports.plain, tls: undefined };
      const socket = await dialRtmp(
        { scheme: 'rtmpe', ...address, onData: () => undefined },
        AbortSignal.timeout(10_000),
      );
      socket.destroy();
    }
  });

  it('hostile tunnels: no more sessions than one address may have, and the next client is served', async () => {
    const answers = await Promise.all(
      Array.from({ length: 300 }, async (_, count) => {
        const bodies = [post('/open/1', '\0').repeat(10), ...HOSTILE_REQUESTS];
        return await say(bodies[count % bodies.length] ?? '');
      }),
    );
    const statuses = answers.flatMap((answer) => [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)]);
    const counts = new Map<string, number>();
    for (const [, status = ''] of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
    assert.ok((counts.get('200') ?? 0) <= 20, JSON.stringify([...counts]));
    assert.ok((counts.get('503') ?? 0) > 0 && (counts.get('404') ?? 0) > 0);
    assert.ok((await gateway.rssMb()) < 300, `${await gateway.rssMb()} MB`);
    const { stderr } = await rtmpdump('rtmpt', 'nowhere');
    assert.match(stderr, /rtmp server sent error/);
  });
});

const HOSTILE_REQUESTS: readonly string[] = [
  post('/send/0123456789abcdef0123456789abcdef/1', 'x').repeat(100),
  'POST /open/1 HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n',
  `POST /open/1 HTTP/1.1\r\nX-Endless: ${'x'.repeat(100_000)}`,
  'GET / HTTP/1.1\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\n\r\n',
];

function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** What one connection to the port under attack is answered, until it is closed or says nothing more. */
async function say(request: string): Promise<string> {
  const socket = connect(ports.attacked, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.end(request);
  socket.setTimeout(3_000, () => socket.destroy());
  await once(socket, 'close').catch(() => undefined);
  return answer;
}

/** Connects to an application that is not there. */
async function rtmpdump(scheme: RtmpScheme, app: string): Promise<{ stderr: string }> {
  const { port } = new URL(server(scheme).replace(scheme, 'http'));
  const url = `${scheme}://127.0.0.1:${port}/${app}/cam`;
  return await new Promise((resolve) => {
    execFile('rtmpdump', ['-r', url, '-o', '/dev/null'], { timeout: 15_000 }, (_, __, stderr) => {
      resolve({ stderr });
    });
  });
}

function unitsOf({ units }: TestMedia): CodedUnit[] {
  return units.map(({ track, ptsMs, dtsMs, randomAccess, data }) => ({
    kind: track.kind,
    ptsUs: ptsMs * 1000,
    dtsUs: dtsMs * 1000,
    sha256: sha256(data),
    key: randomAccess,
  }));
}

function seenBy({ sink }: SourceAttempt) {
  return sink.units.map(({ kind, ptsUs, dtsUs, data }) => ({
    ...{ kind, ptsUs, dtsUs, sha256: sha256(data) },
  }));
}

/** GStreamer that sends the file as it is, in real time. */
function gstSender(url: string): SendingProgram {
  return new SendingProgram(PYTHON, [GST_SENDER, gstFile, url]);
}
