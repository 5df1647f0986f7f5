/**
 * mqtt.js as far as a page needs it: its client over the browser's WebSocket, bundled from its modules. What it has ready for browsers is
 * 42 kB more with gzip: logs, timers of workers, other systems' sockets (`deploy/build-dashboard.mjs` leaves them out).
 */
import type { IClientOptions, MqttClient } from 'mqtt';
import exported from 'mqtt/lib/client';
import { browserStreamBuilder } from 'mqtt/lib/connect/ws';

/** It is CommonJS: to modules its default is all that it exports. */
const { default: Client } = exported as unknown as { readonly default: typeof exported };

/** `address`: ws:// or wss:// */
export function connect(address: string, options: IClientOptions): MqttClient {
  const { protocol, hostname, port, pathname, search } = new URL(address);
  const place = {
    protocol: protocol === 'wss:' ? ('wss' as const) : ('ws' as const),
    hostname,
    path: `${pathname}${search}`,
    ...(port === '' ? {} : { port: Number(port) }),
  };
  return new Client((client) => browserStreamBuilder(client, client.options), {
    ...options,
    ...place,
  });
}
