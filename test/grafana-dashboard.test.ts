/** deploy/grafana: the dashboard has the shape that Grafana documents, and asks for metrics that there are. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { metricsText } from '../gateway/http/metrics.ts';
import { Board } from '../gateway/report/board.ts';
import type { GatewayInfo, Health } from '../gateway/report/box-status.ts';
import { type Dashboard, dashboardQueries, labelsAsked, metricsAsked } from './support/grafana.ts';
import { parseMetrics } from './support/parse-metrics.ts';
import { publishStatus, streamStatus } from './support/reporting.ts';

const dashboard = JSON.parse(await readFile('deploy/grafana/sluice.json', 'utf8')) as Dashboard;
const readme = await readFile('deploy/grafana/README.md', 'utf8');

/** As Grafana documents its dashboard JSON model (schema version 39 is of Grafana 10.4), and its panels. */
const datasource = {
  type: 'object',
  required: ['type', 'uid'],
  properties: { type: { const: 'prometheus' }, uid: { const: '$' + '{datasource}' } },
};
const gridPos = {
  type: 'object',
  required: ['x', 'y', 'w', 'h'],
  properties: {
    ...{ x: { type: 'integer', minimum: 0, maximum: 23 }, y: { type: 'integer', minimum: 0 } },
    ...{ w: { type: 'integer', minimum: 1, maximum: 24 }, h: { type: 'integer', minimum: 1 } },
  },
};
const schema = {
  type: 'object',
  required: [
    ...['uid', 'title', 'tags', 'timezone', 'editable', 'graphTooltip', 'time', 'templating'],
    ...['annotations', 'refresh', 'schemaVersion', 'version', 'panels'],
  ],
  properties: {
    uid: { type: 'string', pattern: '^[a-zA-Z0-9_-]{1,40}$' },
    title: { type: 'string', minLength: 1 },
    schemaVersion: { const: 39 },
    // Of the importing Grafana's own making.
    id: false,
    time: { required: ['from', 'to'] },
    templating: {
      required: ['list'],
      properties: {
        list: {
          type: 'array',
          items: {
            required: ['name', 'type'],
            properties: { type: { enum: ['query', 'datasource'] }, refresh: { enum: [0, 1, 2] } },
          },
        },
      },
    },
    panels: {
      type: 'array',
      minItems: 1,
      items: {
        required: ['id', 'type', 'title', 'gridPos'],
        properties: {
          id: { type: 'integer', minimum: 1 },
          type: { enum: ['row', 'stat', 'timeseries', 'table', 'state-timeline'] },
          gridPos,
        },
        if: { properties: { type: { const: 'row' } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
        then: { required: ['collapsed', 'panels'] },
        else: {
          required: ['datasource', 'targets', 'fieldConfig', 'options'],
          properties: {
            datasource,
            targets: {
              type: 'array',
              minItems: 1,
              items: {
                required: ['refId', 'expr', 'datasource'],
                properties: { datasource, refId: { pattern: '^[A-Z]$' } },
              },
            },
            fieldConfig: { required: ['defaults', 'overrides'] },
          },
        },
      },
    },
  },
};

/** Every metric that there can be. */
function exported() {
  const board = new Board();
  board.setStreamStatus('a', streamStatus({ lastFrameAt: '2026-11-25T10:00:00.000Z' }));
  board.setStreamStats('a', {
    ...{ videoKbps: 1, audioKbps: 1, fps: 1, gopMs: 1, lostPackets: 1, damagedUnits: 1 },
    ...{ jitterMs: 1, reconnects: 1, units: 1, bytes: 1, viewers: 1 },
  });
  board.setPublish('a', 'b', publishStatus(), 'status');
  const health: Health = {
    ...{ at: '', uptimeS: 1, cpuPercent: 1, rssMb: 1, anonMb: 1, load1: 1, throttled: '0' },
    ...{ memoryTotalMb: 1, memoryAvailableMb: 1, temperatureC: 1, diskTotalMb: 1, diskFreeMb: 1 },
    ...{ uplinkKbps: 1, clockSynchronised: true, streamsUp: 1, streamsTotal: 1 },
    ...{ publishesUp: 1, publishesTotal: 1 },
  };
  const info: GatewayInfo = {
    ...{ schema: 1, id: 'g', session: 1, startedAt: '', urls: {}, version: '', host: '' },
    ...{
      board: 'b',
      arch: '',
      node: '',
      addresses: [],
      streams: [],
      configHash: '',
      canRestart: false,
    },
  };
  const context = { board, info: () => info, health: async () => health };
  return parseMetrics(metricsText({ ...context, isMqttConnected: () => true }, health));
}

describe('the Grafana dashboard', () => {
  it('has the shape that Grafana takes', () => {
    const check = new Ajv({ allErrors: true, strict: false }).compile(schema);
    assert.ok(check(dashboard), JSON.stringify(check.errors, undefined, 1));
    const ids = dashboard.panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('lays its panels side by side, none over another', () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos: at } of dashboard.panels) {
      assert.ok(at.x + at.w <= 24, title);
      for (let x = at.x; x < at.x + at.w; x += 1) {
        for (let y = at.y; y < at.y + at.h; y += 1) {
          assert.equal(taken.get(`${x} ${y}`), undefined, `${title} over another`);
          taken.set(`${x} ${y}`, title);
        }
      }
    }
  });

  it('asks for metrics and labels that there are, and counters by their rate', () => {
    const families = exported();
    const queries = dashboardQueries(dashboard);
    assert.ok(queries.length > 25);
    for (const query of queries) {
      const metrics = metricsAsked(query);
      assert.ok(metrics.length > 0, query);
      for (const metric of metrics) {
        const family = families.get(metric);
        assert.ok(family !== undefined, `${metric} in ${query}`);
        if (family.type === 'counter') assert.match(query, /(?:rate|increase)\(/, query);
      }
      for (const [metric, label] of labelsAsked(query)) {
        const known = Object.keys(families.get(metric)?.samples[0]?.labels ?? {});
        // That one Prometheus adds.
        assert.ok([...known, 'instance'].includes(label), `${metric} has no ${label}`);
      }
    }
  });

  it('uses the variables that it defines', () => {
    const defined = dashboard.templating.list.map(({ name }) => name);
    assert.deepEqual(defined, ['datasource', 'instance', 'stream']);
    const used = JSON.stringify(dashboard.panels).matchAll(/\$\{?([a-z]\w*)/g);
    for (const [, name = ''] of used) assert.ok(defined.includes(name), name);
  });

  it('and its README names metrics that there are', () => {
    const families = exported();
    for (const [name] of readme.matchAll(/\bsluice_\w+/g)) assert.ok(families.has(name), name);
  });
});
