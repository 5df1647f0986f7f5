/** Which addresses may be asked one after the other: a small IPv4 network, private or link-local (RFC 1918, RFC 3927). */
import { BlockList, isIPv4 } from 'node:net';
import { ParseError } from '../../codecs/errors.ts';

/** 4094 addresses take 82 s. Whoever has more has several networks, and knows where the cameras are. */
const MIN_PREFIX = 20;

/** Scanning other people's networks is nothing that a camera gateway should be good for. */
const ALLOWED = new BlockList();
ALLOWED.addSubnet('10.0.0.0', 8);
ALLOWED.addSubnet('172.16.0.0', 12);
ALLOWED.addSubnet('192.168.0.0', 16);
ALLOWED.addSubnet('169.254.0.0', 16);

export const SCAN_EXPECTED = 'an IPv4 network such as 10.0.0.0/24, or one address';

export interface ScanNetwork {
  /** In normal form: `10.0.0.0/24`. */
  readonly name: string;
  /** Without those of the network itself and its broadcasts. */
  readonly addresses: readonly string[];
}

/** Reads `10.0.0.0/24`, `10.0.0.7/24` (the same) or `10.0.0.7` (it alone). Messages say what is expected. */
export function parseScanNetwork(text: string): ScanNetwork {
  const [, address = '', digits = '32'] = /^([\d.]{7,15})(?:\/(\d{1,2}))?$/.exec(text.trim()) ?? [];
  const prefix = Number(digits);
  if (!isIPv4(address) || prefix > 32) {
    throw new ParseError(SCAN_EXPECTED);
  }
  if (prefix < MIN_PREFIX) throw new ParseError(`a network of /${MIN_PREFIX} or smaller`);
  const size = 2 ** (32 - prefix);
  const first = Math.floor(toNumber(address) / size) * size;
  if (!ALLOWED.check(toAddress(first))) {
    throw new ParseError(
      'a private network (in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16) or one of 169.254.0.0/16',
    );
  }
  // Networks of one and two addresses have no broadcast (RFC 3021).
  const isWhole = size <= 2;
  const count = isWhole ? size : size - 2;
  const begin = isWhole ? first : first + 1;
  return {
    name: `${toAddress(first)}/${prefix}`,
    addresses: Array.from({ length: count }, (_, i) => toAddress(begin + i)),
  };
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
