/** The API of a board, for tests: what is around it is plain. */

import { type ApiContext, apiRoutes } from '../../gateway/http/api.ts';
import type { ServiceStatus } from '../../gateway/http/api-answers.ts';
import type { Route } from '../../gateway/http/route.ts';
import type { Board } from '../../gateway/report/board.ts';
import { CommandDispatcher } from '../../gateway/report/commands.ts';
import { HealthSampler } from '../../gateway/report/health.ts';
import { describeGateway } from '../../gateway/report/info.ts';
import { commandHandlers } from './reporting.ts';

export function apiOf(board: Board, context: Partial<ApiContext> = {}): Route[] {
  const startedAt = '2026-05-01T12:00:00.000Z';
  const source = {
    id: 'box',
    session: 1,
    startedAt,
    version: '0',
    configHash: 'abc',
    canRestart: false,
    urls: {},
  };
  const sampler = new HealthSampler({ board, refresh() {}, dataDir: '/tmp', now: Date.now });
  return apiRoutes({
    board,
    status: (): ServiceStatus => 'running',
    commands: new CommandDispatcher(commandHandlers({}), Date.now),
    info: () => describeGateway(source, board),
    health: () => sampler.sample(),
    openApiFile: 'deploy/openapi.json',
    ...context,
  });
}
