/** ffprobe as the player: the packets it gets, each with its times and the hash of its bytes. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { TestUnit } from './test-media.ts';

/** Bit-exact in one line: `video pts=40 dts=0 key 1234 bytes MD5:…`. */
export type PacketLine = string;

interface FfprobePacket {
  readonly codec_type: string;
  readonly pts_time: string;
  readonly dts_time: string;
  readonly size: string;
  readonly flags: string;
  readonly data_hash: string;
}

export interface Playing {
  /** All packets until the stream ended. */
  readonly packets: Promise<PacketLine[]>;
  kill(): void;
}

export function play(url: string, ...args: readonly string[]): Playing {
  const child = spawn('ffprobe', [
    ...['-v', 'error', ...args, '-show_packets', '-show_data_hash', 'MD5', '-of', 'json', url],
  ]);
  let json = '';
  let errors = '';
  child.stdout.on('data', (text) => {
    json += text;
  });
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const packets = new Promise<PacketLine[]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      // It may end with an error when the stream does: what counts is what came before.
      const parsed = parsePackets(json);
      if (parsed === undefined) reject(new Error(`ffprobe ended with ${code}: ${errors}`));
      else resolve(parsed.map(lineOfPacket));
    });
  });
  packets.catch(() => undefined);
  return { packets, kill: () => child.kill('SIGKILL') };
}

/** What `play` ought to give for a unit, with `fromMs` as the beginning of the session. */
export function lineOfUnit(unit: TestUnit, fromMs: number): PacketLine {
  const hash = createHash('md5').update(unit.data).digest('hex');
  const { ptsMs, dtsMs, randomAccess, data, track } = unit;
  return line(track.kind, ptsMs - fromMs, dtsMs - fromMs, randomAccess, data.length, hash);
}

function lineOfPacket(packet: FfprobePacket): PacketLine {
  const { codec_type, pts_time, dts_time, size, flags, data_hash } = packet;
  const [ptsMs, dtsMs] = [pts_time, dts_time].map((time) => Math.round(Number(time) * 1000));
  const hash = data_hash.replace('MD5:', '');
  return line(codec_type, ptsMs ?? 0, dtsMs ?? 0, flags.startsWith('K'), Number(size), hash);
}

function line(
  kind: string,
  ptsMs: number,
  dtsMs: number,
  isKey: boolean,
  size: number,
  hash: string,
): PacketLine {
  return `${kind} pts=${ptsMs} dts=${dtsMs} ${isKey ? 'key ' : ''}${size} bytes ${hash}`;
}

function parsePackets(json: string): FfprobePacket[] | undefined {
  try {
    return (JSON.parse(json) as { packets?: FfprobePacket[] }).packets;
  } catch {
    return undefined;
  }
}
