/** Where the blocks that a receiver begins with begin: what RTP-Info tells it (RFC 2326 §12.33). */
import { parseRtcp } from '../rtcp.ts';
import { RtpPacket } from '../rtp-packet.ts';
import { nextInBlock } from './packet-block.ts';

export interface Beginning {
  /** Of the first packet; undefined when it is not among them. */
  readonly seq: number | undefined;
  /** Of the earliest moment of all first packets, whichever track has it; undefined without a report. */
  readonly rtpTimestamp: number | undefined;
}

export interface BeginningTrack {
  /** In the blocks. */
  readonly channel: number;
  readonly clockRate: number;
}

interface Found {
  seq: number | undefined;
  /** Of the first report: all tracks' first reports are about one moment. */
  reported: number | undefined;
}

export function beginningOf(
  blocks: readonly Uint8Array[],
  tracks: readonly BeginningTrack[],
): readonly Beginning[] {
  const found: Found[] = tracks.map(() => ({
    seq: undefined,
    reported: undefined,
  }));
  const byChannel = new Map(tracks.map(({ channel }, index) => [channel, found[index]]));
  const packet = new RtpPacket();
  /** Seconds from the reports' moment to the first packet: the earliest of all tracks'. */
  let first: number | undefined;
  for (const [channel, block, start, end] of packetsOf(blocks)) {
    const track = byChannel.get(channel & ~1);
    if (track === undefined) continue;
    if ((channel & 1) === 1) {
      track.reported ??= parseRtcp(block, start, end).senderReport?.rtpTimestamp;
    } else if (track.seq === undefined && packet.read(block, start, end)) {
      track.seq = packet.sequenceNumber;
      const { clockRate = 1 } = tracks[found.indexOf(track)] ?? {};
      if (track.reported === undefined) continue;
      const seconds = ((packet.timestamp - track.reported) | 0) / clockRate;
      if (first === undefined || seconds < first) first = seconds;
    }
    if (found.every(({ seq }) => seq !== undefined)) break;
  }
  return found.map(({ seq, reported }, index) => ({
    seq,
    rtpTimestamp:
      reported === undefined || first === undefined
        ? undefined
        : (reported + Math.round(first * (tracks[index]?.clockRate ?? 1))) >>> 0,
  }));
}

function* packetsOf(
  blocks: readonly Uint8Array[],
): Generator<readonly [channel: number, block: Uint8Array, start: number, end: number]> {
  for (const block of blocks) {
    for (let at = 0; at < block.length; at = nextInBlock(block, at)) {
      yield [block[at + 1] ?? 0, block, at + 4, nextInBlock(block, at)];
    }
  }
}
