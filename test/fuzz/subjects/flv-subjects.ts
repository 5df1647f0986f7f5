/** FLV as cameras and servers send it: over HTTP, and as RTMP messages to a player. */
import { ACCESS_UNIT_HEADROOM } from '../../../codecs/access-unit.ts';
import { concat } from '../../../codecs/bytes.ts';
import { serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { announcedMedia } from '../../../codecs/flv/announced-media.ts';
import { FlvDemuxer } from '../../../codecs/flv/flv-demuxer.ts';
import { FlvReader } from '../../../codecs/flv/flv-reader.ts';
import { sequenceHeader } from '../../../codecs/flv/sequence-header.ts';
import {
  FLV_FILE_HEADER_BYTES,
  FLV_PREVIOUS_TAG_SIZE_BYTES,
  FLV_TAG_HEADER_BYTES,
  FlvTagType,
  flvFileHeader,
  writeFlvPreviousTagSize,
  writeFlvTagHeader,
} from '../../../codecs/flv/tag.ts';
import { Access } from '../../../gateway/acceptors/access.ts';
import { LiveFlvFeed } from '../../../gateway/acceptors/live-flv-acceptor.ts';
import { aggregatedMessages } from '../../../protocols/rtmp/aggregate.ts';
import { MessageType } from '../../../protocols/rtmp/message.ts';
import { MAIN } from '../../codecs/h265/streams.ts';
import { hex } from '../../support/hex.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from '../../support/units.ts';
import { framerOf, packetsInput, packetsOf, parserOf, type Subject } from '../subject.ts';

const TAG_INTERVAL_MS = 20;

function tag(type: number, timestampMs: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FLV_TAG_HEADER_BYTES + body.length + 4);
  writeFlvTagHeader(bytes, 0, type, body.length, timestampMs);
  bytes.set(body, FLV_TAG_HEADER_BYTES);
  writeFlvPreviousTagSize(bytes, FLV_TAG_HEADER_BYTES + body.length, body.length);
  return bytes;
}

const video = (timestampMs: number, body: Uint8Array) => tag(FlvTagType.video, timestampMs, body);
const audio = (timestampMs: number, body: Uint8Array) => tag(FlvTagType.audio, timestampMs, body);
const record = (track: typeof VIDEO_TRACK | typeof AUDIO_TRACK | typeof MAIN) =>
  sequenceHeader(track, 'enhanced') ?? new Uint8Array(0);

const AVC_AND_AAC = concat(
  flvFileHeader(true, true),
  tag(
    FlvTagType.scriptData,
    0,
    hex`02000a6f6e4d65746144617461 08 00000001 0005 7769647468 00 4094000000000000 000009`,
  ),
  video(0, record(VIDEO_TRACK)),
  audio(0, record(AUDIO_TRACK)),
  video(0, hex`17 01 000050 00000002 6588`),
  audio(10, hex`af 01 212223`),
  video(40, hex`27 01 0000a0 00000002 419a 00000001 0c`),
);
const ENHANCED = concat(
  flvFileHeader(true, true),
  video(0, record(MAIN)),
  video(0, hex`91 68766331 000000 00000003 260188`),
  audio(10, hex`94 4f707573 4f70757348656164 01 02 3801 80bb0000 0000 00`),
  audio(20, hex`91 4f707573 f8b42d`),
  video(40, hex`a3 68766331 00000003 020188`),
  video(0xffff_fff0, hex`a3 61763031 120032`),
);

const METADATA = serializeAmf0('@setDataFrame', 'onMetaData', { width: 640, audiocodecid: 10 });
const LOGIN = serializeAmf0('onMetaData', { token: 'abc', streamName: 'yard' });
const CLIENT = {
  address: '10.0.0.5',
  placeName: '10.0.0.5-5000',
  admit: () => undefined,
  refuse: () => undefined,
};
const SINK = { start: () => undefined, write: () => undefined, stop: () => undefined };

export const FLV_SUBJECTS: readonly Subject[] = [
  {
    ...framerOf(
      'FLV stream to access units',
      () => {
        let nowMs = 0;
        const demuxer = new FlvDemuxer(SINK, () => nowMs);
        return new FlvReader((type, timestampMs, body) => {
          nowMs += TAG_INTERVAL_MS;
          return demuxer.push(type, timestampMs, body);
        });
      },
      AVC_AND_AAC,
      ENHANCED,
    ),
  },
  {
    name: 'FLV tags to access units',
    // Each packet: type, time, body: damage to one tag leaves the others where they are.
    seeds: [
      packetsInput(
        concat(hex`12 0000`, METADATA),
        concat(hex`09 0000`, record(VIDEO_TRACK)),
        concat(hex`08 0000`, record(AUDIO_TRACK)),
        hex`09 0000 17 01 000000 00000003 658801`,
        hex`08 0010 af01 21004f`,
        hex`09 0028 27 01 000028 00000003 419a01`,
        hex`09 0050 1c 01 000028 00000003 260188`,
        hex`09 0078 91 61763031 0a0b`,
        hex`08 0080 2e fffb10c4`,
      ),
    ],
    open: () => {
      let nowMs = 0;
      const demuxer = new FlvDemuxer(SINK, () => nowMs);
      return (bytes) => {
        for (const [type = 0, high = 0, low = 0, ...body] of packetsOf(bytes)) {
          nowMs += TAG_INTERVAL_MS;
          const lent = new Uint8Array(ACCESS_UNIT_HEADROOM + body.length);
          lent.set(body, ACCESS_UNIT_HEADROOM);
          demuxer.push(type, high * 256 + low, lent.subarray(ACCESS_UNIT_HEADROOM));
        }
      };
    },
    inputsPerParser: 50,
  },
  parserOf('FLV onMetaData', announcedMedia, METADATA),
  framerOf(
    'LiveFLV client with a login',
    () => {
      let nowMs = 0;
      const client = { ...CLIENT, sink: () => SINK };
      const access = new Access({ token: 'abc' }, () => nowMs);
      return new LiveFlvFeed(client, access, undefined, () => {
        nowMs += TAG_INTERVAL_MS;
        return nowMs;
      });
    },
    concat(
      flvFileHeader(true, true),
      tag(FlvTagType.scriptData, 0, LOGIN),
      AVC_AND_AAC.subarray(FLV_FILE_HEADER_BYTES + FLV_PREVIOUS_TAG_SIZE_BYTES),
    ),
  ),
  parserOf(
    'RTMP aggregate',
    (payload) => [
      ...aggregatedMessages({
        typeId: MessageType.aggregate,
        timestampMs: 4_294_967_000,
        messageStreamId: 1,
        payload,
      }),
    ],
    AVC_AND_AAC.subarray(13),
  ),
];
