/** `/metrics` of the running service, read strictly and by Debian's promtool; the dashboard's queries, as Prometheus parses them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayProcess } from '../support/gateway-process.ts';
import { type Dashboard, dashboardQueries, withValues } from '../support/grafana.ts';
import { parseMetrics } from '../support/parse-metrics.ts';
import { ScriptedCamera } from '../support/scripted-camera.ts';

const PATIENCE_MS = 30_000;

describe('metrics', () => {
  let camera: ScriptedCamera;
  let gateway: GatewayProcess;
  let pictures: NodeJS.Timeout;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-metrics-'));
    camera = await ScriptedCamera.open();
    pictures = setInterval(() => camera.sendPicture({ idr: true }), 100);
    gateway = await GatewayProcess.start(`mqtt: { url: "mqtt://127.0.0.1:1" }
streams: { door: { source: "${camera.url}" } }
proxypublish: { targets: [{ targetUri: "rtmp://127.0.0.1:1/live" }] }
`);
  });

  after(async () => {
    clearInterval(pictures);
    await gateway?.stop();
    await camera?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function scrape(): Promise<string> {
    const response = await fetch(`${gateway.url}/metrics`);
    assert.equal(response.status, 200);
    return await response.text();
  }

  it('are what happens here, and counters only grow', async () => {
    const first = parseMetrics(await scrape());
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const text = await scrape();
      const families = parseMetrics(text);
      const bytes = families.get('sluice_stream_received_bytes_total')?.samples[0]?.value ?? 0;
      if (bytes > 0) {
        assert.deepEqual(families.get('sluice_stream_up')?.samples, [
          { labels: { stream: 'door' }, value: 1 },
        ]);
        assert.equal(families.get('sluice_mqtt_connected')?.samples[0]?.value, 0);
        assert.equal(families.get('sluice_publish_up')?.samples[0]?.value, 0);
        for (const [name, { type, samples }] of families) {
          const before = first.get(name)?.samples[0]?.value;
          if (type !== 'counter' || before === undefined) continue;
          assert.ok((samples[0]?.value ?? 0) >= before, name);
        }
        // Prometheus' own reader and linter: it says what it does not like, and exits with an error.
        execFileSync('promtool', ['check', 'metrics'], {
          input: text,
          stdio: ['pipe', 'inherit', 'pipe'],
        });
        return;
      }
      assert.ok(Date.now() < deadline, text);
      await sleep(250);
    }
  });

  it('the queries of the dashboard and the alerts of its README are PromQL', async () => {
    const dashboard = JSON.parse(await readFile('deploy/grafana/sluice.json', 'utf8')) as Dashboard;
    const readme = await readFile('deploy/grafana/README.md', 'utf8');
    const alerts = Array.from(readme.matchAll(/\| `([^`]+)`/g), ([, expression = '']) =>
      expression.replaceAll('\\|', '|'),
    );
    assert.equal(alerts.length, 5);
    const rules = [...dashboardQueries(dashboard).map(withValues), ...alerts].map(
      (expr, index) => ({
        ...{ record: `rule_${index}`, expr },
      }),
    );
    const file = join(folder, 'rules.yml');
    // JSON is YAML.
    await writeFile(file, JSON.stringify({ groups: [{ name: 'sluice', rules }] }));
    const told = execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
    assert.match(told, new RegExp(`SUCCESS: ${rules.length} rules found`));
  });

  it('the scrape configuration of the README is one that Prometheus takes', async () => {
    const readme = await readFile('deploy/grafana/README.md', 'utf8');
    const file = join(folder, 'prometheus.yml');
    await writeFile(file, /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '');
    execFileSync('promtool', ['check', 'config', '--syntax-only', file], { encoding: 'utf8' });
  });
});
