/** The part of `multicast-dns` 7 (untyped) that mdns-js.ts uses; records as `dns-packet` 5 decodes them. */
declare module 'multicast-dns' {
  import type { Socket } from 'node:dgram';
  import type { EventEmitter } from 'node:events';

  interface Options {
    socket?: Socket;
    port?: number;
    interface?: string;
    bind?: string;
    reuseAddr?: boolean;
    loopback?: boolean;
  }

  interface Packet {
    answers: readonly object[];
    additionals: readonly object[];
  }

  interface MulticastDns
    extends EventEmitter<{
      response: [packet: Packet, from: { readonly address: string }];
      error: [error: Error];
      warning: [error: Error];
      ready: [];
    }> {
    query(
      questions: readonly { name: string; type: string }[],
      target: { address: string; port: number },
    ): void;
    destroy(): void;
  }

  function create(options: Options): MulticastDns;
  export = create;
}
