/** Serial lines: what one key alone cannot tell. */
import { failAt, type KeyPath } from './config-error.ts';
import type { SerialConfig } from './schema.ts';

/** Addresses that a bus has. Pelco-P counts from 0 on the wire, but is set from 1 on the head. */
const ADDRESSES: Record<Exclude<SerialConfig['protocol'], 'nmea'>, readonly [number, number]> = {
  'pelco-d': [1, 255],
  'pelco-p': [1, 32],
  visca: [1, 7],
};

export function checkSerial(lines: readonly SerialConfig[], file: string): void {
  for (const [index, line] of lines.entries()) {
    const path = ['serial', index];
    for (const key of ['name', 'path'] as const) {
      const first = lines.findIndex((other) => other[key] === line[key]);
      if (first < index)
        failAt(file, [...path, key], `${line[key]} is that of serial.${first}, too`);
    }
    checkAddresses(line, path, file);
    const receiver = lines.findIndex(({ protocol }) => protocol === 'nmea');
    if (line.protocol === 'nmea' && receiver < index)
      failAt(file, [...path, 'protocol'], `serial.${receiver} is a GNSS receiver already`);
  }
}

function checkAddresses(line: SerialConfig, path: KeyPath, file: string): void {
  const heads = Object.entries(line.addresses);
  if (line.protocol === 'nmea') {
    if (heads.length > 0)
      failAt(file, [...path, 'addresses'], 'a GNSS receiver has none; leave it out');
    return;
  }
  const [min, max] = ADDRESSES[line.protocol];
  if (heads.length === 0) {
    failAt(file, [...path, 'addresses'], 'expected the heads on the line, such as { yard: 1 }');
  }
  for (const [name, address] of heads) {
    const at = [...path, 'addresses', name];
    if (address < min || address > max) {
      failAt(file, at, `expected ${min} to ${max} with ${line.protocol}, got ${address}`);
    }
    const other = heads.find(([, each]) => each === address)?.[0];
    if (other !== name) failAt(file, at, `${address} is that of ${other}, too`);
  }
}

/** `value`: what a stream says moves it. */
export function checkHead(
  value: string,
  lines: readonly SerialConfig[],
  path: KeyPath,
  file: string,
): void {
  if (value.startsWith('visca:')) return;
  const known = lines.flatMap(({ name, addresses }) =>
    Object.keys(addresses).map((head) => `${name}/${head}`),
  );
  if (known.includes(value)) return;
  failAt(
    file,
    path,
    `expected one of ${known.join(', ') || 'the heads of serial, which has none'}, got ${value}`,
  );
}
