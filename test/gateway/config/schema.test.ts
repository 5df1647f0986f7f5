import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseConfig } from '../../../gateway/config/load.ts';
import { configJsonSchema } from '../../../gateway/config/schema.ts';

// The tests run from the repository's root, compiled or not.
const SCHEMA_FILE = 'deploy/config.schema.json';
const EXAMPLE_FILE = 'deploy/examples/sluice.yaml';

const env = {
  CAMERA_PASSWORD: 'a-pass',
  FRONT_DOOR_PASSWORD: 'b-pass',
  MQTT_PASSWORD: 'c-pass',
  CAR_PARK_PASSWORD: 'd-pass',
  PUBLISH_PASSWORD: 'e-pass',
  PLAY_TOKEN: 'f-token',
  METRICS_TOKEN: 'a-token-of-prometheus',
  PLAY_PASSWORD: 'i-password',
  PUBLISH_TOKEN: 'g-token',
  HTTP_PASSWORD: 'h-pass',
};

describe('the configuration schema', () => {
  it(`is what ${SCHEMA_FILE} holds (else: npm run config:schema > ${SCHEMA_FILE})`, () => {
    assert.deepEqual(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')), configJsonSchema());
  });

  it('documents every key, and gives every one a default unless it may be absent', () => {
    const undocumented: string[] = [];
    walk(configJsonSchema(), '', (node, path) => {
      if (typeof node['description'] !== 'string') undocumented.push(path);
    });
    // A pair of user name and password explains itself.
    assert.deepEqual(undocumented, ['.discovery.credentials[].username']);
  });

  it('takes the example, which shows every key', () => {
    const source = readFileSync(EXAMPLE_FILE, 'utf8');
    const config = parseConfig(source, { file: EXAMPLE_FILE, folder: '/', env });
    assert.equal(config.streams['front-door']?.password, 'b-pass');
    assert.equal(config.discovery.credentials[0]?.password, 'a-pass');
    const missing: string[] = [];
    walk(configJsonSchema(), '', (_node, path) => {
      const key = path.split('.').at(-1) ?? '';
      if (!new RegExp(`\\b${key}\\b`).test(source)) missing.push(path);
    });
    assert.deepEqual(missing, []);
  });
});

type Node = Readonly<Record<string, unknown>>;

/** Calls `visit` for every key of the schema, with its path. */
function walk(schema: unknown, path: string, visit: (node: Node, path: string) => void): void {
  if (!isNode(schema)) return;
  for (const [key, inner] of Object.entries(
    isNode(schema['properties']) ? schema['properties'] : {},
  )) {
    if (isNode(inner)) visit(inner, `${path}.${key}`);
    walk(inner, `${path}.${key}`, visit);
  }
  walk(schema['items'], `${path}[]`, visit);
  walk(schema['additionalProperties'], `${path}.*`, visit);
  if (Array.isArray(schema['anyOf'])) for (const one of schema['anyOf']) walk(one, path, visit);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
