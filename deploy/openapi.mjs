/** The API as OpenAPI 3.1, put together from the schemas of the payloads and of the verbs. */

/** GET: path, summary, the type that it answers, whether as an array of them. */
const READINGS = [
  ['info', 'What the box is', 'GatewayInfo', 'one'],
  ['health', 'How the box does', 'Health', 'one'],
  ['streams', 'Every stream', 'StreamAnswer', 'array'],
  ['publish', 'Every stream at every target', 'PublishAnswer', 'array'],
  ['devices', 'Every device that was found', 'FoundDevice', 'array'],
  ['recordings', 'Every stream that is recorded', 'RecordingStatus', 'array'],
  ['serial', 'Every serial line', 'SerialStatus', 'array'],
  ['position', 'Where the box is: none or one', 'PositionStatus', 'array'],
  ['events', 'What happened last, the oldest first', 'GatewayEvent', 'array'],
];

const TYPES = [
  ...new Set(READINGS.map(([, , type]) => type)),
  'HealthzAnswer',
  'Problem',
  'SessionState',
];

export function openApi({ verbs, describe, replySchema }) {
  const components = new Components();
  for (const type of TYPES) components.add(type, describe(type));
  const paths = {
    '/healthz': {
      get: {
        ...operation(
          'healthz',
          'Whether the service is up, as systemd is told; needs no login',
          'service',
        ),
        security: [],
        responses: {
          200: json('It runs', ref('HealthzAnswer')),
          503: json('It starts or stops', ref('HealthzAnswer')),
        },
      },
    },
    '/metrics': {
      get: {
        ...operation('metrics', 'Metrics in Prometheus’ text format', 'service'),
        responses: {
          200: {
            description: 'Metrics',
            content: { 'text/plain': { schema: { type: 'string' } } },
          },
          default: problem(),
        },
      },
    },
    '/api/v1/openapi.json': {
      get: {
        ...operation('openapi', 'This description', 'service'),
        responses: { 200: json('OpenAPI 3.1', { type: 'object' }), default: problem() },
      },
    },
    ...sessionPaths(),
  };
  for (const [name, summary, type, how] of READINGS) {
    const schema = how === 'array' ? { type: 'array', items: ref(type) } : ref(type);
    paths[`/api/v1/${name}`] = {
      get: {
        ...operation(name, summary, 'state'),
        responses: { 200: json(summary, schema), default: problem() },
      },
    };
  }
  paths['/api/v1/streams/{name}'] = {
    get: {
      ...operation('stream', 'One stream', 'state'),
      parameters: [
        {
          name: 'name',
          in: 'path',
          required: true,
          schema: { type: 'string', pattern: '^[a-z0-9-]{1,48}$' },
        },
      ],
      responses: { 200: json('The stream', ref('StreamAnswer')), default: problem() },
    },
  };
  for (const { verb, title, summary, input, data } of verbs) {
    components.add(`${title}Command`, input);
    components.add(`${title}Reply`, replySchema(data));
    paths[`/api/v1/cmd/${verb}`] = {
      post: {
        ...operation(`cmd${title}`, summary, 'commands'),
        requestBody: {
          required: false,
          content: { 'application/json': { schema: ref(`${title}Command`) } },
        },
        responses: { 200: json('Done', ref(`${title}Reply`)), default: problem() },
      },
    };
    if (verb !== 'config/get') continue;
    paths['/api/v1/config'] = {
      get: {
        ...operation('config', summary, 'state'),
        responses: {
          200: json('The configuration', components.add('ConfigAnswer', data)),
          default: problem(),
        },
      },
    };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Sluice',
      version: '1',
      summary: 'What a gateway knows, and what can be asked of it',
      description:
        'The same that goes over MQTT (deploy/mqtt/). Unknown fields are to be ignored. On loopback no login is needed.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The gateway that serves this' }],
    security: [{ basic: [] }, { token: [] }, { session: [] }],
    tags: [
      { name: 'service', description: 'The service itself' },
      { name: 'state', description: 'What the topics of MQTT carry' },
      { name: 'commands', description: 'The verbs of MQTT; the body is the verb’s arguments' },
      { name: 'session', description: 'Logging in, for browsers' },
    ],
    paths,
    components: {
      schemas: components.sorted(),
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        token: { type: 'http', scheme: 'bearer' },
        session: {
          ...{ type: 'apiKey', in: 'cookie', name: 'sluice-8080' },
          description: 'With the port of this server in its name; over HTTPS __Host- is before it',
        },
      },
    },
  };
}

function sessionPaths() {
  const post = (name, summary, properties, security) => ({
    post: {
      ...operation(name, summary, 'session'),
      ...(security === undefined ? {} : { security }),
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: Object.fromEntries(properties.map((key) => [key, { type: 'string' }])),
              required: properties,
            },
          },
        },
      },
      responses: { 200: json('The session as it is now', ref('SessionState')), default: problem() },
    },
  });
  return {
    '/api/v1/session': {
      get: {
        ...operation('session', 'What whoever asks may do; needs no login', 'session'),
        security: [],
        responses: { 200: json('The session', ref('SessionState')), default: problem() },
      },
    },
    '/api/v1/login': post('login', 'Sets the cookie of a session', ['username', 'password'], []),
    '/api/v1/logout': post('logout', 'Ends the session', [], []),
    '/api/v1/password': post('password', 'Sets another password', ['current', 'password']),
  };
}

/** One place for all schemas: what each has in its `$defs` is shared. */
class Components {
  #schemas = new Map();

  add(name, { $defs = {}, ...schema }) {
    for (const [key, value] of Object.entries($defs)) this.#put(key, value);
    this.#put(name, schema);
    return ref(name);
  }

  sorted() {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #put(name, schema) {
    this.#schemas.set(
      name,
      JSON.parse(JSON.stringify(schema).replaceAll('#/$defs/', '#/components/schemas/')),
    );
  }
}

function operation(operationId, summary, tag) {
  return { operationId, summary, tags: [tag] };
}

function json(description, schema) {
  return { description, content: { 'application/json': { schema } } };
}

function problem() {
  return json('Why not', ref('Problem'));
}

function ref(name) {
  return { $ref: `#/components/schemas/${name}` };
}
