/** Numbers with their units; what is not known is a dash. */
const KBPS_PER_MBPS = 1_000;
const MB_PER_GB = 1_024;
const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function decimals(value: number | null | undefined, digits: number, unit: string): string {
  return value === null || value === undefined ? '–' : `${value.toFixed(digits)} ${unit}`;
}

export function rate(kbps: number | null | undefined): string {
  if (kbps === null || kbps === undefined) return '–';
  return kbps < KBPS_PER_MBPS
    ? `${Math.round(kbps)} kbit/s`
    : `${(kbps / KBPS_PER_MBPS).toFixed(1)} Mbit/s`;
}

export function size(mb: number | null | undefined): string {
  if (mb === null || mb === undefined) return '–';
  return mb < MB_PER_GB ? `${Math.round(mb)} MB` : `${(mb / MB_PER_GB).toFixed(1)} GB`;
}

export function bytesWords(bytes: number): string {
  const step = bytes < 1 ? 0 : Math.min(BYTES.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 2 ** (10 * step);
  return `${Number(value.toFixed(step === 0 ? 0 : 1))} ${BYTES[step]}`;
}
