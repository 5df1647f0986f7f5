/** ffmpeg's RTP muxer, which puts H.265 parameter sets and small pictures into aggregation packets: bit for bit. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { annexBNalUnits } from '../../codecs/annex-b.ts';
import { nalUnits } from '../../codecs/nal-units.ts';
import { selectMedias } from '../../protocols/rtp/media-selection.ts';
import { RtpPacket } from '../../protocols/rtp/rtp-packet.ts';
import { parseSdp } from '../../protocols/sdp/sdp.ts';

const run = promisify(execFile);
const PICTURES = 50;
const PICTURE = 'testsrc2=size=320x240:rate=25';

interface Received {
  readonly nalUnits: string[];
  readonly pictures: number;
  readonly randomAccess: number[];
  readonly types: ReadonlySet<number>;
  readonly damagedUnits: number;
}

/** The muxer sends the first zero of the next start code along, as a part of no NAL unit (H.264 §B.1). */
function digest(nalUnit: Uint8Array): string {
  const length = nalUnit.findLastIndex((byte) => byte !== 0) + 1;
  const hash = createHash('sha256').update(nalUnit.subarray(0, length)).digest('hex');
  return `${nalUnit[0]} ${length} ${hash}`;
}

/** Encodes to a file, then sends the file in real time to a socket of ours. */
async function sendAndReceive(
  context: TestContext,
  encoder: readonly string[],
  format: string,
): Promise<{ sent: string[]; received: Received }> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-rtp-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'stream');
  const quiet = ['-hide_banner', '-loglevel', 'error', '-y'];
  const source = ['-f', 'lavfi', '-i', PICTURE, '-frames:v', String(PICTURES)];
  await run('ffmpeg', [...quiet, ...source, '-pix_fmt', 'yuv420p', ...encoder, '-f', format, file]);
  const sent = [...annexBNalUnits(await readFile(file))].map(digest);

  const socket = createSocket('udp4');
  context.after(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const packets: Uint8Array[] = [];
  socket.on('message', (bytes) => packets.push(bytes.slice()));
  const target = `rtp://127.0.0.1:${socket.address().port}?pkt_size=1200`;
  const input = ['-re', '-r', '25', '-f', format, '-i', file, '-c', 'copy'];
  const { stdout } = await run('ffmpeg', [...quiet, ...input, '-f', 'rtp', target]);
  return { sent, received: receive(stdout, packets) };
}

function receive(sdp: string, packets: readonly Uint8Array[]): Received {
  const [media] = selectMedias(parseSdp(sdp)).selected;
  assert.ok(media, sdp);
  const seen: string[] = [];
  const randomAccess: number[] = [];
  let pictures = 0;
  const depacketizer = media.open({
    unit: (data, _timestamp, isRandomAccess) => {
      for (const nalUnit of nalUnits(data)) seen.push(digest(nalUnit));
      if (isRandomAccess) randomAccess.push(pictures);
      pictures += 1;
      return false;
    },
  });
  const packet = new RtpPacket();
  const types = new Set<number>();
  for (const bytes of packets) {
    if (!packet.read(bytes, 0, bytes.length)) continue;
    const first = bytes[packet.start] ?? 0;
    types.add(media.format.encoding === 'h265' ? (first >> 1) & 0x3f : first & 0x1f);
    depacketizer.push(packet, false);
  }
  return { nalUnits: seen, pictures, randomAccess, types, damagedUnits: depacketizer.damagedUnits };
}

for (const { name, encoder, format, types } of [
  {
    name: 'H.265 with a pyramid of B-frames, in aggregation packets and fragments',
    encoder: [
      ...['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params'],
      'keyint=25:min-keyint=25:scenecut=0:bframes=4:b-adapt=0:open-gop=0:repeat-headers=1:aud=1:log-level=none',
    ],
    format: 'hevc',
    types: [48, 49],
  },
  {
    name: 'H.265 in several slices',
    encoder: [
      ...['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params'],
      'keyint=25:min-keyint=25:bframes=0:open-gop=0:slices=4:repeat-headers=1:log-level=none',
    ],
    format: 'hevc',
    types: [48],
  },
  {
    name: 'H.264 in several slices with B-frames, in STAP-A and FU-A',
    encoder: [
      ...['-c:v', 'libx264', '-preset', 'veryfast', '-x264-params'],
      'keyint=25:min-keyint=25:scenecut=0:bframes=3:slices=4:aud=1',
    ],
    format: 'h264',
    types: [24, 28],
  },
] as const) {
  test(name, async (context) => {
    const { sent, received } = await sendAndReceive(context, encoder, format);
    assert.equal(received.pictures, PICTURES);
    assert.deepEqual(received.randomAccess, [0, 25]);
    assert.deepEqual(received.nalUnits, sent);
    assert.equal(received.damagedUnits, 0);
    for (const type of types) assert.ok(received.types.has(type), `no packet of type ${type}`);
  });
}
