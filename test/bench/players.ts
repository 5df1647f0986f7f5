/**
 * A process of RTMP players, `players.js COUNT SCENARIO PORT OPEN_MS`, spoken to over IPC: they join one after the other within
 * OPEN_MS, hold every access unit of the one stream against what was sent, and keep none.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageType, type RtmpMessage } from '../../protocols/rtmp/message.ts';
import { PlaySession } from '../../protocols/rtmp/play-session.ts';
import { AUDIO_STAMP_OFFSET, audioTemplates, VIDEO_STAMP_OFFSET, videoTemplates } from './media.ts';
import type { MediaKind } from './pacing.ts';
import { RTMP_AUDIO_HEADER_BYTES, RTMP_VIDEO_HEADER_BYTES } from './rtmp-encoder.ts';
import { findScenario } from './scenario.ts';
import { nowUs, readStamp, STAMP_BYTES } from './stamp.ts';
import type { Notice, Request, SinkResult, Window } from './window.ts';

const HEADER_BYTES: Readonly<Record<MediaKind, number>> = {
  video: RTMP_VIDEO_HEADER_BYTES,
  audio: RTMP_AUDIO_HEADER_BYTES,
};
const STAMP_OFFSETS: Readonly<Record<MediaKind, number>> = {
  video: VIDEO_STAMP_OFFSET,
  audio: AUDIO_STAMP_OFFSET,
};

const [, , count = '', scenarioName = '', port = '', openMs = ''] = process.argv;
const say = (notice: Notice<SinkResult>) => process.send?.(notice);
const scenario = findScenario(scenarioName);
if (scenario === undefined) throw new Error(`no scenario ${scenarioName}`);
const templates: Readonly<Record<MediaKind, readonly Buffer[]>> = {
  video: videoTemplates(scenario.codec, scenario.videoBitsPerSecond),
  audio: audioTemplates(),
};
/** All read into it, one after the other: what is read is looked at before the next is. */
const READ_BUFFER = Buffer.alloc(64 * 1024);

let window: Window = { fromUs: Number.POSITIVE_INFINITY, toUs: 0 };
const counts = { video: 0, audio: 0, corrupt: 0, disordered: 0 };
const latenciesUs: number[] = [];
let flowing = 0;

class Player {
  readonly #lastUnits = { video: -1, audio: -1 };
  #isFlowing = false;

  join(): void {
    const tcUrl = `rtmp://127.0.0.1:${port}/live`;
    const session = new PlaySession(
      {
        app: 'live',
        tcUrl,
        streamName: 'cam-0',
        flashVersion: 'LNX 9,0,124,2',
        swfUrl: undefined,
        pageUrl: undefined,
        credentials: undefined,
        authQuery: '',
        fourCcList: [],
        onMedia: (message) => this.#receive(message),
      },
      (bytes) => socket.write(bytes),
    );
    const onread = {
      buffer: READ_BUFFER,
      callback: (byteLength: number) => {
        session.push(READ_BUFFER.subarray(0, byteLength));
        return true;
      },
    };
    const socket: Socket = connect({
      port: Number(port),
      host: '127.0.0.1',
      noDelay: true,
      onread,
    });
    socket.on('connect', () => session.open());
    socket.on('error', (error) => console.error(error.message));
  }

  #receive({ typeId, payload }: RtmpMessage): void {
    if (typeId === MessageType.video) this.#check('video', payload);
    else if (typeId === MessageType.audio) this.#check('audio', payload);
  }

  #check(kind: MediaKind, body: Uint8Array): void {
    // Sequence headers have 0 here.
    if (body[1] !== 1) return;
    const bytes = body.subarray(HEADER_BYTES[kind]);
    const offset = STAMP_OFFSETS[kind];
    const stamp = readStamp(bytes, offset);
    const template = templates[kind][stamp.template];
    const isSame =
      template !== undefined &&
      bytes.length === template.length &&
      template.compare(bytes, 0, offset, 0, offset) === 0 &&
      template.compare(bytes, offset + STAMP_BYTES, bytes.length, offset + STAMP_BYTES) === 0;
    if (!this.#isFlowing && isSame && kind === 'video') {
      this.#isFlowing = true;
      flowing += 1;
      say({ flowing });
    }
    if (stamp.sentAtUs < window.fromUs || stamp.sentAtUs >= window.toUs) return;
    if (!isSame) counts.corrupt += 1;
    else if (stamp.unit <= this.#lastUnits[kind]) counts.disordered += 1;
    else {
      counts[kind] += 1;
      if (kind === 'video') latenciesUs.push(nowUs() - stamp.sentAtUs);
    }
    this.#lastUnits[kind] = stamp.unit;
  }
}

process.on('disconnect', () => process.exit());
process.on('message', (request: Request) => {
  if ('window' in request) window = request.window;
  else say({ result: { ...counts, latenciesUs: latenciesUs.toSorted((a, b) => a - b) } });
});
// Ctrl-C is for the parent, which then disconnects.
process.on('SIGINT', () => undefined);
say({ ports: [] });
for (let player = 0; player < Number(count); player += 1) {
  new Player().join();
  await sleep(Number(openMs) / Number(count));
}
