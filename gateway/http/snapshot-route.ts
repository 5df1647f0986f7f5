/** `/live/<name>.jpg`: the camera's own snapshot. Nothing is decoded or encoded for it. */
import { ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import { explain } from '../causes.ts';
import { toName } from '../names.ts';
import { type Answer, problem, sendAnswer } from './answer.ts';
import type { Route } from './route.ts';

const NO_SNAPSHOT = problem(
  404,
  'no-snapshot',
  'this stream has no snapshot: its source is no ONVIF camera that gives one, and streams.<name>.snapshot is not set',
);

/** `take`: undefined where there is none. */
export function snapshotRoute(take: (name: string) => Promise<Uint8Array> | undefined): Route {
  return {
    path: /^\/live\/([^/]+)\.jpg$/,
    access: 'viewer',
    handle: async ({ response, captured }) => {
      const name = toName(captured[0] ?? '', '');
      try {
        const jpeg = await take(name);
        if (jpeg === undefined) {
          sendAnswer(response, NO_SNAPSHOT);
          return;
        }
        response.writeHead(200, {
          'content-type': 'image/jpeg',
          'content-length': jpeg.length,
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
        });
        response.end(jpeg);
      } catch (error) {
        sendAnswer(response, whyNot(error, name));
      }
    },
  };
}

function whyNot(error: unknown, name: string): Answer {
  const isAbsent = error instanceof ProtocolError && error.status === 404;
  if (error instanceof UnsupportedError || isAbsent) return NO_SNAPSHOT;
  const { code, reason } = explain(error, `The camera ${name}`, 'camera');
  return problem(502, code, reason);
}
