/** Tells people what happens in the demo, step by step, as the gateways' boards say it. */
import type { TrackDescription } from '../../codecs/describe-track.ts';
import type { Board, PublishEntry, StreamEntry, StreamPart } from '../report/board.ts';
import type { FoundDevice } from '../report/status.ts';
import { LOOPBACK } from './choose-ports.ts';

export interface DemoPorts {
  readonly http: number;
  readonly mqtt: number;
  readonly masterHttp: number;
  readonly rtmp: number;
  readonly rtsp: number;
}

export class Narrator {
  readonly #ports: DemoPorts;
  readonly #write: (line: string) => void;
  readonly #startedAtMs = performance.now();
  readonly #said = new Map<string, string>();
  #isPublished = false;
  #hasInvited = false;

  constructor(ports: DemoPorts, write: (line: string) => void) {
    this.#ports = ports;
    this.#write = write;
  }

  cameraStarted(
    camera: { readonly address: string; readonly onvifUrl: string; readonly rtspUrl: string },
    username: string,
  ): void {
    this.#say(
      `A virtual camera is on at ${camera.address}, an address that only this machine has. It speaks ONVIF (${camera.onvifUrl}) and RTSP (${camera.rtspUrl}), and wants a login: ${username}, with a password made at random just now.`,
    );
  }

  gatewaysStart(): void {
    const { http, rtmp } = this.#ports;
    this.#say(
      `The gateway starts (http://${LOOPBACK}:${http}) and looks for cameras. It knows the login, not the camera. A second gateway is the master (rtmp://${LOOPBACK}:${rtmp}/live).`,
    );
  }

  follow(gateway: Board, master: Board): void {
    gateway.on('found', (device) => this.#found(device));
    gateway.on('stream', (entry, part) => this.#stream(entry, part));
    gateway.on('publish', (entry) => {
      this.#publish(entry);
      this.#invite(master);
    });
    master.on('stream', () => this.#invite(master));
  }

  #found({ id, addresses, via, adoptedAs, code, reason }: FoundDevice): void {
    const [address = id] = addresses;
    this.#once(`found ${id}`, `Found a device by ${via.join(' and ')} at ${address}: a camera.`);
    if (adoptedAs !== undefined) {
      const words = `Logged in to it, and adopted it: its stream is called ${adoptedAs} from now on.`;
      this.#once(`adopted ${id}`, words);
    } else if (code !== 'starting') {
      this.#whenNew(`reason ${id}`, reason);
    }
  }

  #stream({ name, status, info }: StreamEntry, part: StreamPart): void {
    if (part === 'status') {
      const isGood = status.state === 'online' || status.code === 'starting';
      if (!isGood) this.#whenNew(`stream ${name}`, `${name}: ${status.reason}`);
      else if (status.state === 'online') this.#said.delete(`stream ${name}`);
    }
    if (status.state !== 'online' || info === undefined || info.tracks.length === 0) return;
    const tracks = info.tracks.map(trackWords).join(', ');
    this.#once(`online ${name}`, `Its pictures arrive over RTSP: ${tracks}.`);
  }

  #publish({ stream, status }: PublishEntry): void {
    const key = `publish ${stream}`;
    if (status.state === 'publishing') {
      this.#isPublished = true;
      const words = `Published to the master ${status.target} as ${stream}; nothing is transcoded.`;
      this.#whenNew(key, words);
    } else if (status.state === 'refused' || status.state === 'waiting') {
      this.#whenNew(key, `${stream}: ${status.reason}`);
    }
  }

  /** As soon as there is something to be seen. */
  #invite(master: Board): void {
    const seen = [...master.streams.values()].find(({ status }) => status.state === 'online');
    if (seen === undefined || !this.#isPublished || this.#hasInvited) return;
    this.#hasInvited = true;
    this.#say('The master has the picture.');
    const { name } = seen;
    const { http, mqtt, masterHttp, rtmp, rtsp } = this.#ports;
    const broker = `-h ${LOOPBACK} -p ${mqtt}`;
    const move = (words: string) => `{"name":"${name}",${words}}`;
    this.#write(`
Open in a browser      http://${LOOPBACK}:${masterHttp}/live/${name}
See all of it          http://${LOOPBACK}:${http}/
With a player          ffplay rtsp://${LOOPBACK}:${rtsp}/${name}
                       vlc rtmp://${LOOPBACK}:${rtmp}/live/${name}
See the state          mosquitto_sub ${broker} -v -t 'sluice/#'
                       curl http://${LOOPBACK}:${http}/api/v1/streams
Turn the camera        mosquitto_pub ${broker} -t sluice/demo/cmd/ptz -m '${move('"action":"move","pan":0.5,"timeoutMs":3000')}'
and back               curl -H content-type:application/json -d '${move('"action":"home"')}' http://${LOOPBACK}:${http}/api/v1/cmd/ptz
End it                 Ctrl-C
`);
  }

  #once(key: string, words: string): void {
    if (!this.#said.has(key)) this.#whenNew(key, words);
  }

  #whenNew(key: string, words: string): void {
    if (this.#said.get(key) === words) return;
    this.#said.set(key, words);
    this.#say(words);
  }

  #say(words: string): void {
    const seconds = ((performance.now() - this.#startedAtMs) / 1000).toFixed(1).padStart(5);
    this.#write(`${seconds} s  ${words}`);
  }
}

function trackWords(track: TrackDescription): string {
  if (track.kind === 'audio') return track.codec;
  return `${track.codec} ${track.width}x${track.height}, ${track.fps} pictures a second`;
}
