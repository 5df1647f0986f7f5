/** What an extension says of its acceptor, checked as an acceptor of the configuration is. */
import type { PushConfig } from '../acceptors/push-connection.ts';
import type { Acceptor } from '../extensions/extension-api.ts';
import { parseConfig } from './load.ts';

/** Throws a `ConfigError`. */
export function parsePushConfig(acceptor: Acceptor): PushConfig {
  const { listen, duplicatePublisher, addresses, limits } = acceptor;
  const given = {
    // The one whose keys these are.
    protocol: 'mpegts-tcp',
    listen,
    duplicatePublisher,
    limits,
    ...(addresses === undefined ? {} : { publish: { addresses } }),
  };
  // JSON is YAML; it leaves out what is undefined.
  const aside = { http: { listen: '127.0.0.1:0' }, mqtt: { embedded: { listen: '127.0.0.1:0' } } };
  const source = JSON.stringify({ ...aside, acceptors: [given] });
  const [config] = parseConfig(source, { file: 'listen()', folder: '.', env: {} }).acceptors;
  if (config === undefined) throw new TypeError('no acceptor');
  return config;
}
