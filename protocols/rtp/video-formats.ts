/** The video payload formats there are: one row and one file each. Parameter sets that are missing come in band. */
import { isAnnexB } from '../../codecs/annex-b.ts';
import type { MediaFormat } from '../sdp/sdp.ts';
import type { Opener } from './depacketizer.ts';
import { H264Depacketizer } from './payload/h264.ts';
import { H265Depacketizer } from './payload/h265.ts';
import { Mp2tDepacketizer } from './payload/mp2t.ts';

/** By encoding. */
export const VIDEO_OPENERS: ReadonlyMap<string, Opener> = new Map<string, Opener>([
  // RFC 6184 §8.1.
  [
    'h264',
    (receiver, format) => new H264Depacketizer(receiver, setsOf(format, 'sprop-parameter-sets')),
  ],
  ['h265', openH265],
  // Video and audio in one.
  ['mp2t', (receiver) => new Mp2tDepacketizer(receiver)],
]);

/** RFC 7798 §7.1. */
function openH265(...[receiver, format]: Parameters<Opener>): ReturnType<Opener> {
  const names = ['sprop-vps', 'sprop-sps', 'sprop-pps'];
  return new H265Depacketizer(receiver, {
    sets: names.flatMap((name) => setsOf(format, name)),
    hasDecodingOrder: Number(format.parameters.get('sprop-max-don-diff') ?? 0) > 0,
  });
}

/** Any number of sets in Base64. What is none is passed over later, whichever parameter it stood in. */
function setsOf(format: MediaFormat, name: string): Uint8Array[] {
  const text = format.parameters.get(name) ?? '';
  return text.split(',').map((each) => withoutStartCode(fromBase64(each)));
}

function withoutStartCode(set: Uint8Array): Uint8Array {
  return isAnnexB(set) ? set.subarray(set.indexOf(1) + 1) : set;
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.trim(), 'base64'));
}
