/** What one discovery method tells about a device, before it is known which device that is. */

/** `host`: asked at its address, by HTTP; `scan`: found by asking every address of a network. */
export type DiscoveryMethod = 'ws-discovery' | 'mdns' | 'host' | 'scan';

export interface Sighting {
  readonly via: DiscoveryMethod;
  /** What a later goodbye will name: the endpoint reference, or the mDNS service instance. */
  readonly key: string;
  /** Most trusted first: where the packet came from, then what it says. */
  readonly addresses: readonly string[];
  /** To a question that was sent to its address alone. */
  readonly answered?: boolean;
  readonly endpointReference?: string | undefined;
  readonly serial?: string | undefined;
  /** Twelve lower-case hexadecimal digits. */
  readonly mac?: string | undefined;
  readonly hostname?: string | undefined;
  /** The interface that the name was heard on: names are unique on one link only. */
  readonly link?: string | undefined;
  readonly manufacturer?: string | undefined;
  readonly model?: string | undefined;
  readonly name?: string | undefined;
  readonly xaddrs?: readonly string[];
  readonly rtspUrls?: readonly string[];
  /** Of other streams that it sends, as the configuration names sources: `udp://@239.1.1.1:5000`. */
  readonly sourceUrls?: readonly string[];
}

/** Where discovery methods report to. */
export interface SightingSink {
  see(sighting: Sighting): void;
  /** The device said that it leaves, or its announcement expired. */
  lose(via: DiscoveryMethod, key: string): void;
}
