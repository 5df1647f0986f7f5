/** Which file serves which kind of acceptor: one explicit table; and all of those configured, together. */
import { isLoopback, parseHostPort } from '../config/fields.ts';
import type { AcceptorConfig, AcceptorProtocol } from '../config/schema.ts';
import type { Acceptor, AcceptorContext, MakeAcceptor } from './acceptor.ts';
import { makeLiveFlvAcceptor } from './live-flv-acceptor.ts';
import { makeMpegtsTcpAcceptor } from './mpegts-tcp-acceptor.ts';
import { makeMpegtsUdpAcceptor } from './mpegts-udp-acceptor.ts';
import { RtmpAcceptor } from './rtmp-acceptor.ts';
import { RtspAcceptor } from './rtsp-acceptor.ts';

const RTMP: MakeAcceptor = (config, context) => new RtmpAcceptor(config, context);

const KINDS: Readonly<Record<AcceptorProtocol, MakeAcceptor>> = {
  rtmp: RTMP,
  rtmps: RTMP,
  rtmpt: RTMP,
  liveflv: makeLiveFlvAcceptor,
  'mpegts-tcp': makeMpegtsTcpAcceptor,
  'mpegts-udp': makeMpegtsUdpAcceptor,
  rtsp: (config, context) => new RtspAcceptor(config, context),
};

export class Acceptors {
  readonly #acceptors: readonly Acceptor[];

  constructor(configs: readonly AcceptorConfig[], context: AcceptorContext) {
    this.#acceptors = configs.map((config) => {
      const log = context.log.child({ acceptor: `${config.protocol} ${config.listen}` });
      const open = openSides(config);
      if (open !== undefined) {
        log.warn(`everybody who reaches this port may ${open}; see acceptors.publish and play`);
      }
      if (config.localStreamName !== undefined) context.publications.expect(config.localStreamName);
      return KINDS[config.protocol](config, { ...context, log });
    });
  }

  async start(): Promise<void> {
    await Promise.all(this.#acceptors.map((acceptor) => acceptor.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#acceptors.map((acceptor) => acceptor.stop()));
  }
}

/** Those that play nothing. */
const INBOUND: readonly AcceptorProtocol[] = ['liveflv', 'mpegts-tcp', 'mpegts-udp'];

/** What strangers on the network may do; undefined: nothing, or there are none. */
function openSides({ protocol, listen, publish, play }: AcceptorConfig): string | undefined {
  if (isLoopback(parseHostPort(listen)?.host ?? '')) return undefined;
  const sides = [
    ...(publish === undefined ? ['publish'] : []),
    ...(play === undefined && !INBOUND.includes(protocol) ? ['play'] : []),
  ];
  return sides.length === 0 ? undefined : sides.join(' and ');
}
