/** Pulling from real servers and encoders: nginx-rtmp and ffmpeg; over TLS; through a restart. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { makeCertificate } from '../support/certificates.ts';
import { assertSameUnits, type CodedUnit } from '../support/compare-units.ts';
import { FfmpegSender, MediaFolder } from '../support/ffmpeg-media.ts';
import { flvUnits, sha256 } from '../support/flv-units.ts';
import { freePort } from '../support/free-port.ts';
import { KeepingMaster } from '../support/keeping-master.ts';
import { NginxRtmp } from '../support/nginx-rtmp.ts';
import type { RecordedUnit } from '../support/recording-sink.ts';
import { RelayProcess } from '../support/relay-process.ts';
import { SourceAttempt } from '../support/source-attempt.ts';
import { until } from '../support/until.ts';

const AAC = ['-c:a', 'aac', '-b:a', '64k'];
const MP3 = ['-c:a', 'libmp3lame', '-b:a', '64k'];
/** Where the test's encoder publishes to. */
const SOURCE_APPLICATION = 'application source { live on; }';
const SECONDS = 4;
/** At 25 pictures a second. */
const PICTURES = SECONDS * 25;

/** FLV has milliseconds on both sides, and the relay keeps them. */
const EXACT = { toleranceUs: 0, fewest: PICTURES };

function pictures(units: readonly CodedUnit[]): number {
  return units.filter(({ kind }) => kind === 'video').length;
}

function coded(units: readonly RecordedUnit[]): CodedUnit[] {
  return units.map(({ kind, ptsUs, dtsUs, randomAccess, data }) => ({
    ...{ kind, ptsUs, dtsUs, sha256: sha256(data), key: randomAccess },
  }));
}

test('rtmp:// from one application of nginx to another: bit for bit, times exact', async () => {
  await using folder = await MediaFolder.make();
  const file = await folder.makeFlv('aac.flv', SECONDS, AAC);
  await using nginx = await NginxRtmp.start(SOURCE_APPLICATION);
  const source = `${nginx.url('source')}/cam`;
  await using relay = new RelayProcess(source, `${nginx.url('record')}/copy`);
  await nginx.logged("play: name='cam'");
  await using sender = new FfmpegSender(file, ['-f', 'flv', source]);
  await sender.exited;
  const recording = () => readFile(join(nginx.folder, 'copy.flv')).catch(() => new Uint8Array(0));
  let seen: CodedUnit[] = [];
  const read = async () => {
    seen = flvUnits(await recording());
  };
  const deadline = performance.now() + 8_000;
  while (pictures(seen) < PICTURES - 2 && performance.now() < deadline) {
    await read().catch(() => undefined);
  }
  assert.equal(await relay.stop(), 0, relay.log);
  await read();
  const { video, audio } = assertSameUnits(flvUnits(await readFile(file)), seen, EXACT);
  assert.ok(video >= PICTURES - 2 && audio > 100, `${video} ${audio}\n${relay.log}`);
});

test('FLV over HTTP from ffmpeg, with MP3: bit for bit, times exact', async () => {
  await using folder = await MediaFolder.make();
  const file = await folder.makeFlv('mp3.flv', SECONDS, MP3);
  await using master = await KeepingMaster.listen();
  const url = `http://127.0.0.1:${await freePort()}/live.flv`;
  await using sender = new FfmpegSender(file, ['-f', 'flv', '-listen', '1', url]);
  await using relay = new RelayProcess(url, `${master.sink.url()}/copy`);
  await sender.exited;
  await until(() => master.pictures >= PICTURES - 2);
  assert.equal(await relay.stop(), 0, relay.log);
  const { video, audio } = assertSameUnits(flvUnits(await readFile(file)), master.units, EXACT);
  assert.ok(video >= PICTURES - 2 && audio > 100, `${video} ${audio}\n${relay.log}`);
});

test('nginx is killed and comes back: pulled again within the same session at the master', async () => {
  await using folder = await MediaFolder.make();
  const file = await folder.makeFlv('aac.flv', 20, AAC);
  await using nginx = await NginxRtmp.start(SOURCE_APPLICATION);
  await using master = await KeepingMaster.listen();
  const source = `${nginx.url('source')}/cam`;
  await using relay = new RelayProcess(source, `${master.sink.url()}/copy`);
  {
    await using _sender = new FfmpegSender(file, ['-f', 'flv', source]);
    await until(() => master.pictures > 50, 15_000);
    await nginx.kill();
  }
  const before = master.units.length;
  await nginx.start();
  await using _sender = new FfmpegSender(file, ['-f', 'flv', source]);
  await until(() => master.units.length > before + 100, 15_000);
  assert.equal(await relay.stop(), 0, relay.log);
  assert.equal(master.sink.history.length, 1, relay.log);
  const times = master.units.filter(({ kind }) => kind === 'video').map(({ dtsUs }) => dtsUs ?? 0);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.match(relay.log, /it ended the session|closed the connection|nothing listens/);
});

test('a publisher who leaves ends the stream; one who comes back is pulled again', async () => {
  await using folder = await MediaFolder.make();
  const file = await folder.makeFlv('aac.flv', SECONDS, AAC);
  await using nginx = await NginxRtmp.start('application source { live on; publish_notify on; }');
  await using master = await KeepingMaster.listen();
  const source = `${nginx.url('source')}/cam`;
  await using relay = new RelayProcess(source, `${master.sink.url()}/copy`);
  await nginx.logged("play: name='cam'");
  // Of the second time, what comes while the relay waits to connect is missing, and the rest of that GOP.
  for (const pictures of [PICTURES - 2, PICTURES + 20]) {
    await using sender = new FfmpegSender(file, ['-f', 'flv', source]);
    await sender.exited;
    await until(() => master.pictures >= pictures).catch((error: unknown) => {
      throw new Error(relay.log, { cause: error });
    });
  }
  await until(() => /The server relay at 127\.0\.0\.1 ended the stream/.test(relay.log));
  assert.equal(master.sink.history.length, 1, relay.log);
});

test('rtmps:// through a TLS front before nginx', async (context) => {
  await using folder = await MediaFolder.make();
  const file = await folder.makeFlv('aac.flv', SECONDS, AAC);
  await using nginx = await NginxRtmp.start(SOURCE_APPLICATION);
  const certificate = await makeCertificate('IP:127.0.0.1');
  const port = await tlsFront(context, certificate, nginx.port);
  const url = `rtmps://127.0.0.1:${port}/source/cam`;
  const run = new SourceAttempt(context, url, { tls: { ca: certificate.ca } });
  await nginx.logged("play: name='cam'");
  await using _sender = new FfmpegSender(file, ['-f', 'flv', `${nginx.url('source')}/cam`]);
  await run.has(PICTURES - 2, 100);
  await run.stop();
  assertSameUnits(flvUnits(await readFile(file)), coded(run.sink.units), {
    ...EXACT,
    fewest: PICTURES,
  });
});

/** Returns its port. */
async function tlsFront(
  context: TestContext,
  certificate: { readonly key: string; readonly cert: string },
  behind: number,
): Promise<number> {
  const front = createTlsServer(certificate, (socket) => {
    const inner = connect(behind, '127.0.0.1');
    socket.on('error', () => inner.destroy());
    inner.on('error', () => socket.destroy());
    socket.pipe(inner).pipe(socket);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  context.after(() => front.close());
  return (front.address() as AddressInfo).port;
}
