/**
 * The master's process, `sink.js SCENARIO`: looks at every access unit and keeps none. It takes RTMP, and MPEG-TS
 * over TCP from an ffmpeg that cannot put its media into FLV. Spoken to over IPC.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { parseAudioTagBody } from '../../codecs/flv/audio-tag.ts';
import { parseVideoTagBody } from '../../codecs/flv/video-tag.ts';
import { TsDemuxer } from '../../protocols/mpegts/demuxer.ts';
import { MessageType, type RtmpMessage } from '../../protocols/rtmp/message.ts';
import { RtmpSink } from '../support/rtmp-sink.ts';
import { findScenario } from './scenario.ts';
import { UnitChecker } from './unit-checker.ts';
import type { Notice, Request, SinkResult } from './window.ts';

const say = (notice: Notice<SinkResult>) => process.send?.(notice);
const scenario = findScenario(process.argv[2] ?? '');
if (scenario === undefined) throw new Error(`no scenario ${process.argv[2]}`);
const checker = new UnitChecker(scenario, (flowing) => say({ flowing }));

function onMessage({ typeId, payload }: RtmpMessage): void {
  if (typeId === MessageType.video) {
    const body = parseVideoTagBody(payload);
    if (body?.content === 'frame') checker.video(body.data);
  } else if (typeId === MessageType.audio) {
    const body = parseAudioTagBody(payload);
    if (body?.content === 'frame') checker.audio(body.data);
  }
}

async function listenForTs(): Promise<number> {
  const server = createServer((socket) => {
    const sink = {
      start: () => undefined,
      stop: () => undefined,
      write: ({ track, data }: AccessUnit) =>
        track.kind === 'video' ? checker.video(data) : checker.audio(data),
    };
    const now = () => performance.now();
    const demuxer = new TsDemuxer({ sink, now, program: undefined });
    socket.on('data', (chunk) => demuxer.push(chunk, 0, chunk.length));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

process.on('disconnect', () => process.exit());
process.on('message', (request: Request) => {
  if ('window' in request) checker.window = request.window;
  else say({ result: checker.result() });
});
// Ctrl-C is for the parent, which then disconnects.
process.on('SIGINT', () => undefined);
const rtmp = await RtmpSink.listen({
  onMessage: (_session, message) => onMessage(message),
  connectAnswer: { fourCcList: ['hvc1'] },
});
say({ ports: [rtmp.port, await listenForTs()] });
