/**
 * MPEG-TS over TCP: a client connects and sends. The protocol knows neither names nor logins: the stream is called
 * as the acceptor says, or by the client's address and port; `publish.addresses` says who may.
 */
import { TsDemuxer } from '../../protocols/mpegts/demuxer.ts';
import type { AcceptorConfig } from '../config/schema.ts';
import type { Acceptor } from './acceptor.ts';
import { PushAcceptor, type PushContext } from './push-acceptor.ts';
import type { PushClient, PushFeed } from './push-connection.ts';

export function makeMpegtsTcpAcceptor(config: AcceptorConfig, context: PushContext): Acceptor {
  return new PushAcceptor(config, context, {
    name: 'MPEG-TS',
    makeFeed: (client) => new MpegtsFeed(client, config.localStreamName, context.now),
  });
}

class MpegtsFeed implements PushFeed {
  readonly #demuxer: TsDemuxer;

  constructor(client: PushClient, localStreamName: string | undefined, now: () => number) {
    const sink = client.sink(() => localStreamName ?? `ts-${client.placeName}`);
    this.#demuxer = new TsDemuxer({ sink, program: undefined, now });
    client.admit();
  }

  push(chunk: Uint8Array): void {
    this.#demuxer.push(chunk, 0, chunk.length);
  }

  flush(): void {
    this.#demuxer.flush();
  }
}
