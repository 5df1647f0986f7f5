/**
 * The picture's size changes in the middle of a stream (mediamtx#4525, yasea PR#840): new onMetaData and a new sequence
 * header, directly before the first picture of the new size, and never where nothing changed (srs PR#4696).
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { concat } from '../../codecs/bytes.ts';
import { isAmf0Object, parseAmf0 } from '../../codecs/flv/amf0.ts';
import { parseVideoTagBody } from '../../codecs/flv/video-tag.ts';
import { parseDecoderConfigurationRecord } from '../../codecs/h264/decoder-configuration-record.ts';
import { parseSps } from '../../codecs/h264/sps.ts';
import { MessageType, type RtmpMessage } from '../../protocols/rtmp/message.ts';
import { freeUdpPair } from '../support/free-port.ts';
import { MediaFolder } from '../support/mpegts-sender.ts';
import { RelayProcess } from '../support/relay-process.ts';
import { RtmpSink } from '../support/rtmp-sink.ts';
import { until } from '../support/until.ts';

const PICTURES = 50;
const ENCODER = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-pix_fmt', 'yuv420p'];

/** What a player goes by: `meta 640x360`, `header 640x360`, `key`; pictures between keyframes are left out. */
async function openMaster() {
  const story: string[] = [];
  let pictures = 0;
  let lastMs = 0;
  const tell = ({ typeId, timestampMs, payload }: RtmpMessage) => {
    if (typeId === MessageType.dataAmf0) {
      const metadata = parseAmf0(payload)[2];
      assert.ok(isAmf0Object(metadata));
      story.push(`meta ${metadata['width']}x${metadata['height']}`);
    }
    if (typeId !== MessageType.video) return;
    assert.ok(timestampMs >= lastMs, `${lastMs} ms, then ${timestampMs} ms`);
    lastMs = timestampMs;
    const tag = parseVideoTagBody(payload);
    if (tag?.content === 'config') {
      const [sps] = parseDecoderConfigurationRecord(tag.data.slice()).sps;
      assert.ok(sps !== undefined);
      const { width, height } = parseSps(sps);
      story.push(`header ${width}x${height}`);
    } else if (tag?.content === 'frame') {
      pictures += 1;
      if (tag.keyframe) story.push('key');
    }
  };
  const sink = await RtmpSink.listen({ onMessage: (_session, message) => tell(message) });
  return { sink, story, pictures: () => pictures };
}

/** Two seconds of each size, one behind the other. */
async function makeSizes(folder: MediaFolder, ...sizes: readonly string[]): Promise<string> {
  const parts: Uint8Array[] = [];
  for (const [index, size] of sizes.entries()) {
    const part = folder.path(`${index}.h264`);
    const source = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25:duration=2`];
    await ffmpeg(...source, ...ENCODER, '-f', 'h264', part);
    parts.push(await readFile(part));
  }
  const file = folder.path('sizes.h264');
  await writeFile(file, concat(...parts));
  return file;
}

async function ffmpeg(...args: readonly string[]): Promise<void> {
  const [code] = await once(spawn('ffmpeg', ['-v', 'error', ...args], { stdio: 'ignore' }), 'exit');
  assert.equal(code, 0);
}

for (const { name, source, send } of [
  {
    name: 'plain RTP, by an SDP file',
    source: async (port: number, folder: MediaFolder) => {
      const file = folder.path('encoder.sdp');
      const lines = ['v=0', 'c=IN IP4 127.0.0.1', `m=video ${port} RTP/AVP 96`];
      await writeFile(file, [...lines, 'a=rtpmap:96 H264/90000', ''].join('\r\n'));
      return `sdp://${file}`;
    },
    send: (port: number) => ['-f', 'rtp', `rtp://127.0.0.1:${port}?pkt_size=1200`],
  },
  {
    name: 'MPEG-TS over UDP',
    source: async (port: number) => `udp://@127.0.0.1:${port}`,
    send: (port: number) => ['-f', 'mpegts', `udp://127.0.0.1:${port}?pkt_size=1316`],
  },
]) {
  test(`${name}, through sluice relay`, async () => {
    await using folder = await MediaFolder.make();
    const sizes = await makeSizes(folder, '640x360', '640x360', '320x240', '640x360');
    const master = await openMaster();
    const port = await freeUdpPair();
    await using relay = new RelayProcess(await source(port, folder), `${master.sink.url()}/cam`);
    await until(() => relay.log.includes('sluice is running'));
    const raw = ['-fflags', '+genpts', '-r', '25', '-re', '-f', 'h264', '-i', sizes];
    await ffmpeg(...raw, '-c', 'copy', ...send(port));
    // The last picture is whole when another one begins.
    await until(() => master.pictures() >= 4 * PICTURES - 1).catch(() => undefined);
    assert.equal(await relay.stop(), 0);
    await master.sink.close();
    assert.deepEqual(
      master.story,
      [
        ...['meta 640x360', 'header 640x360', 'key', 'key', 'key', 'key'],
        ...['meta 320x240', 'header 320x240', 'key', 'key'],
        ...['meta 640x360', 'header 640x360', 'key', 'key'],
      ],
      relay.log,
    );
    assert.ok(master.pictures() >= 4 * PICTURES - 1, `${master.pictures()} pictures`);
  });
}
