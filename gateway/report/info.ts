/** What does not change by the minute: `B/info`. */
import { readFileSync } from 'node:fs';
import { arch, hostname } from 'node:os';
import { knownNetworkInterfaces } from '../../drivers/network-interfaces.ts';
import type { Board } from './board.ts';
import type { GatewayInfo } from './box-status.ts';

/** Raised when a payload changes in a way that is more than a new field. */
export const SCHEMA_VERSION = 1;

export interface InfoSource {
  readonly id: string;
  readonly session: number;
  readonly startedAt: string;
  readonly version: string;
  readonly configHash: string;
  readonly canRestart: boolean;
  readonly urls: GatewayInfo['urls'];
}

export function describeGateway(source: InfoSource, board: Board): GatewayInfo {
  return {
    schema: SCHEMA_VERSION,
    ...source,
    host: hostname(),
    board: boardModel(),
    arch: arch(),
    node: process.versions.node,
    addresses: ownAddresses().sort(),
    streams: [...board.streams.keys()].sort(),
  };
}

/** Addresses others can reach, in the order of the interfaces: neither loopback nor link-local IPv6. */
export function ownAddresses(): string[] {
  return Object.values(knownNetworkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address);
}

let knownModel: string | null | undefined;

function boardModel(): string | null {
  knownModel ??= readModel();
  return knownModel;
}

function readModel(): string | null {
  for (const path of ['/proc/device-tree/model', '/sys/class/dmi/id/product_name']) {
    try {
      const model = readFileSync(path, 'utf8').replaceAll('\0', '').trim();
      if (model !== '') return model;
    } catch {
      // Not on this machine.
    }
  }
  return null;
}
