/**
 * LiveFLV, as crtmpserver called it: a client connects and sends a FLV file that does not end.
 *
 * The stream's name is `streamName` of onMetaData; else the acceptor's localStreamName; else address and port. A
 * login is in onMetaData as well: `token`, or `username` and `password`; then it must come before any media.
 */

import { ProtocolError } from '../../codecs/errors.ts';
import type { Amf0Object } from '../../codecs/flv/amf0.ts';
import { FlvDemuxer } from '../../codecs/flv/flv-demuxer.ts';
import { FlvReader } from '../../codecs/flv/flv-reader.ts';
import { metadataOf } from '../../codecs/flv/script-data.ts';
import { FlvTagType } from '../../codecs/flv/tag.ts';
import type { AcceptorConfig } from '../config/schema.ts';
import type { Acceptor } from './acceptor.ts';
import type { Access } from './access.ts';
import { PushAcceptor, type PushContext } from './push-acceptor.ts';
import type { PushClient, PushFeed } from './push-connection.ts';

export function makeLiveFlvAcceptor(config: AcceptorConfig, context: PushContext): Acceptor {
  return new PushAcceptor(config, context, {
    name: 'LiveFLV',
    makeFeed: (client, access) =>
      new LiveFlvFeed(client, access, config.localStreamName, context.now),
  });
}

export class LiveFlvFeed implements PushFeed {
  readonly #client: PushClient;
  readonly #access: Access;
  readonly #reader: FlvReader;
  readonly #demuxer: FlvDemuxer;
  #isAdmitted = false;
  #streamName: string | undefined;

  /** `now`: milliseconds on a clock that never goes back. */
  constructor(
    client: PushClient,
    access: Access,
    localStreamName: string | undefined,
    now: () => number,
  ) {
    this.#client = client;
    this.#access = access;
    // The demuxer waits for picture and sound, so that onMetaData may come after the first of them.
    const sink = client.sink(() => this.#streamName ?? localStreamName ?? client.placeName);
    this.#demuxer = new FlvDemuxer(sink, now);
    this.#reader = new FlvReader((type, timestampMs, body) => this.#tag(type, timestampMs, body));
    if (access.isOpen) this.#admit();
  }

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** A tag is whole or it is not: nothing is held back. */
  flush(): void {}

  #tag(type: number, timestampMs: number, body: Uint8Array): boolean {
    if (type === FlvTagType.scriptData) this.#readMetadata(body);
    else if (!this.#isAdmitted) {
      throw new ProtocolError('NO_LOGIN', 'it sends media before a login in onMetaData');
    }
    return this.#demuxer.push(type, timestampMs, body);
  }

  #readMetadata(body: Uint8Array): void {
    const metadata = metadataOf(body);
    if (metadata === undefined) return;
    if (!this.#isAdmitted) this.#login(metadata);
    this.#streamName ??= textOf(metadata, 'streamName');
  }

  #login(metadata: Amf0Object): void {
    const access = this.#access;
    const { address } = this.#client;
    if (access.isBlocked(address)) {
      throw new ProtocolError('WRONG_LOGIN', 'too many wrong logins came from its address');
    }
    const username = textOf(metadata, 'username') ?? '';
    const password = textOf(metadata, 'password') ?? '';
    if (access.isToken(textOf(metadata, 'token') ?? '') || access.isPassword(username, password)) {
      this.#admit();
      return;
    }
    access.failed(address);
    throw new ProtocolError('WRONG_LOGIN', 'its login in onMetaData is wrong or missing');
  }

  #admit(): void {
    this.#isAdmitted = true;
    this.#client.admit();
  }
}

function textOf(metadata: Amf0Object, key: string): string | undefined {
  const value = metadata[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
