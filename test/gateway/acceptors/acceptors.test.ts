import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import type { AcceptorContext } from '../../../gateway/acceptors/acceptor.ts';
import { Acceptors } from '../../../gateway/acceptors/acceptors.ts';
import { Publications } from '../../../gateway/acceptors/publications.ts';
import { parseConfig } from '../../../gateway/config/load.ts';
import { Hub } from '../../../gateway/hub/hub.ts';
import { Board } from '../../../gateway/report/board.ts';
import { BacklogBudget } from '../../../gateway/viewers/backlog-budget.ts';
import { RtmpFanOuts } from '../../../gateway/viewers/rtmp-fan-outs.ts';
import { VodLibrary } from '../../../gateway/vod/vod-library.ts';
import { collectingLog } from '../../support/reporting.ts';

/** What the log warns of when the acceptors of this YAML are made; none of them listens. */
function warningsOf(yaml: string): string[] {
  const { acceptors } = parseConfig(yaml, { file: 's.yaml', folder: '/', env: {} });
  const { log, lines } = collectingLog();
  const now = () => performance.now();
  const hub = new Hub(0, now);
  const viewers = { now, budget: new BacklogBudget() };
  const context: AcceptorContext = {
    hub,
    publications: new Publications({
      hub,
      board: new Board(),
      log,
      now: Date.now,
      gatewayId: 'here',
      stallMs: 8_000,
      isReserved: () => false,
    }),
    rtmpFanOuts: new RtmpFanOuts(hub, viewers),
    vod: new VodLibrary([]),
    log,
    now,
    dataDir: '/nonexistent',
    gatewayId: 'here',
    viewers,
  };
  new Acceptors(acceptors, context);
  return lines.filter(({ level }) => level === 40).map(({ msg }) => String(msg));
}

describe('Acceptors warn of what everybody may', () => {
  const cases: readonly (readonly [what: string, acceptor: string, words: string | undefined])[] = [
    ['both, without logins', 'protocol: rtmp, listen: "0.0.0.0:1935"', 'publish and play;'],
    ['to play', 'protocol: rtsp, listen: "[::]:8554", publish: { token: abc }', 'may play;'],
    ['to publish', 'protocol: liveflv, listen: "10.0.0.1:6666"', 'may publish;'],
    ['nothing', 'protocol: liveflv, listen: "10.0.0.1:6666", publish: { token: abc }', undefined],
    ['both, on this machine only', 'protocol: rtmp, listen: "127.0.0.1:1935"', undefined],
  ];
  for (const [what, acceptor, words] of cases) {
    it(what, () => {
      const warnings = warningsOf(`acceptors: [{ ${acceptor} }]`);
      if (words === undefined) assert.deepEqual(warnings, []);
      else
        assert.ok(
          warnings.some((warning) => warning.includes(words)),
          warnings.join(),
        );
    });
  }
});
