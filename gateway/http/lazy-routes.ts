/** Routes whose code is loaded when the first of them is asked for. */
import { problem, sendAnswer } from './answer.ts';
import { type Access, matchRoute, type Route } from './route.ts';

const NOT_FOUND = problem(404, 'not-found', 'no such path');

/** `path`: of all of them; `access`: what each of them has. */
export function lazyRoute(
  path: RegExp,
  access: Access,
  load: () => Promise<readonly Route[]>,
): Route {
  return {
    path,
    access,
    handle: async (call) => {
      const match = matchRoute(await load(), call.request.url ?? '/');
      // It may have hung up meanwhile, and its end is not told again.
      if (call.response.destroyed) return;
      if (match === undefined) sendAnswer(call.response, NOT_FOUND);
      else await match.route.handle({ ...call, captured: match.captured });
    },
    upgrade: async (call) => {
      const match = matchRoute(await load(), call.request.url ?? '/');
      if (match?.route.upgrade === undefined) call.refuse(NOT_FOUND);
      else await match.route.upgrade({ ...call, captured: match.captured });
    },
  };
}
