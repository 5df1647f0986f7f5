/** The publisher over TLS, with certificates made by openssl. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseAudioTagBody } from '../../codecs/flv/audio-tag.ts';
import { parseVideoTagBody } from '../../codecs/flv/video-tag.ts';
import type { RtmpPublisherOptions } from '../../gateway/proxypublish/publisher.ts';
import { MessageType } from '../../protocols/rtmp/message.ts';
import { makeCertificate, type TestCertificate } from '../support/certificates.ts';
import { Publishing } from '../support/publishing.ts';
import { RtmpSink } from '../support/rtmp-sink.ts';
import { Lender, makeTestMedia } from '../support/test-media.ts';
import { VIDEO_TRACK } from '../support/units.ts';
import { until } from '../support/until.ts';

let right: TestCertificate;
let wrongName: TestCertificate;
let sink: RtmpSink;
let wrongNameSink: RtmpSink;
/** What the first sink got: kind and bytes. */
const seen: string[] = [];

before(async () => {
  right = await makeCertificate('DNS:localhost,IP:127.0.0.1');
  wrongName = await makeCertificate('DNS:other.example');
  sink = await RtmpSink.listen({
    tls: right,
    onMessage: (_, { typeId, payload }) => {
      if (typeId === MessageType.dataAmf0 || payload[1] !== 1) return;
      const isVideo = typeId === MessageType.video;
      seen.push(
        line(isVideo, (isVideo ? parseVideoTagBody(payload) : parseAudioTagBody(payload))!.data),
      );
    },
  });
  wrongNameSink = await RtmpSink.listen({ tls: wrongName });
});

after(async () => {
  await sink.close();
  await wrongNameSink.close();
});

function line(isVideo: boolean, data: Uint8Array): string {
  return `${isVideo ? 'video' : 'audio'} ${Buffer.from(data).toString('base64')}`;
}

function publish(port: number, options: Partial<RtmpPublisherOptions> = {}): Publishing {
  return new Publishing({ targetUri: `rtmps://localhost:${port}/live`, ...options }, [VIDEO_TRACK]);
}

async function accepted(publishing: Publishing): Promise<void> {
  await publishing.accepted;
  await publishing.stop();
}

async function refused(publishing: Publishing): Promise<string | undefined> {
  return ((await publishing.ended) as NodeJS.ErrnoException).code;
}

/** ngx#1397, #1605, #1408; srs#2046: others need stunnel. */
test('a certificate of a known authority for the right name; the name is sent', async () => {
  await accepted(publish(sink.port, { ca: right.ca }));
  assert.equal(sink.history.at(-1)?.serverName, 'localhost');
});

test('the authority may be given as bytes, and the master by its address', async () => {
  const ca = new TextEncoder().encode(right.ca);
  await accepted(publish(sink.port, { ca, targetUri: sink.url() }));
  assert.equal(sink.history.at(-1)?.serverName, undefined);
});

test('an unknown authority is refused', async () => {
  const code = await refused(publish(sink.port));
  assert.match(code ?? '', /^(SELF_SIGNED_CERT|UNABLE_TO|DEPTH_ZERO)/);
});

test('the wrong name is refused', async () => {
  const code = await refused(publish(wrongNameSink.port, { ca: wrongName.ca }));
  assert.equal(code, 'ERR_TLS_CERT_ALTNAME_INVALID');
});

test('the pinned certificate is trusted whatever its name and authority', async () => {
  await accepted(publish(wrongNameSink.port, { fingerprint: wrongName.fingerprint }));
  const fingerprint = wrongName.fingerprint.replaceAll(':', '').toLowerCase();
  await accepted(publish(wrongNameSink.port, { fingerprint }));
});

test('any other than the pinned certificate is refused, of a known authority too', async () => {
  const options = { ca: right.ca, fingerprint: wrongName.fingerprint };
  assert.equal(await refused(publish(sink.port, options)), 'ERR_TLS_FINGERPRINT');
});

test('insecure takes anything', async () => {
  await accepted(publish(wrongNameSink.port, { insecure: true }));
});

test('a port without TLS is refused, and nobody is harmed', async () => {
  const plain = await RtmpSink.listen();
  const code = await refused(publish(plain.port, { insecure: true }));
  assert.ok(code !== undefined && code !== '', String(code));
  await plain.close();
});

test('what is published arrives bit by bit, from buffers that are used again', async () => {
  const media = await makeTestMedia({ seconds: 4, kbps: 6_000 });
  const publishing = new Publishing({ targetUri: sink.url(), ca: right.ca }, media.tracks);
  await publishing.accepted;
  seen.length = 0;
  const first = media.units.findIndex((unit) => unit.track.kind === 'video');
  const units = media.units.slice(first).filter((unit) => unit.dtsMs >= media.units[first]!.dtsMs);
  const lender = new Lender();
  for (const unit of units) publishing.write(lender.lend(unit));
  publishing.sink?.stop();
  await until(() => publishing.publisher.stats.queueBytes === 0);
  publishing.sink?.stop();
  await until(() => seen.length === units.length);
  await publishing.stop();
  for (const isVideo of [true, false]) {
    const kind = isVideo ? 'video' : 'audio';
    const want = units.filter((unit) => unit.track.kind === kind);
    assert.deepEqual(
      seen.filter((one) => one.startsWith(kind)),
      want.map((unit) => line(isVideo, unit.data)),
    );
  }
});
