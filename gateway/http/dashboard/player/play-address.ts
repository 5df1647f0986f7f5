/** Where a stream plays: beside the page, or where the fleet's `config.json` says. */
const GATEWAY = /\{gateway\}/g;
const STREAM = /\{stream\}/g;

/** undefined: nowhere that the page knows of. Relative addresses are of the page. */
export function playAddress(
  { isLocal, playUrl }: { readonly isLocal: boolean; readonly playUrl?: string | undefined },
  gateway: string,
  stream: string,
): string | undefined {
  if (isLocal) return `./live/${stream}.flv`;
  return playUrl?.replace(GATEWAY, gateway).replace(STREAM, stream);
}

/** The same stream as HLS, for browsers without Media Source Extensions. */
export function hlsAddress(flv: string): string | undefined {
  const hls = flv.replace(/\.flv(?=$|\?)/, '/index.m3u8');
  return hls === flv ? undefined : hls;
}
