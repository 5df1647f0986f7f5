/**
 * `npm run schemas`: writes the JSON Schemas of everything that goes over MQTT (deploy/mqtt/) and the description of the API
 * (deploy/openapi.json). Payloads are described by the TypeScript types, arguments of commands by the zod schemas that check them:
 * nothing here is written twice. A test compares what lies there with what comes out of this.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createGenerator } from 'ts-json-schema-generator';
import { toJSONSchema } from 'zod/mini';
import { openApi } from './openapi.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DRAFT = 'https://json-schema.org/draft/2020-12/schema';
const TYPE_FILES =
  'gateway/{report/{status,box-status,command-data},http/{api-answers,session-state}}.ts';

/** Topic, type and what it is; `B` is `<baseTopic>/<gateway id>`. */
const PAYLOADS = [
  ['info', 'GatewayInfo', 'B/info', 'What the box is. Retained.'],
  ['health', 'Health', 'B/health', 'How the box does, every 10 s. Retained; expires after 30 s.'],
  ['stream-status', 'StreamStatus', 'B/stream/<name>/status', 'How a stream does. Retained.'],
  ['stream-info', 'StreamInfo', 'B/stream/<name>/info', 'What a stream is. Retained.'],
  [
    'stream-stats',
    'StreamStats',
    'B/stream/<name>/stats',
    'Counts of a stream, every 10 s, and when somebody new listens.',
  ],
  ['publish', 'PublishStatus', 'B/publish/<name>/<target>', 'How publishing does. Retained.'],
  ['found', 'FoundDevice', 'B/found/<id>', 'A device that was found. Retained.'],
  ['serial', 'SerialStatus', 'B/serial/<line>', 'How a serial line does. Retained.'],
  ['position', 'PositionStatus', 'B/position', 'Where the box is. Retained.'],
  ['event', 'GatewayEvent', 'B/event', 'What happened.'],
];

/** Topics whose payload is no JSON. */
const PLAIN_TOPICS = [
  ['B/state', 'The word online, stopped, or by last will offline. Retained.'],
  ['B/stream/<name>/motion', 'The word ON or OFF. Retained.'],
  [
    'B/stream/<name>/snapshot',
    'A JPEG, when one was asked for; with `mqtt.snapshotIntervalMs` every so often, and retained then.',
  ],
];

/** What verbs do, for people. */
const VERBS = {
  'stream/add': 'Adds a stream; the arguments are the keys of streams.<name> in the configuration.',
  'stream/remove': 'Removes a stream.',
  'stream/restart': 'Drops a stream’s connection and connects anew.',
  discover: 'Looks for cameras now; scan asks each address of a private network.',
  restart: 'Restarts the gateway, where it is started again when it ends (canRestart in B/info).',
  'log/level': 'How much is logged, until the next start.',
  adopt: 'Decides about a device that was found.',
  ptz: 'Moves a camera.',
  snapshot: 'Takes a camera’s own picture and publishes it on B/stream/<name>/snapshot.',
  'camera/reboot': 'Restarts a camera.',
  'camera/clock': 'Tells a camera’s clock; sets it, or its time server.',
  'camera/encoder': 'Tells a camera’s encoder settings; changes them.',
  'config/get': 'The configuration as it is in the file; secrets are masked.',
  'config/set': 'Changes the configuration by a JSON Merge Patch (RFC 7396).',
};

/** Beside the arguments of each command. */
const ENVELOPE = {
  id: {
    anyOf: [{ type: 'string', maxLength: 128 }, { type: 'number' }],
    description: 'Given back in the reply',
  },
  ts: {
    anyOf: [{ type: 'string', maxLength: 64, format: 'date-time' }, { type: 'number' }],
    description: 'When it was sent: ISO time, or milliseconds since 1970',
  },
  ttlMs: {
    type: 'integer',
    minimum: 1,
    maximum: 86_400_000,
    default: 10_000,
    description: 'Older than this, by ts, it is ignored',
  },
};

const ERROR = {
  type: 'object',
  properties: {
    code: { type: 'string', description: 'Stable' },
    message: { type: 'string', description: 'For people: what happened and what to do' },
  },
  required: ['code', 'message'],
};

/** Path below deploy/ → text. `commands`: the verbs with their zod schemas, from the compiled sources. */
export function makeSchemas(commands) {
  const describe = typeDescriber();
  const verbs = Object.entries(commands).map(([verb, schema]) => ({
    verb,
    title: titleOf(verb),
    summary: VERBS[verb] ?? verb,
    input: requestSchema(schema),
    data: commandData(describe, verb),
  }));
  const files = new Map();
  const put = (name, schema) => files.set(`mqtt/${name}.schema.json`, toText(withId(name, schema)));
  for (const [name, type, topic, words] of PAYLOADS) {
    const { description = '', ...schema } = describe(type);
    put(name, {
      title: type,
      description: [`${topic}. ${words}`, description].join('\n').trim(),
      ...schema,
    });
  }
  for (const { verb, title, summary, input, data } of verbs) {
    const file = verb.replaceAll('/', '-');
    put(`cmd-${file}`, {
      title: `${title}Command`,
      description: `B/cmd/${verb}. ${summary}`,
      ...input,
    });
    put(`res-${file}`, {
      title: `${title}Reply`,
      description: `B/res/${verb}, or the request’s response topic. The answer to B/cmd/${verb}.`,
      ...replySchema(data),
    });
  }
  put('reply', {
    title: 'CommandReply',
    description: 'B/res/<verb>. The answer to any command.',
    ...replySchema({}),
  });
  files.set('mqtt/TOPICS.md', topicTable(verbs));
  files.set('openapi.json', toText(openApi({ verbs, describe, replySchema })));
  return files;
}

/** The type as a schema of draft 2020-12, what it refers to in its `$defs`. */
function typeDescriber() {
  const generator = createGenerator({
    path: join(ROOT, TYPE_FILES),
    tsconfig: join(ROOT, 'tsconfig.json'),
    type: '*',
    skipTypeCheck: true,
    additionalProperties: true,
    topRef: false,
  });
  return (type) => {
    const { $schema, definitions = {}, ...schema } = generator.createSchema(type);
    const defs = Object.entries(definitions).filter(([name]) => name !== type);
    return relocated({
      ...schema,
      ...(defs.length === 0 ? {} : { $defs: Object.fromEntries(defs) }),
    });
  };
}

function relocated(schema) {
  return JSON.parse(JSON.stringify(schema).replaceAll('#/definitions/', '#/$defs/'));
}

function commandData(describe, verb) {
  const { properties, $defs } = describe('CommandData');
  const schema = properties[verb];
  if (schema === undefined)
    throw new Error(`gateway/report/command-data.ts says nothing of ${verb}`);
  return { ...schema, ...usedDefs(schema, $defs) };
}

function usedDefs(schema, defs = {}) {
  const used = new Map();
  const visit = (text) => {
    for (const [, name] of text.matchAll(/"#\/\$defs\/([^"]+)"/g)) {
      if (used.has(name)) continue;
      used.set(name, defs[name]);
      visit(JSON.stringify(defs[name]));
    }
  };
  visit(JSON.stringify(schema));
  return used.size === 0 ? {} : { $defs: Object.fromEntries([...used].sort()) };
}

function requestSchema(schema) {
  const { $schema, properties = {}, ...rest } = toJSONSchema(schema, { io: 'input' });
  return { ...rest, type: 'object', properties: { ...properties, ...ENVELOPE } };
}

function replySchema({ $defs, ...data }) {
  const id = {
    anyOf: [{ type: 'string' }, { type: 'number' }],
    description: 'That of the request',
  };
  const one = (ok, more) => ({
    type: 'object',
    properties: { id, ok: { const: ok }, ...more },
    required: ['ok', ...Object.keys(more)],
  });
  const oneOf = [one(true, { data }), one(false, { error: ERROR })];
  return { type: 'object', oneOf, ...($defs === undefined ? {} : { $defs }) };
}

function withId(name, schema) {
  return { $schema: DRAFT, $id: `urn:sluice:mqtt:${name}`, ...schema };
}

/** `camera/clock` → `CameraClock`. */
function titleOf(verb) {
  return verb.replaceAll(/(?:^|\/)([a-z])/g, (_, letter) => letter.toUpperCase());
}

function topicTable(verbs) {
  const row = (topic, file, words) =>
    `| \`${topic}\` | ${file === undefined ? 'plain' : `[${file}](${file}.schema.json)`} | ${words} |`;
  return `# Topics

Made by \`npm run schemas\`; do not edit. \`B\` is \`<baseTopic>/<gateway id>\`. Payloads are JSON where a schema is named; unknown fields are to
be ignored.

| topic | schema | what |
| --- | --- | --- |
${PLAIN_TOPICS.map(([topic, words]) => row(topic, undefined, words)).join('\n')}
${PAYLOADS.map(([file, , topic, words]) => row(topic, file, words)).join('\n')}

## Commands

A request is a JSON object on \`B/cmd/<verb>\`; the reply goes to the request’s response topic (MQTT 5), else to \`B/res/<verb>\`. The same over
HTTP: \`POST /api/v1/cmd/<verb>\`.

| verb | request | reply | what |
| --- | --- | --- | --- |
${verbs
  .map(({ verb, summary }) => {
    const file = verb.replaceAll('/', '-');
    return `| \`${verb}\` | [cmd-${file}](cmd-${file}.schema.json) | [res-${file}](res-${file}.schema.json) | ${summary} |`;
  })
  .join('\n')}
`;
}

function toText(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** After the sources were compiled. */
export async function writeSchemas() {
  const compiled = pathToFileURL(join(ROOT, 'build/gateway/report/commands.js')).href;
  const { COMMANDS } = await import(compiled);
  const files = makeSchemas(COMMANDS);
  const folder = join(ROOT, 'deploy/mqtt');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.schema.json')) rmSync(join(folder, name));
  }
  for (const [path, text] of files) {
    const file = join(ROOT, 'deploy', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  console.log(`deploy/: ${files.size} files`);
}
