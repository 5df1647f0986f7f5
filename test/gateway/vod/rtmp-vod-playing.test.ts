import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { Amf0Reader, type Amf0Value } from '../../../codecs/flv/amf0.ts';
import type { Track } from '../../../codecs/track.ts';
import { type RtmpVodContext, RtmpVodPlaying } from '../../../gateway/vod/rtmp-vod-playing.ts';
import { VodError, type VodFile } from '../../../gateway/vod/vod-file.ts';
import { ChunkReader } from '../../../protocols/rtmp/chunk-reader.ts';
import { controlMessage, parseUserControl } from '../../../protocols/rtmp/control.ts';
import { MessageType, type RtmpMessage } from '../../../protocols/rtmp/message.ts';
import { SERVER_CHUNK_SIZE } from '../../../protocols/rtmp/server-session.ts';
import { ServerStream } from '../../../protocols/rtmp/server-stream.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from '../../support/units.ts';
import { until } from '../../support/until.ts';
import { cameraUnits, GOP_PICTURES, PICTURE_US } from '../../support/vod-units.ts';

/** 20 s. */
const PICTURES = 500;

class TestFile implements VodFile {
  readonly tracks = [VIDEO_TRACK, AUDIO_TRACK];
  readonly durationMs = 20_000;
  readonly units: AccessUnit[];
  isClosed = false;
  #next = 0;

  constructor(pictures = PICTURES) {
    this.units = [...cameraUnits(pictures)];
  }

  async seek(ms: number): Promise<number> {
    const gopMs = (GOP_PICTURES * PICTURE_US) / 1000;
    const gop = Math.floor(Math.min(ms, 19_999) / gopMs);
    this.#next = gop * GOP_PICTURES * 2;
    return gop * gopMs;
  }

  async read(): Promise<AccessUnit | undefined> {
    this.#next += 1;
    return this.units[this.#next - 1];
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

/** A player that sees what it is sent. */
class Player {
  readonly said: string[] = [];
  /** Of the pictures that have come since something was said. */
  pictures: number[] = [];
  backlogBytes = 0;
  nowMs = 1000;
  readonly file: TestFile;
  readonly stream: ServerStream;
  readonly playing: RtmpVodPlaying;
  readonly problems: unknown[] = [];
  readonly over: Promise<void>;
  readonly #reader = new ChunkReader();

  constructor(options: Partial<RtmpVodContext> = {}, file = new TestFile()) {
    this.file = file;
    for (const _ of this.#reader.push(setChunkSize())) void 0;
    this.stream = new ServerStream(1, {
      command: (_stream, _name, _id, ...values) => this.#say(codeOf(values)),
      control: (message) => this.#say(`control ${parseUserControl(message.payload).event}`),
      sendShared: (bytes) => {
        for (const message of this.#reader.push(bytes)) this.#read(message);
      },
    });
    this.playing = new RtmpVodPlaying(this.stream, {
      open: async () => this.file,
      name: 'flv:cam',
      startMs: 0,
      lengthMs: undefined,
      hevcForm: 'enhanced',
      backlogBytes: () => this.backlogBytes,
      now: () => this.nowMs,
      onProblem: (error) => this.problems.push(error),
      ...options,
    });
    this.over = this.playing.run();
  }

  async has(lastPictureMs: number): Promise<void> {
    await until(() => this.pictures.at(-1) === lastPictureMs);
  }

  /** Nothing more comes for a while. */
  async rests(): Promise<void> {
    const { length } = this.pictures;
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(this.pictures.length, length);
  }

  #say(words: string): void {
    this.said.push(words);
  }

  #read({ typeId, timestampMs, payload }: RtmpMessage): void {
    if (typeId === MessageType.video && payload[1] === 1) this.pictures.push(timestampMs);
    else if (typeId === MessageType.video) this.#say('picture header');
    else if (typeId === MessageType.audio && payload[1] === 0) this.#say('sound header');
    else if (typeId === MessageType.dataAmf0) {
      const reader = new Amf0Reader(payload);
      const name = String(reader.read());
      this.#say(name === 'onPlayStatus' ? codeOf([reader.read()]) : name);
    }
  }
}

function codeOf(values: readonly Amf0Value[]): string {
  const info = values.at(-1);
  const code = typeof info === 'object' && info !== null && 'code' in info ? info['code'] : '';
  return String(code).replace('NetStream.', '');
}

function setChunkSize(): Uint8Array {
  const { payload } = controlMessage(MessageType.setChunkSize, SERVER_CHUNK_SIZE);
  return Uint8Array.of(
    2,
    0,
    0,
    0,
    0,
    0,
    payload.length,
    MessageType.setChunkSize,
    0,
    0,
    0,
    0,
    ...payload,
  );
}

const BEGINNING = [
  ...['control 4', 'control 0', 'Play.Reset', 'Play.Start'],
  ...['onMetaData', 'picture header', 'sound header'],
];

describe('a file over RTMP', () => {
  it('begins as Flash Media Server began, and runs three seconds ahead', async () => {
    const player = new Player();
    await player.has(3000);
    await player.rests();
    assert.deepEqual(player.said, BEGINNING);
    player.nowMs += 1000;
    await player.has(4000);
    player.playing.close();
    await player.over;
    assert.ok(player.file.isClosed);
  });

  it('has its headers once where its tracks are told again, the same', async () => {
    const file = new TestFile();
    const again = new Map<Track, Track>(file.tracks.map((track) => [track, { ...track }]));
    for (const [index, unit] of file.units.entries()) {
      file.units[index] = { ...unit, track: again.get(unit.track) ?? unit.track };
    }
    const player = new Player({}, file);
    await player.has(3000);
    assert.deepEqual(player.said, BEGINNING);
    player.playing.close();
    await player.over;
  });

  it('runs as far ahead as the player wants to buffer', async () => {
    const player = new Player();
    player.stream.bufferMs = 10_000;
    await player.has(10_000);
    await player.rests();
    player.playing.close();
    await player.over;
  });

  it('waits while the socket is full', async () => {
    const player = new Player();
    player.stream.bufferMs = 1e9;
    player.backlogBytes = 1e6;
    await until(() => player.said.includes('Play.Start'));
    await player.rests();
    assert.equal(player.pictures.length, 0);
    player.backlogBytes = 0;
    await player.has(19_960);
    player.playing.close();
    await player.over;
  });

  it('says that it is over, and can be sought again then', async () => {
    const player = new Player();
    player.stream.bufferMs = 1e9;
    await until(() => player.said.includes('Play.Stop'));
    assert.deepEqual(player.said, [...BEGINNING, 'Play.Complete', 'Play.Stop', 'control 1']);
    assert.equal(player.pictures.length, PICTURES);
    player.said.length = 0;
    player.pictures = [];
    player.playing.seek(19_000);
    await until(() => player.said.includes('Play.Stop'));
    assert.equal(player.pictures[0], 18_800);
    assert.deepEqual(player.said.slice(0, 3), ['control 0', 'Seek.Notify', 'Play.Start']);
    player.playing.close();
    await player.over;
  });

  it('begins and ends where it was asked to', async () => {
    const player = new Player({ startMs: 5000, lengthMs: 2000 });
    await until(() => player.said.includes('Play.Stop'));
    // Counted from the keyframe at 4800.
    assert.equal(player.pictures[0], 0);
    assert.equal(player.pictures.at(-1), 6960 - 4800);
    player.playing.close();
    await player.over;
  });

  it('stands while it is paused, and goes on with the next picture', async () => {
    const player = new Player();
    await player.has(3000);
    player.playing.pause(true);
    await player.rests();
    player.nowMs += 60_000;
    await player.rests();
    player.playing.pause(false);
    await player.rests();
    player.nowMs += 400;
    await player.has(3400);
    assert.deepEqual(player.said.slice(-2), ['Pause.Notify', 'Unpause.Notify']);
    const steps = player.pictures.slice(1).map((ms, index) => ms - player.pictures[index]!);
    assert.ok(steps.every((ms) => ms === 40));
    player.playing.close();
    await player.over;
  });

  it('is sought back and forth, also while it is paused', async () => {
    const player = new Player();
    await player.has(3000);
    player.pictures = [];
    player.playing.seek(10_100);
    await player.has(13_000);
    assert.equal(player.pictures[0], 10_000);
    player.pictures = [];
    player.playing.pause(true);
    player.playing.seek(1000);
    await until(() => player.said.filter((words) => words === 'Seek.Notify').length === 2);
    await player.rests();
    assert.deepEqual(player.pictures, []);
    player.playing.pause(false);
    await player.has(3800);
    assert.equal(player.pictures[0], 800);
    player.playing.close();
    await player.over;
  });

  const failures = [
    { error: new VodError('not-found', 'there is no such file'), want: 'Play.StreamNotFound' },
    { error: new VodError('unreadable', 'no moov'), want: 'Play.Failed' },
    { error: new Error('EIO'), want: 'Play.Failed' },
  ];
  for (const { error, want } of failures) {
    it(`says ${want} for ${error.message}`, async () => {
      const player = new Player({ open: () => Promise.reject(error) });
      await player.over;
      assert.deepEqual(player.said, [want]);
      assert.deepEqual(player.problems, [error]);
    });
  }

  it('is closed while it is being opened', async () => {
    const player = new Player();
    await Promise.resolve();
    player.playing.close();
    await player.over;
    assert.ok(player.file.isClosed);
    assert.deepEqual(player.said, []);
  });

  it('opens nothing when it is closed before its turn', async () => {
    const player = new Player({ ready: Promise.resolve(), open: () => assert.fail('opened') });
    player.playing.close();
    await player.over;
    assert.deepEqual(player.problems, []);
  });
});
