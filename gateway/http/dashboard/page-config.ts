/** `config.json` beside the page: which of its two views it is, and where its broker is. */

export interface PageConfig {
  readonly view: 'local' | 'fleet';
  /** Absolute, or a path of the server that the page is from. */
  readonly mqttUrl: string;
  readonly baseTopic: string;
  /** Local view: the gateway that serves the page. */
  readonly gateway: string | undefined;
  /** Fleet view: where a stream plays, with {gateway} and {stream} in it. */
  readonly playUrl: string | undefined;
}

const GATEWAY = /^[a-z0-9-]{1,48}$/;
/** A topic level or several: no wildcard, no empty level, none of a broker's own. */
const BASE_TOPIC = /^[^+#$/\0][^+#/\0]*(\/[^+#/\0]+)*$/;

/** Throws with words for whoever wrote the file. */
export function parsePageConfig(value: unknown): PageConfig {
  if (typeof value !== 'object' || value === null) throw new Error('expected a JSON object');
  const { view, mqttUrl, baseTopic, gateway, playUrl } = value as Record<string, unknown>;
  if (view !== 'local' && view !== 'fleet') throw new Error('expected view as local or fleet');
  if (typeof mqttUrl !== 'string' || !/^(\/|wss?:\/\/)/.test(mqttUrl)) {
    throw new Error('expected mqttUrl as ws://…, wss://… or a path such as /mqtt');
  }
  if (typeof baseTopic !== 'string' || !BASE_TOPIC.test(baseTopic)) {
    throw new Error('expected baseTopic as a topic such as sluice');
  }
  if (view === 'local' && (typeof gateway !== 'string' || !GATEWAY.test(gateway))) {
    throw new Error('expected gateway as the id of this gateway');
  }
  if (playUrl !== undefined && (typeof playUrl !== 'string' || !/^https?:\/\//.test(playUrl))) {
    throw new Error('expected playUrl as https://… with {gateway} and {stream} in it');
  }
  return {
    view,
    mqttUrl,
    baseTopic,
    gateway: view === 'local' && typeof gateway === 'string' ? gateway : undefined,
    playUrl,
  };
}

/** `page`: the address of the page. A page that came encrypted may not ask for less. */
export function brokerAddress(mqttUrl: string, page: string): string {
  const url = new URL(mqttUrl, page);
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';
  return url.href;
}
