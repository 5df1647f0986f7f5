/** The master's process: an RTMP server that looks at every access unit and keeps none. Spoken to over IPC. */
import { MessageType, type RtmpMessage } from '../../protocols/rtmp/message.ts';
import { RtmpSink } from '../support/rtmp-sink.ts';
import { AUDIO_STAMP_OFFSET, audioTemplates, VIDEO_STAMP_OFFSET, videoTemplates } from './media.ts';
import { nowUs, readStamp, STAMP_BYTES } from './stamp.ts';
import type { Notice, Request, SinkResult, Window } from './window.ts';

/** FLV 10.1 §E.4.2, §E.4.3: tag header, packet type, composition time; then sequence header or coded data. */
const VIDEO_HEADER_BYTES = 5;
const AUDIO_HEADER_BYTES = 2;
const CODED_DATA = 1;

const video = videoTemplates('h264');
const audio = audioTemplates();
/** Camera and track → the last unit seen. */
const lastUnits = new Map<string, number>();
const flowing = new Set<number>();
const latenciesUs: number[] = [];
const counts = { video: 0, audio: 0, corrupt: 0, disordered: 0 };
let window: Window = { fromUs: Number.POSITIVE_INFINITY, toUs: 0 };

const say = (notice: Notice<SinkResult>) => process.send?.(notice);

function receive({ typeId, payload }: RtmpMessage): void {
  if (payload[1] !== CODED_DATA) return;
  if (typeId === MessageType.video) {
    const slice = findSlice(payload.subarray(VIDEO_HEADER_BYTES));
    if (slice !== undefined) receiveUnit('video', slice, video, VIDEO_STAMP_OFFSET);
  } else if (typeId === MessageType.audio) {
    receiveUnit('audio', payload.subarray(AUDIO_HEADER_BYTES), audio, AUDIO_STAMP_OFFSET);
  }
}

function receiveUnit(
  kind: 'video' | 'audio',
  bytes: Uint8Array,
  templates: readonly Buffer[],
  stampOffset: number,
): void {
  const stamp = readStamp(bytes, stampOffset);
  const template = templates[stamp.template];
  const isSame = template !== undefined && equalsAround(bytes, template, stampOffset);
  if (!flowing.has(stamp.camera) && isSame && kind === 'video') {
    flowing.add(stamp.camera);
    say({ flowing: flowing.size });
  }
  if (stamp.sentAtUs < window.fromUs || stamp.sentAtUs >= window.toUs) return;
  const key = `${stamp.camera} ${kind}`;
  if (!isSame) counts.corrupt += 1;
  else if (stamp.unit <= (lastUnits.get(key) ?? -1)) counts.disordered += 1;
  else {
    counts[kind] += 1;
    if (kind === 'video') latenciesUs.push(nowUs() - stamp.sentAtUs);
  }
  lastUnits.set(key, Math.max(stamp.unit, lastUnits.get(key) ?? -1));
}

/** The picture's slice among NAL units with 4-byte lengths; parameter sets and SEI may come with it. */
function findSlice(avcc: Uint8Array): Uint8Array | undefined {
  const view = new DataView(avcc.buffer, avcc.byteOffset, avcc.byteLength);
  for (let at = 0; at + 4 < avcc.length; ) {
    const length = view.getUint32(at);
    const type = (avcc[at + 4] ?? 0) & 0x1f;
    if (type === 1 || type === 5) return avcc.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  return undefined;
}

function equalsAround(bytes: Uint8Array, template: Buffer, stampOffset: number): boolean {
  const after = stampOffset + STAMP_BYTES;
  return (
    bytes.length === template.length &&
    template.compare(bytes, 0, stampOffset, 0, stampOffset) === 0 &&
    template.compare(bytes, after, bytes.length, after) === 0
  );
}

process.on('disconnect', () => process.exit());
process.on('message', (request: Request) => {
  if ('window' in request) window = request.window;
  else say({ result: { ...counts, latenciesUs: latenciesUs.toSorted((a, b) => a - b) } });
});
// Ctrl-C is for the parent, which then disconnects.
process.on('SIGINT', () => undefined);
const server = await RtmpSink.listen({ onMessage: (_session, message) => receive(message) });
say({ port: server.port });
