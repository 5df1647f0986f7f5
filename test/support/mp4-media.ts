/** Access units of any codec, made by ffmpeg into an MP4 file and read out of it by ffprobe's list of packets. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseDecoderConfigurationRecord } from '../../codecs/h264/decoder-configuration-record.ts';
import { parseHevcDecoderConfigurationRecord } from '../../codecs/h265/decoder-configuration-record.ts';
import {
  opusTrack,
  serializeOpusIdentificationHeader,
} from '../../codecs/opus/identification-header.ts';
import type { AudioTrack, Track, VideoTrack } from '../../codecs/track.ts';
import type { TestMedia, TestUnit } from './test-media.ts';

const run = promisify(execFile);

const VIDEO_ENCODERS = { h264: 'libx264', h265: 'libx265', vp9: 'libvpx-vp9' } as const;
const AUDIO_ENCODERS = { mp3: 'libmp3lame', ac3: 'ac3', eac3: 'eac3', opus: 'libopus' } as const;
const G711_FRAME_MS = 20;

export interface Mp4MediaOptions {
  readonly seconds: number;
  readonly video: keyof typeof VIDEO_ENCODERS;
  readonly audio?: keyof typeof AUDIO_ENCODERS | 'pcma' | 'pcmu';
  readonly bFrames?: number;
}

interface Packet {
  readonly codec_type: 'video' | 'audio';
  readonly pts_time: string;
  readonly dts_time: string;
  readonly size: string;
  readonly pos: string;
  readonly flags: string;
}

/** 320x180, 25 pictures a second, a keyframe every second; times in whole milliseconds, as FLV has them. */
export async function makeMp4Media(options: Mp4MediaOptions): Promise<TestMedia> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-mp4-'));
  try {
    const units = await mp4Units(options, join(folder, 'media.mp4'));
    const { audio } = options;
    if (audio === 'pcma' || audio === 'pcmu')
      units.push(...(await g711Units(options, audio, folder)));
    units.sort((a, b) => a.dtsMs - b.dtsMs);
    return { tracks: [...new Set(units.map(({ track }) => track))].sort(videoFirst), units };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function mp4Units(options: Mp4MediaOptions, path: string): Promise<TestUnit[]> {
  const { seconds, video, audio, bFrames = 0 } = options;
  const isInFile = audio !== undefined && audio in AUDIO_ENCODERS;
  const encoder = AUDIO_ENCODERS[audio as keyof typeof AUDIO_ENCODERS];
  await run('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
    ...['-map', '0', ...(isInFile ? ['-map', '1', '-c:a', encoder, '-ac', '2'] : [])],
    ...['-c:v', VIDEO_ENCODERS[video], '-pix_fmt', 'yuv420p', '-threads', '1', '-g', '25'],
    ...(video === 'vp9' ? ['-deadline', 'realtime', '-cpu-used', '8'] : ['-preset', 'ultrafast']),
    ...(video === 'vp9' ? [] : ['-bf', `${bFrames}`]),
    ...(video === 'h265' ? ['-tag:v', 'hvc1', '-x265-params', 'log-level=none'] : []),
    path,
  ]);
  const file = await readFile(path);
  const tracks = {
    video: videoTrackOf(video, file),
    audio: isInFile ? audioTrackOf(audio as keyof typeof AUDIO_ENCODERS) : undefined,
  };
  const args = ['-v', 'error', '-show_packets', '-of', 'json', path];
  const { stdout } = await run('ffprobe', args, { maxBuffer: 64 * 1024 * 1024 });
  const { packets } = JSON.parse(stdout) as { packets: Packet[] };
  return packets.map((packet) => unitOf(packet, tracks[packet.codec_type]!, file));
}

function unitOf(packet: Packet, track: Track, file: Uint8Array): TestUnit {
  const at = Number(packet.pos);
  return {
    track,
    ptsMs: Math.round(Number(packet.pts_time) * 1000),
    dtsMs: Math.round(Number(packet.dts_time) * 1000),
    randomAccess: packet.flags.startsWith('K'),
    data: file.subarray(at, at + Number(packet.size)),
  };
}

function videoTrackOf(codec: Mp4MediaOptions['video'], file: Buffer): VideoTrack {
  if (codec === 'vp9') {
    // A full box: version and flags stand before the record, and belong to it in FLV (ffmpeg 8 writes them).
    return { kind: 'video', codec, config: boxOf(file, 'vpcC') };
  }
  if (codec === 'h264') {
    const { sps, pps } = parseDecoderConfigurationRecord(boxOf(file, 'avcC'));
    return { kind: 'video', codec, sps: sps[0]!, pps: pps[0]! };
  }
  const { vps, sps, pps } = parseHevcDecoderConfigurationRecord(boxOf(file, 'hvcC'));
  return { kind: 'video', codec, vps: vps[0]!, sps: sps[0]!, pps: pps[0]! };
}

/** The contents of the first box of that type. */
function boxOf(file: Buffer, type: string): Uint8Array {
  const at = file.indexOf(type);
  return file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4));
}

function audioTrackOf(codec: keyof typeof AUDIO_ENCODERS): AudioTrack {
  if (codec === 'opus') return opusTrack(serializeOpusIdentificationHeader(2));
  return { kind: 'audio', codec, sampleRate: 48_000, channels: 2 };
}

async function g711Units(
  { seconds }: Mp4MediaOptions,
  codec: 'pcma' | 'pcmu',
  folder: string,
): Promise<TestUnit[]> {
  const path = join(folder, 'media.g711');
  const format = codec === 'pcma' ? 'alaw' : 'mulaw';
  const input = ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=8000:duration=${seconds}`];
  await run('ffmpeg', ['-v', 'error', ...input, '-f', format, path]);
  const samples = await readFile(path);
  const track: AudioTrack = { kind: 'audio', codec, sampleRate: 8_000, channels: 1 };
  return Array.from({ length: (seconds * 1000) / G711_FRAME_MS }, (_, index) => {
    const timeMs = index * G711_FRAME_MS;
    const data = samples.subarray(timeMs * 8, (timeMs + G711_FRAME_MS) * 8);
    return { track, ptsMs: timeMs, dtsMs: timeMs, randomAccess: true, data };
  });
}

function videoFirst(a: Track, b: Track): number {
  return Number(a.kind !== 'video') - Number(b.kind !== 'video');
}
