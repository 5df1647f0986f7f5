import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { concat } from '../../../codecs/bytes.ts';
import { serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { sequenceHeader } from '../../../codecs/flv/sequence-header.ts';
import { FLV_TAG_HEADER_BYTES, writeFlvTagHeader } from '../../../codecs/flv/tag.ts';
import { Publications } from '../../../gateway/acceptors/publications.ts';
import { RtmpConnection, type RtmpService } from '../../../gateway/acceptors/rtmp-connection.ts';
import { RtmpLogin } from '../../../gateway/acceptors/rtmp-login.ts';
import type { LoginConfig } from '../../../gateway/config/schema.ts';
import { Hub } from '../../../gateway/hub/hub.ts';
import { Board } from '../../../gateway/report/board.ts';
import { BacklogBudget } from '../../../gateway/viewers/backlog-budget.ts';
import { RtmpFanOuts } from '../../../gateway/viewers/rtmp-fan-outs.ts';
import { VodLibrary } from '../../../gateway/vod/vod-library.ts';
import { serializeMessage } from '../../../protocols/rtmp/chunk-writer.ts';
import { commandMessage } from '../../../protocols/rtmp/command.ts';
import { MessageType, type RtmpMessage } from '../../../protocols/rtmp/message.ts';
import { MP3_FRAMES } from '../../codecs/mpeg-audio/mp3-fixture.ts';
import { hex, toHex } from '../../support/hex.ts';
import { RtmpClientDialogue } from '../../support/rtmp-client-dialogue.ts';
import { AUDIO_TRACK, HEVC_TRACK, OTHER_VIDEO_TRACK, VIDEO_TRACK } from '../../support/units.ts';
import { until } from '../../support/until.ts';

const HANDSHAKE_MS = 10_000;

interface Settings {
  publish?: LoginConfig;
  play?: LoginConfig;
  duplicate?: 'reject' | 'replace';
  apps?: string[];
  files?: string;
}

/** A server without sockets. */
class Server {
  readonly hub = new Hub(0, () => performance.now());
  readonly publications = new Publications({
    hub: this.hub,
    board: new Board(),
    log: pino({ level: 'silent' }),
    now: Date.now,
    gatewayId: 'here',
    stallMs: 8_000,
    isReserved: (name) => name === 'camera',
  });
  readonly #service: RtmpService;

  constructor({ publish, play, duplicate = 'reject', apps = ['live'], files }: Settings = {}) {
    const now = () => performance.now();
    this.#service = {
      protocol: 'RTMP',
      config: {
        apps,
        duplicatePublisher: duplicate,
        limits: {
          connections: 1,
          connectionsPerAddress: 1,
          handshakeMs: HANDSHAKE_MS,
          bytesBeforeLogin: 4_096,
          streamsPerConnection: 3,
        },
      },
      login: new RtmpLogin(publish, play, now),
      publications: this.publications,
      fanOuts: new RtmpFanOuts(this.hub, { now, budget: new BacklogBudget() }),
      vod: new VodLibrary(files === undefined ? [] : [files]),
      isLive: (name) => this.hub.get(name)?.isOnline === true,
      log: pino({ level: 'silent' }),
      now,
    };
  }

  client(): Client {
    return new Client(this.#service);
  }
}

class Client extends RtmpClientDialogue {
  readonly connection: RtmpConnection;
  isEnded = false;
  backlogBytes = 0;

  constructor(service: RtmpService) {
    super((chunk) => this.connection.push(chunk));
    const client = this;
    this.connection = new RtmpConnection(
      {
        get backlogBytes() {
          return client.backlogBytes;
        },
        write: this.hear,
        end: () => {
          this.isEnded = true;
        },
      },
      '192.0.2.1',
      service,
    );
  }

  connected(properties = {}): this {
    this.shakeHands().connect(properties).command(0, 'createStream', 2, null);
    this.heard();
    return this;
  }

  publish(name: string, properties = {}): this {
    return this.connected(properties).command(1, 'publish', 3, null, name, 'live');
  }

  play(name: string, properties = {}): this {
    return this.connected(properties).command(1, 'play', 3, null, name, -2000);
  }

  media(typeId: number, timestampMs: number, payload: Uint8Array): this {
    const message = { typeId, timestampMs, messageStreamId: 1, payload };
    return this.raw(serializeMessage(message, typeId === 9 ? 6 : 4, 128));
  }

  /** H.264 and AAC. */
  headers(): this {
    return this.media(9, 0, sequenceHeader(VIDEO_TRACK, 'legacy12')!).media(
      8,
      0,
      sequenceHeader(AUDIO_TRACK, 'legacy12')!,
    );
  }

  picture(timestampMs: number, isKeyframe: boolean, byte: number): this {
    const nalUnit = concat(isKeyframe ? hex`65` : hex`41`, Uint8Array.of(byte));
    const tag = isKeyframe ? hex`17 01 000000 00000002` : hex`27 01 000000 00000002`;
    return this.media(9, timestampMs, concat(tag, nalUnit));
  }

  sound(timestampMs: number, byte: number): this {
    return this.media(8, timestampMs, concat(hex`af 01`, Uint8Array.of(byte)));
  }

  /** Statuses by code; pictures and sounds by time and last byte; headers by name. */
  story(): string[] {
    return this.heard().map((message) => wordsOf(message));
  }
}

function wordsOf({ typeId, timestampMs, payload }: RtmpMessage): string {
  const hexes = toHex(payload);
  switch (typeId) {
    case 4:
      return `event ${payload[1]}`;
    case 18:
      return toHex(payload).includes(toHex(ON_PLAY_STATUS)) ? 'onPlayStatus' : 'metadata';
    case 9:
      if (hexes.startsWith('1700')) return 'video header';
      return `${hexes.startsWith('17') ? 'key' : 'picture'} ${timestampMs} ${hexes.slice(-2)}`;
    case 8:
      return hexes.startsWith('af00') ? 'audio header' : `sound ${timestampMs} ${hexes.slice(-2)}`;
    default: {
      const text = new TextDecoder('latin1').decode(payload);
      return /Net(?:Stream|Connection)\.[A-Za-z.]+/.exec(text)?.[0] ?? 'other';
    }
  }
}

const ON_PLAY_STATUS = new TextEncoder().encode('onPlayStatus');
const PLAY_BEGINS = ['event 0', 'NetStream.Play.Reset', 'NetStream.Play.Start'];
const HEADER = ['metadata', 'video header', 'audio header'];

function mockTime(t: TestContext): void {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
}

describe('a client of the RTMP server', () => {
  it('is sent away when it is no RTMP client', (t) => {
    mockTime(t);
    const client = new Server().client();
    client.raw(new TextEncoder().encode('GET / HTTP/1.1\r\n'));
    assert.ok(client.isEnded);
  });

  it('is sent away when it neither publishes nor plays in time', (t) => {
    mockTime(t);
    const client = new Server().client().connected();
    t.mock.timers.tick(HANDSHAKE_MS - 1);
    assert.ok(!client.isEnded);
    t.mock.timers.tick(1);
    assert.ok(client.isEnded);
    client.command(1, 'publish', 3, null, 'cam', 'live');
    assert.deepEqual(client.story(), []);
  });

  it('is sent away when it sends much and neither publishes nor plays', (t) => {
    mockTime(t);
    const client = new Server().client().connected();
    for (let count = 0; count < 40 && !client.isEnded; count += 1) {
      client.command(0, 'createStream', 3, null, 'x'.repeat(50));
    }
    assert.ok(client.isEnded);
  });

  it('is sent away when it asks and does not read', (t) => {
    mockTime(t);
    const client = new Server().client().connected();
    client.backlogBytes = 70_000;
    client.command(0, 'createStream', 3, null);
    assert.ok(client.isEnded);
  });

  it('is refused applications that are not answered', (t) => {
    mockTime(t);
    for (const [app, isAnswered] of [
      ['live', true],
      ['live/_definst_', true],
      ['proxypublish/x', true],
      ['other', false],
      ['', false],
    ] as const) {
      const client = new Server({ apps: ['live', 'proxypublish'] }).client().shakeHands();
      client.connect({ app });
      assert.equal(client.isEnded, !isAnswered, app);
    }
    const any = new Server({ apps: ['*'] }).client().shakeHands().connect({ app: 'whatever' });
    assert.ok(!any.isEnded);
  });

  it('publishes and plays nothing without the right to', (t) => {
    mockTime(t);
    const server = new Server({ publish: { token: 'a' }, play: { token: 'b' } });
    const publisher = server.client().publish('cam?token=b');
    assert.deepEqual(publisher.story(), ['NetStream.Publish.Denied']);
    assert.ok(publisher.isEnded);
    const player = server.client().play('cam');
    assert.deepEqual(player.story(), ['NetStream.Play.Failed']);
    assert.ok(player.isEnded);
    assert.equal(server.hub.get('cam'), undefined);
    assert.ok(!server.client().publish('cam?token=a').isEnded);
    assert.ok(!server.client().play('cam?token=b').isEnded);
  });

  it('may not take a name that another has; the connection stays, and so does the other', (t) => {
    mockTime(t);
    const server = new Server();
    const first = server.client().publish('cam');
    const second = server.client().publish('CAM');
    assert.deepEqual(second.story(), ['NetStream.Publish.BadName']);
    assert.ok(!second.isEnded && !first.isEnded);
    second.command(1, 'publish', 3, null, 'camera', 'live');
    second.command(1, 'publish', 3, null, '--', 'live');
    assert.deepEqual(second.story(), ['NetStream.Publish.BadName', 'NetStream.Publish.BadName']);
    first.command(0, 'deleteStream', 0, null, 1);
    second.command(1, 'publish', 3, null, 'cam', 'live');
    assert.deepEqual(second.story(), ['event 0', 'NetStream.Publish.Start']);
  });

  it('takes the place of the one before it where that is configured', (t) => {
    mockTime(t);
    const server = new Server({ duplicate: 'replace' });
    const first = server.client().publish('cam');
    const player = server.client().play('cam');
    first.heard();
    first.headers().picture(0, true, 1).sound(10, 2);
    const second = server.client().publish('cam');
    assert.deepEqual(first.story(), ['NetStream.Publish.Idle']);
    assert.ok(first.isEnded);
    assert.deepEqual(second.story(), ['event 0', 'NetStream.Publish.Start']);
    assert.deepEqual(player.story(), [...PLAY_BEGINS, ...HEADER, 'key 0 01', 'sound 10 02']);
    second.headers().sound(990, 3).picture(1_000, true, 4).picture(1_040, false, 5);
    const [key, picture] = player.story().filter((words) => /^key|^picture/.test(words));
    assert.match(`${key} then ${picture}`, /^key \d+ 04 then picture \d+ 05$/);
  });

  it('is told of a loop', (t) => {
    mockTime(t);
    const server = new Server();
    const client = server.client().publish('cam', { sluiceVia: 'edge,here' });
    assert.deepEqual(client.story(), ['NetStream.Publish.Loop']);
    const honest = server.client().publish('cam', { sluiceVia: 'edge' });
    assert.deepEqual(honest.story(), ['event 0', 'NetStream.Publish.Start']);
    assert.deepEqual(server.hub.get('cam')?.via, ['edge']);
  });

  it('that sends pictures which cannot be taken is told so', (t) => {
    mockTime(t);
    const client = new Server().client().publish('cam');
    client.heard();
    client.media(9, 0, hex`14 00 00`);
    assert.deepEqual(client.story(), ['NetStream.Publish.Rejected']);
    assert.ok(client.isEnded);
  });

  it('gives its name back when its connection is gone', (t) => {
    mockTime(t);
    const server = new Server();
    const first = server.client().publish('cam');
    first.connection.closed();
    const second = server.client().publish('cam');
    assert.deepEqual(second.story(), ['event 0', 'NetStream.Publish.Start']);
  });

  it('plays what is published, from the last keyframe on, with headers first', (t) => {
    mockTime(t);
    const server = new Server();
    const publisher = server.client().publish('cam');
    publisher.headers().picture(0, true, 1).sound(20, 2).picture(40, false, 3);
    const early = server.client().play('cam');
    publisher.picture(80, true, 4).sound(90, 5).picture(120, false, 6);
    assert.deepEqual(early.story(), [
      ...PLAY_BEGINS,
      ...HEADER,
      'key 0 04',
      'sound 10 05',
      'picture 40 06',
    ]);
    const late = server.client().play('Cam?x=1');
    assert.deepEqual(late.story(), [
      ...PLAY_BEGINS,
      ...HEADER,
      'key 0 04',
      'sound 10 05',
      'picture 40 06',
    ]);
  });

  it('waits for a name that nobody publishes', (t) => {
    mockTime(t);
    const server = new Server();
    const player = server.client().play('cam');
    assert.deepEqual(player.story(), PLAY_BEGINS);
    t.mock.timers.tick(60_000);
    assert.deepEqual(player.story(), []);
    const publisher = server.client().publish('cam').headers().sound(0, 1).picture(10, true, 2);
    assert.ok(!publisher.isEnded);
    assert.deepEqual(player.story(), [...HEADER, 'key 10 02']);
  });

  it('is told that the source has gone, but not at once; and goes on when it returns', (t) => {
    mockTime(t);
    const server = new Server();
    const player = server.client().play('cam');
    const publish = (byte: number) =>
      server.client().publish('cam').headers().sound(0, 9).picture(0, true, byte);
    publish(1).connection.closed();
    player.heard();
    t.mock.timers.tick(14_999);
    const again = publish(2);
    const [key] = player.story();
    assert.match(key ?? '', /^key \d+ 02$/, 'the same headers are not said again');
    again.connection.closed();
    t.mock.timers.tick(15_000);
    assert.deepEqual(player.story(), ['NetStream.Play.UnpublishNotify', 'event 1']);
    publish(3);
    const [begin, notify, next] = player.story();
    assert.deepEqual([begin, notify], ['event 0', 'NetStream.Play.PublishNotify']);
    assert.match(next ?? '', /^key \d+ 03$/);
  });

  it('that goes on after a pause is told what became of the source meanwhile', (t) => {
    mockTime(t);
    const server = new Server();
    const publish = (byte: number) =>
      server.client().publish('cam').headers().sound(0, 9).picture(0, true, byte);
    const first = publish(1);
    const player = server.client().play('cam');
    const pause = (isPaused: boolean) => player.command(1, 'pause', 0, null, isPaused, 0);
    player.heard();
    pause(true);
    first.connection.closed();
    t.mock.timers.tick(60_000);
    pause(false);
    t.mock.timers.tick(14_999);
    assert.deepEqual(player.story(), ['NetStream.Pause.Notify', 'NetStream.Unpause.Notify']);
    t.mock.timers.tick(1);
    assert.deepEqual(player.story(), ['NetStream.Play.UnpublishNotify', 'event 1']);
    // Told once.
    pause(true);
    pause(false);
    t.mock.timers.tick(60_000);
    assert.deepEqual(player.story(), ['NetStream.Pause.Notify', 'NetStream.Unpause.Notify']);
    pause(true);
    publish(2);
    pause(false);
    assert.deepEqual(player.story().slice(0, 5), [
      'NetStream.Pause.Notify',
      'NetStream.Unpause.Notify',
      'event 0',
      'NetStream.Play.PublishNotify',
      HEADER[0],
    ]);
  });

  it('of a name that nobody has published yet is told nothing after a pause, either', (t) => {
    mockTime(t);
    const player = new Server().client().play('cam');
    player.heard();
    player.command(1, 'pause', 0, null, true, 0).command(1, 'pause', 0, null, false, 0);
    t.mock.timers.tick(60_000);
    assert.deepEqual(player.story(), ['NetStream.Pause.Notify', 'NetStream.Unpause.Notify']);
  });

  it('gets new headers where they have changed when the source returns, or within it', (t) => {
    mockTime(t);
    const server = new Server();
    const player = server.client().play('cam');
    const first = server.client().publish('cam').headers().sound(0, 9).picture(0, true, 1);
    player.heard();
    first.media(9, 40, sequenceHeader(OTHER_VIDEO_TRACK, 'legacy12')!).picture(40, true, 2);
    assert.deepEqual(player.story(), [...HEADER, 'key 40 02']);
    first.connection.closed();
    const second = server.client().publish('cam').headers().sound(0, 8).picture(0, true, 3);
    assert.ok(!second.isEnded);
    const story = player.story().map((words) => words.replace(/\d+ (?=..$)/, ''));
    assert.deepEqual(story, [...HEADER, 'key 03']);
  });

  it('gets nothing while it pauses, and then begins with a keyframe', (t) => {
    mockTime(t);
    const server = new Server();
    const publisher = server.client().publish('cam').headers().sound(0, 1).picture(0, true, 2);
    const player = server.client().play('cam');
    player.heard();
    player.command(1, 'pause', 0, null, true, 0).command(1, 'pause', 0, null, true, 0);
    publisher.picture(40, false, 3).picture(80, true, 4).picture(120, false, 5);
    assert.deepEqual(player.story(), ['NetStream.Pause.Notify', 'NetStream.Pause.Notify']);
    player.command(1, 'pause', 0, null, false, 0).command(1, 'pause', 0, null, false, 0);
    assert.deepEqual(player.story(), [
      'NetStream.Unpause.Notify',
      ...HEADER,
      'key 40 04',
      'picture 80 05',
      'NetStream.Unpause.Notify',
    ]);
    player.command(1, 'seek', 0, null, 1000);
    assert.deepEqual(player.story(), ['NetStream.Seek.Failed']);
  });

  it('counts as a viewer for as long as it plays', (t) => {
    mockTime(t);
    const server = new Server();
    server.client().publish('cam').headers().sound(0, 1).picture(0, true, 2);
    const viewers = () => server.hub.get('cam')?.viewers;
    const player = server.client().play('cam');
    assert.equal(viewers(), 1);
    player.command(1, 'closeStream', 0, null);
    assert.equal(viewers(), 0);
    const gone = server.client().play('cam');
    gone.connection.closed();
    assert.equal(viewers(), 0);
  });

  it('that lists enhanced RTMP gets H.265 so, and others with codec id 12', (t) => {
    mockTime(t);
    const server = new Server();
    const old = server.client().play('cam');
    const modern = server.client().play('cam', { fourCcList: ['hvc1'] });
    for (const player of [old, modern]) player.heard();
    const publisher = server.client().publish('cam', { fourCcList: ['hvc1'] });
    publisher.media(9, 0, sequenceHeader(HEVC_TRACK, 'enhanced')!);
    publisher.media(8, 0, sequenceHeader(AUDIO_TRACK, 'enhanced')!).sound(0, 1);
    publisher.media(9, 40, hex`93 68766331 00000003 2601aa`);
    const pictures = (player: Client) =>
      player
        .heard()
        .filter(({ typeId }) => typeId === 9)
        .map(({ payload }) => toHex(payload).replace(/^(9068766331|1c00000000).*/, '$1'));
    assert.deepEqual(pictures(old), ['1c00000000', '1c01000000000000032601aa']);
    assert.deepEqual(pictures(modern), ['9068766331', '9368766331000000032601aa']);
  });

  it('has two streams at once: publishes one and plays it on another', (t) => {
    mockTime(t);
    const client = new Server().client().publish('cam');
    client.command(0, 'createStream', 4, null).command(2, 'play', 0, null, 'cam', -2000);
    client.heard();
    client.headers().sound(0, 1).picture(0, true, 2);
    const heard = client.heard();
    assert.deepEqual(
      heard.map(({ messageStreamId }) => messageStreamId),
      [2, 2, 2, 2],
    );
    client.command(0, 'getStreamLength', 5, null, 'cam');
    assert.deepEqual(client.commands(), [[0, '_result', 5, 0]]);
  });

  it('publishes in AMF3, and in aggregates', (t) => {
    mockTime(t);
    const server = new Server();
    const player = server.client().play('cam');
    player.heard();
    const publisher = server.client().connected({ objectEncoding: 3 });
    const payload = concat(hex`00`, serializeAmf0('publish', 3, null, 'cam', 'live'));
    publisher.say({ typeId: MessageType.commandAmf3, timestampMs: 0, messageStreamId: 1, payload });
    assert.deepEqual(publisher.story(), ['event 0', 'NetStream.Publish.Start']);
    const tags = [
      { type: 9, timestampMs: 0, body: hex`17 01 000000 00000002 6501` },
      { type: 8, timestampMs: 10, body: hex`af 01 02` },
      { type: 9, timestampMs: 40, body: hex`27 01 000000 00000002 4103` },
    ].flatMap(({ type, timestampMs, body }) => {
      const header = new Uint8Array(FLV_TAG_HEADER_BYTES);
      writeFlvTagHeader(header, 0, type, body.length, timestampMs);
      return [header, body, new Uint8Array(4)];
    });
    publisher.headers().media(22, 0, concat(...tags));
    assert.deepEqual(player.story(), [...HEADER, 'key 0 01', 'sound 10 02', 'picture 40 03']);
  });

  it('what it says is never an error of ours', (t) => {
    mockTime(t);
    const client = new Server().client().publish('cam');
    // An aggregate that is not whole.
    client.raw(
      serializeMessage(
        { typeId: 22, timestampMs: 0, messageStreamId: 1, payload: new Uint8Array(20).fill(255) },
        5,
        128,
      ),
    );
    assert.ok(client.isEnded);
    const other = new Server().client().connected();
    other.say(commandMessage(0, 'publish', 0));
    assert.ok(!other.isEnded);
  });
});

describe('files at the RTMP server', () => {
  /** 0.42 s of sound. */
  const SONG = concat(...MP3_FRAMES);
  let files: string;

  before(async () => {
    files = await mkdtemp(join(tmpdir(), 'sluice-rtmp-files-'));
    await writeFile(join(files, 'song.mp3'), SONG);
  });

  after(async () => {
    await rm(files, { recursive: true });
  });

  async function storyOf(client: Client, end: string): Promise<string[]> {
    const story: string[] = [];
    await until(() => {
      story.push(...client.story());
      return story.includes(end);
    });
    return story;
  }

  it('are played to their end', async () => {
    const client = new Server({ files }).client().play('mp3:song');
    const story = await storyOf(client, 'NetStream.Play.Stop');
    assert.deepEqual(story.slice(0, 5), ['event 4', ...PLAY_BEGINS, 'metadata']);
    assert.equal(story.filter((word) => word.startsWith('sound')).length, MP3_FRAMES.length);
    assert.deepEqual(story.slice(-3), ['onPlayStatus', 'NetStream.Play.Stop', 'event 1']);
    client.command(1, 'pause', 4, null, true, 0).command(1, 'seek', 5, null, 0);
    await storyOf(client, 'NetStream.Seek.Notify');
    client.command(0, 'deleteStream', 6, null, 1);
    client.connection.closed();
  });

  it('that are not there are said to be missing, and the client stays', async () => {
    const client = new Server({ files }).client().play('flv:none');
    assert.deepEqual(await storyOf(client, 'NetStream.Play.StreamNotFound'), [
      'NetStream.Play.StreamNotFound',
    ]);
    assert.ok(!client.isEnded);
    client.command(1, 'play', 3, null, 'mp3:../song');
    await storyOf(client, 'NetStream.Play.Failed');
    client.command(1, 'play', 3, null, 'mp3:song');
    await storyOf(client, 'NetStream.Play.Stop');
    client.connection.closed();
  });

  it('say how long they are to those who may play', async () => {
    const server = new Server({ files, play: { token: 'b' } });
    const length = async (client: Client, name: string) => {
      client.command(0, 'getStreamLength', 9, null, name);
      const answers: unknown[][] = [];
      await until(() => answers.push(...client.commands()) > 0);
      assert.deepEqual(answers[0]?.slice(1, 3), ['_result', 9]);
      return answers[0].at(-1);
    };
    const client = server.client().connected();
    assert.equal(await length(client, 'mp3:song?token=b'), 0.42);
    assert.equal(await length(client, 'mp3:song'), 0);
    assert.equal(await length(client, 'mp3:none?token=b'), 0);
    assert.equal(await length(client, 'song?token=b'), 0);
    assert.deepEqual(server.client().play('mp3:song').story(), ['NetStream.Play.Failed']);
    client.connection.closed();
  });

  it('come behind what is live under the same name, unless a time is asked for', async () => {
    const server = new Server({ files });
    server.client().publish('mp3:song').headers().picture(0, true, 1);
    const player = server.client().play('mp3:song');
    assert.ok(player.story().includes('video header'));
    player.command(1, 'play', 3, null, 'mp3:song', 0);
    await storyOf(player, 'event 4');
    player.connection.closed();
  });
});
