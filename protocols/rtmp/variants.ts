/** The schemes of RTMP's URLs: what is between RTMP and TCP. */
export interface RtmpVariant {
  /** Where the URL names none. */
  readonly port: number;
  readonly isTls: boolean;
  /** Through HTTP. */
  readonly isTunnelled: boolean;
  /** RTMPE. */
  readonly isEncrypted: boolean;
}

export type RtmpScheme = 'rtmp' | 'rtmps' | 'rtmpe' | 'rtmpt' | 'rtmpts' | 'rtmpte';

const PLAIN: RtmpVariant = { port: 1935, isTls: false, isTunnelled: false, isEncrypted: false };

const VARIANTS: Readonly<Record<RtmpScheme, RtmpVariant>> = {
  rtmp: PLAIN,
  rtmps: { ...PLAIN, port: 443, isTls: true },
  rtmpe: { ...PLAIN, isEncrypted: true },
  rtmpt: { ...PLAIN, port: 80, isTunnelled: true },
  rtmpts: { ...PLAIN, port: 443, isTls: true, isTunnelled: true },
  rtmpte: { ...PLAIN, port: 80, isTunnelled: true, isEncrypted: true },
};

export const RTMP_PORTS: ReadonlyMap<string, number> = new Map(
  Object.entries(VARIANTS).map(([scheme, { port }]) => [scheme, port]),
);

export function rtmpVariant(scheme: RtmpScheme): RtmpVariant {
  return VARIANTS[scheme];
}

export function isRtmpScheme(scheme: string): scheme is RtmpScheme {
  return RTMP_PORTS.has(scheme);
}
