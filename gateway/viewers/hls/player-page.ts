/** The page of a stream: a picture and its player, in one answer, that loads nothing from elsewhere. */
import { createHash } from 'node:crypto';
import type { Route } from '../../http/route.ts';
import { PLAYER_SCRIPT } from './player-script.ts';

const STYLE =
  'html,body{margin:0;height:100%;background:#000;color:#ddd;font:1rem system-ui,sans-serif}' +
  'body{display:flex;flex-direction:column}video{flex:1;min-height:0;width:100%}p{margin:0;padding:.5rem}p:empty{display:none}';

const PAGE = Buffer.from(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>Sluice</title>
<style>${STYLE}</style>
<video controls muted autoplay playsinline></video>
<p role="status"></p>
<script>${PLAYER_SCRIPT}</script>
</html>
`);

/** This script and this style and nothing else; media come from here, or from the script (blob:). */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `script-src '${hashOf(PLAYER_SCRIPT)}'`,
  `style-src '${hashOf(STYLE)}'`,
  "connect-src 'self'",
  "media-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export const playerPageRoute: Route = {
  path: /^\/live\/[^/.]+\/?$/,
  access: 'viewer',
  handle: ({ response }) => {
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-length': PAGE.length,
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      // The token may stand in the address.
      'referrer-policy': 'no-referrer',
    });
    response.end(PAGE);
  },
};

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
