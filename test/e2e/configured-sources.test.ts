/** What sluice.yaml says of a source is what happens: one gateway, and a real sender for each way. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parseAudioTagBody } from '../../codecs/flv/audio-tag.ts';
import { parseVideoTagBody } from '../../codecs/flv/video-tag.ts';
import { MessageType, type RtmpMessage } from '../../protocols/rtmp/message.ts';
import { makeCertificate } from '../support/certificates.ts';
import { freePort, freeUdpPair } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { type GstCamera, type GstCameraOptions, startGstCamera } from '../support/gst-camera.ts';
import { MediaFolder, MpegtsSender } from '../support/mpegts-sender.ts';
import { RtmpSink, type RtmpSinkSession } from '../support/rtmp-sink.ts';
import { ScriptedCamera } from '../support/scripted-camera.ts';
import { until } from '../support/until.ts';

/** mediamtx#2069, go2rtc#602, #1032, frigate#4974: people paste them as they are. */
const PASSWORD = 'a@b:c#d/e?f';
const PICTURES = 30;
const SMALL = { width: 320, height: 240, bitrate: 512, gop: 10 } as const;

/** Counts what each stream sends, and which codecs. */
async function openMaster(context: TestContext) {
  const seen = new Map<string, { pictures: number; sounds: number; codecs: Set<string> }>();
  const count = ({ app, streamName }: RtmpSinkSession, { typeId, payload }: RtmpMessage) => {
    const name = `${app}/${streamName}`;
    const row = seen.get(name) ?? { pictures: 0, sounds: 0, codecs: new Set() };
    seen.set(name, row);
    const isVideo = typeId === MessageType.video;
    if (!isVideo && typeId !== MessageType.audio) return;
    const tag = isVideo ? parseVideoTagBody(payload) : parseAudioTagBody(payload);
    if (tag?.content !== 'frame') return;
    if (isVideo) row.pictures += 1;
    else row.sounds += 1;
    row.codecs.add(tag.codec);
  };
  const sink = await RtmpSink.listen({ onMessage: count });
  context.after(() => sink.close());
  return { sink, of: (name: string) => seen.get(name) };
}

async function startCamera(context: TestContext, options: GstCameraOptions): Promise<GstCamera> {
  const camera = await startGstCamera({ ...SMALL, ...options });
  context.after(() => camera[Symbol.asyncDispose]());
  return camera;
}

/** A camera that sends to a group of its own on loopback for as long as the test runs. */
async function startGroup(context: TestContext): Promise<ScriptedCamera> {
  const port = await freeUdpPair();
  const camera = await ScriptedCamera.open({
    SETUP: (request, scripted) =>
      scripted.setUpMulticast(request, '239.255.77.9', port + scripted.tracks.length * 2),
  });
  const timer = setInterval(() => camera.sendPicture({ idr: true }), 40);
  context.after(() => {
    clearInterval(timer);
    return camera.close();
  });
  return camera;
}

test('a pasted password, transport, interface, fingerprint, program, silence', async (context) => {
  const master = await openMaster(context);
  const tls = await makeCertificate('DNS:camera.example');
  const login = { auth: 'digest', username: 'viewer', password: PASSWORD, audio: 'none' } as const;
  const tunnelled = await startCamera(context, login);
  const pinned = await startCamera(context, { tls, transports: 'tcp' });
  const group = await startGroup(context);
  const port = await freePort();
  const pasted = tunnelled.url.replace('rtsp://', `rtsp://viewer:${PASSWORD}@`);
  await using gateway = await GatewayProcess.start(`
streams:
  tunnelled: { source: ${JSON.stringify(pasted)}, transport: http }
  pinned: { source: "${pinned.url}", fingerprint: "${tls.fingerprint}" }
  unpinned: { source: "${pinned.url}" }
  group: { source: "${group.url}", transport: multicast, interface: 127.0.0.1 }
  second: { source: "udp://@127.0.0.1:${port}", program: 2 }
proxypublish:
  targets:
    - { targetUri: "${master.sink.url('live')}" }
    - { targetUri: "${master.sink.url('silent')}", localStreamName: tunnelled, audio: silence }
mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }
`);
  await using folder = await MediaFolder.make();
  const encode = (name: string, video: string, audio: string) =>
    folder.encode(name, {
      video: ['-c:v', video, '-preset', 'ultrafast', '-g', '25'],
      audio: ['-c:a', audio, '-ac', '2'],
      seconds: 6,
    });
  const first = await encode('one.mkv', 'libx264', 'aac');
  const second = await encode('two.mkv', 'libx264', 'libmp3lame');
  const programmes = [
    ...['-map', '1', '-program', 'title=one:program_num=1:st=0:st=1'],
    ...['-program', 'title=two:program_num=2:st=2:st=3'],
  ];
  const output = ['-f', 'mpegts', `udp://127.0.0.1:${port}?pkt_size=1316`];
  await using _sender = new MpegtsSender(
    [first, second],
    output,
    folder.path('s.ts'),
    programmes,
    1,
  );

  const names = ['live/tunnelled', 'silent/tunnelled', 'live/pinned', 'live/group', 'live/second'];
  const isEnough = (name: string) => (master.of(name)?.pictures ?? 0) >= PICTURES;
  await until(() => names.every(isEnough), 30_000).catch((error: unknown) => {
    const missing = names.filter((name) => !isEnough(name)).join(', ');
    throw new Error(`nothing of ${missing}\n${gateway.log.slice(-4000)}`, { cause: error });
  });

  const transports = ['tunnelled', 'pinned', 'group', 'second'].map(
    async (name) => (await gateway.stream(name))?.info?.transport,
  );
  assert.deepEqual(await Promise.all(transports), ['http', 'tcp', 'multicast', 'udp']);
  assert.deepEqual([...(master.of('live/tunnelled')?.codecs ?? [])], ['h264']);
  assert.deepEqual([...(master.of('silent/tunnelled')?.codecs ?? [])].sort(), ['aac', 'h264']);
  assert.deepEqual([...(master.of('live/second')?.codecs ?? [])].sort(), ['h264', 'mp3']);
  const refused = (await gateway.stream('unpinned'))?.status;
  assert.equal(refused?.code, 'tls', refused?.reason);
  assert.ok(!gateway.log.includes(PASSWORD) && !gateway.log.includes('c#d'), gateway.log);
  assert.ok(!JSON.stringify(await gateway.api('streams')).includes('c#d'));
});
