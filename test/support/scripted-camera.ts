/**
 * An RTSP camera in this process whose every answer can be scripted, for tests of awkward cameras.
 *
 *   const camera = await ScriptedCamera.open({
 *     DESCRIBE: (request) => answer(request, 404),   // in place of the usual answer
 *     SETUP: () => undefined,                        // undefined: the usual answer
 *     PLAY: () => '',                                // empty: no answer at all
 *   });
 *   camera.url, camera.requests, camera.sendPicture(), camera.sendRaw(bytes), await camera.close()
 *
 * The usual camera has H.264 (payload type 96) and AAC (97), wants no login, and after PLAY sends one
 * IDR picture and one audio frame by itself; further ones when the test says so. Times are 0, 40 ms, 80 ms, …
 * `interleaved`, UDP, multicast (a group on loopback) and RTSP through HTTP all work; for the last the script may have
 * GET and POST, whose usual answers are 200 and none. Requests may be answered with `answer(request, status, headers, body)`.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { concat } from '../../codecs/bytes.ts';
import { parseHead, type RtspHeaders } from '../../protocols/rtsp/message.ts';
import { hex } from './hex.ts';
import { nalUnit, type RtpFields, rtpBytes } from './rtp-packets.ts';
import { VIDEO_TRACK } from './units.ts';

export interface CameraRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: RtspHeaders;
}

type Headers = Readonly<Record<string, string>>;
/** The bytes of an answer; empty for none at all; undefined for the usual one. */
export type Scripted = (
  request: CameraRequest,
  camera: ScriptedCamera,
) => string | Uint8Array | undefined;
export type Script = Readonly<Record<string, Scripted>>;

const SETS = [VIDEO_TRACK.sps, VIDEO_TRACK.pps]
  .map((set) => Buffer.from(set).toString('base64'))
  .join(',');

export const CAMERA_SDP = `v=0
o=- 1 1 IN IP4 127.0.0.1
s=scripted
a=control:*
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;sprop-parameter-sets=${SETS}
a=control:trackID=0
m=audio 0 RTP/AVP 97
a=rtpmap:97 MPEG4-GENERIC/48000/2
a=fmtp:97 mode=AAC-hbr;config=1190;sizeLength=13;indexLength=3;indexDeltaLength=3
a=control:trackID=1
`.replaceAll('\n', '\r\n');

/** An answer to a request, with its CSeq. */
export function answer(
  request: CameraRequest,
  status: number,
  headers: Headers = {},
  body = '',
): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
  const cseq = request.headers.get('cseq');
  return `RTSP/1.0 ${status} Scripted\r\nCSeq: ${cseq}\r\n${lines.join('')}${length}\r\n${body}`;
}

/** PEM; given, the camera speaks RTSPS. */
export interface CameraTls {
  readonly key: string;
  readonly cert: string;
}

/** Where a track's packets go. */
interface Track {
  readonly payloadType: number;
  readonly channel: number;
  readonly clientPort: number | undefined;
  readonly group: string | undefined;
  readonly clockRate: number;
  sequenceNumber: number;
}

export class ScriptedCamera {
  readonly requests: CameraRequest[] = [];
  /** Interleaved frames and UDP packets that came from the client. */
  readonly received: Uint8Array[] = [];
  connections = 0;
  /** What SETUP adds to the channels that are asked for. */
  readonly tracks: Track[] = [];
  readonly #script: Script;
  readonly #scheme: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #udp: UdpSocket[] = [];
  #pictures = 0;
  /** The connection of the GET, by its cookie. */
  readonly #gets = new Map<string, Socket>();
  readonly #posts = new Set<Socket>();

  static async open(script: Script = {}, tls?: CameraTls): Promise<ScriptedCamera> {
    const camera = new ScriptedCamera(script, tls);
    camera.#server.listen(0, '127.0.0.1');
    await once(camera.#server, 'listening');
    for (let n = 0; n < 2; n += 1) {
      const socket = createSocket('udp4');
      socket.on('message', (bytes) => void camera.received.push(bytes));
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      socket.setMulticastInterface('127.0.0.1');
      camera.#udp.push(socket);
    }
    return camera;
  }

  private constructor(script: Script, tls: CameraTls | undefined) {
    this.#script = script;
    this.#scheme = tls === undefined ? 'rtsp' : 'rtsps';
    const accept = (socket: Socket) => this.#accept(socket);
    this.#server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
    this.#server.on('tlsClientError', () => {});
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}/cam`;
  }

  get methods(): string[] {
    return this.requests.map((request) => request.method);
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const socket of this.#udp) socket.close();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  /** The camera hangs up. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.end();
  }

  /** Ends the connections of the POSTs, as a proxy does. */
  endPosts(): void {
    for (const socket of this.#posts) socket.end();
    this.#posts.clear();
  }

  /** Anything, over the TCP connection. */
  sendRaw(bytes: string | Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  /** The next picture, 40 ms after the one before; the first and every `idr` one is an IDR picture. */
  sendPicture(options: { idr?: boolean } = {}): void {
    const isIdr = options.idr ?? this.#pictures === 0;
    const payload = nalUnit(isIdr ? 0x65 : 0x41, 60, this.#pictures & 0x3f);
    this.sendRtp(0, { timestamp: this.#pictures * 3600, marker: true, payload });
    this.#pictures += 1;
  }

  sendAudio(timestamp: number): void {
    this.sendRtp(1, { timestamp, marker: true, payload: hex`0010 0018 212223` });
  }

  /** One RTP packet of a track, over its transport; the sequence number counts by itself. */
  sendRtp(trackIndex: number, fields: RtpFields): void {
    const track = this.tracks[trackIndex];
    if (track === undefined) return;
    const { payloadType, sequenceNumber } = track;
    track.sequenceNumber += 1;
    const bytes = rtpBytes({ payloadType, sequenceNumber, ssrc: 7 + trackIndex, ...fields });
    this.#send(track, 0, bytes);
  }

  sendRtcp(trackIndex: number, bytes: Uint8Array): void {
    const track = this.tracks[trackIndex];
    if (track !== undefined) this.#send(track, 1, bytes);
  }

  #send(track: Track, offset: 0 | 1, bytes: Uint8Array): void {
    if (track.clientPort !== undefined) {
      const address = track.group ?? '127.0.0.1';
      this.#udp[offset]?.send(bytes, track.clientPort + offset, address);
      return;
    }
    this.sendRaw(interleaved(track.channel + offset, bytes));
  }

  #accept(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    this.tracks.length = 0;
    this.#pictures = 0;
    let pending: Uint8Array = new Uint8Array(0);
    let isPost = false;
    let out = socket;
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const text = isPost ? '' : chunk.toString('latin1');
      if (/^(GET|POST) /.test(text)) {
        const [head = '', body = ''] = text.split('\r\n\r\n');
        isPost = text.startsWith('POST');
        out = this.#tunnel(socket, head);
        pending = this.#read(out, concat(pending, fromBase64(body)));
        return;
      }
      const bytes = isPost ? fromBase64(chunk.toString('latin1')) : chunk;
      pending = this.#read(out, concat(pending, bytes));
    });
  }

  /** One half of RTSP through HTTP; returns where answers go. */
  #tunnel(socket: Socket, head: string): Socket {
    const [method = '', url = ''] = head.split(' ');
    const headers = parseHead(head.replace('HTTP/1.0', 'RTSP/1.0'));
    if (headers.kind !== 'request') return socket;
    const request = { method, url, headers: headers.headers };
    this.requests.push(request);
    const cookie = request.headers.get('x-sessioncookie') ?? '';
    const scripted = this.#script[method]?.(request, this);
    if (scripted !== undefined) {
      socket.write(scripted);
    } else if (method === 'GET') {
      socket.write('HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n');
      this.#gets.set(cookie, socket);
    }
    if (method !== 'POST') return socket;
    this.#posts.add(socket);
    return this.#gets.get(cookie) ?? socket;
  }

  /** Requests and interleaved frames; what is left is the beginning of the next one. */
  #read(socket: Socket, bytes: Uint8Array): Uint8Array {
    let rest = bytes;
    for (;;) {
      if (rest[0] === 0x24) {
        const end = 4 + ((rest[2] ?? 0) << 8) + (rest[3] ?? 0);
        if (rest.length < 4 || rest.length < end) return rest;
        this.received.push(rest.slice(0, end));
        rest = rest.subarray(end);
        continue;
      }
      const text = Buffer.from(rest).toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return rest;
      rest = rest.subarray(end + 4);
      const head = parseHead(text.slice(0, end));
      if (head.kind === 'request') this.#request(socket, head);
    }
  }

  #request(socket: Socket, request: CameraRequest): void {
    this.requests.push(request);
    const scripted = this.#script[request.method]?.(request, this);
    const text = scripted ?? this.usualAnswer(request);
    if (text.length > 0) socket.write(text);
    const isPlaying = request.method === 'PLAY' && scripted === undefined;
    if (!isPlaying) return;
    this.sendPicture();
    this.sendAudio(0);
  }

  /** What the camera answers when the script says nothing. */
  usualAnswer(request: CameraRequest): string {
    switch (request.method) {
      case 'OPTIONS':
        return answer(request, 200, {
          Public: 'OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER',
        });
      case 'DESCRIBE':
        return answer(
          request,
          200,
          { 'Content-Base': `${request.url}/`, 'Content-Type': 'application/sdp' },
          CAMERA_SDP,
        );
      case 'SETUP':
        return this.setUp(request);
      case 'PLAY':
        return answer(request, 200, { Session: 'abc', 'RTP-Info': this.#rtpInfo(request.url) });
      default:
        return answer(request, 200, { Session: 'abc' });
    }
  }

  /** SETUP by multicast, whatever was asked for; `parameters` in place of the usual ones. */
  setUpMulticast(request: CameraRequest, group: string, port: number, parameters?: string): string {
    const isAudio = this.tracks.length > 0;
    this.tracks.push({
      payloadType: isAudio ? 97 : 96,
      clockRate: isAudio ? 48_000 : 90_000,
      channel: 0,
      clientPort: port,
      group,
      sequenceNumber: 65_530,
    });
    const stated = parameters ?? `;destination=${group};port=${port}-${port + 1};ttl=1`;
    return answer(request, 200, {
      Session: 'abc;timeout=60',
      Transport: `RTP/AVP;multicast${stated}`,
    });
  }

  /** SETUP; interleaved on this channel, whatever was asked for, when `channel` is given. */
  setUp(request: CameraRequest, channel?: number): string {
    const asked = request.headers.get('transport') ?? '';
    const isAudio = this.tracks.length > 0;
    const interleavedChannel = /interleaved=(\d+)/.exec(asked)?.[1];
    const clientPort = channel === undefined ? /client_port=(\d+)/.exec(asked)?.[1] : undefined;
    const track: Track = {
      payloadType: isAudio ? 97 : 96,
      clockRate: isAudio ? 48_000 : 90_000,
      channel: channel ?? Number(interleavedChannel ?? 0),
      clientPort: clientPort === undefined ? undefined : Number(clientPort),
      group: undefined,
      sequenceNumber: 65_530,
    };
    this.tracks.push(track);
    const [rtp, rtcp] = this.#udp.map((socket) => socket.address().port);
    const transport =
      clientPort === undefined
        ? `RTP/AVP/TCP;unicast;interleaved=${track.channel}-${track.channel + 1}`
        : `${asked};server_port=${rtp}-${rtcp}`;
    return answer(request, 200, { Session: 'abc;timeout=60', Transport: transport });
  }

  #rtpInfo(url: string): string {
    const base = url.endsWith('/') ? url : `${url}/`;
    return this.tracks
      .map((_, index) => `url=${base}trackID=${index};seq=65530;rtptime=0`)
      .join(',');
  }
}

/** Several texts one after the other, each with its padding. */
function fromBase64(text: string): Uint8Array {
  const pieces = text.match(/[^=]+=*/g) ?? [];
  return concat(...pieces.map((piece) => Buffer.from(piece, 'base64')));
}

/** RFC 2326 §10.12. */
export function interleaved(channel: number, bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  return concat(Uint8Array.of(0x24, channel, length >> 8, length & 0xff), bytes);
}
