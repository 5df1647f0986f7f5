/** A subscriber that keeps what it hears: retained state per topic, and everything in order. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  connectAsync,
  type IClientOptions,
  type IClientPublishOptions,
  type MqttClient,
} from 'mqtt';

export interface Heard {
  readonly topic: string;
  readonly text: string;
  readonly retain: boolean;
  readonly correlationData: Buffer | undefined;
}

const WAIT_MS = 10_000;

export class MqttWatcher {
  readonly heard: Heard[] = [];
  /** The latest payload of each topic; absent once it was cleared. */
  readonly state = new Map<string, string>();
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    this.#client = client;
    client.on('error', () => {});
    client.on('message', (topic, payload, packet) => {
      const text = payload.toString();
      const correlationData = packet.properties?.correlationData;
      this.heard.push({ topic, text, retain: packet.retain, correlationData });
      if (text === '') this.state.delete(topic);
      else this.state.set(topic, text);
    });
  }

  static async open(
    url: string,
    protocolVersion: 4 | 5 = 5,
    login: Pick<IClientOptions, 'username' | 'password' | 'ca'> = {},
  ): Promise<MqttWatcher> {
    const client = await connectAsync(url, { protocolVersion, reconnectPeriod: 100, ...login });
    const watcher = new MqttWatcher(client);
    await client.subscribeAsync('#', { qos: 1 });
    return watcher;
  }

  async publish(
    topic: string,
    payload: string,
    options: IClientPublishOptions = {},
  ): Promise<void> {
    await this.#client.publishAsync(topic, payload, { qos: 1, ...options });
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }

  /** The first value that `find` gives, looking again at every turn; fails loudly after 10 s. */
  async until<T>(what: string, find: () => T | undefined): Promise<T> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (Date.now() > deadline) {
        const seen = [...this.state]
          .slice(0, 20)
          .map(([topic, text]) => `${topic} ${text.slice(0, 200)}`)
          .join('\n');
        throw new Error(`not seen within ${WAIT_MS} ms: ${what}; state:\n${seen}`);
      }
      await sleep(10);
    }
  }

  async untilState(topic: string, text?: string): Promise<string> {
    return await this.until(`${topic} = ${text ?? 'anything'}`, () => {
      const value = this.state.get(topic);
      return text === undefined || value === text ? value : undefined;
    });
  }
}
