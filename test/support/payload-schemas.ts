/** What is really sent, held against the schemas in deploy/. */
import { readdir, readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const DOCUMENT_ID = 'urn:sluice:openapi';

/** Below `B/`, the topics whose payload is JSON, and which schema that is. */
const SCHEMA_OF_TOPIC: readonly (readonly [topic: RegExp, schema: string])[] = [
  [/^info$/, 'info'],
  [/^health$/, 'health'],
  [/^event$/, 'event'],
  [/^position$/, 'position'],
  [/^stream\/[^/]+\/status$/, 'stream-status'],
  [/^stream\/[^/]+\/info$/, 'stream-info'],
  [/^stream\/[^/]+\/stats$/, 'stream-stats'],
  [/^publish\/[^/]+\/[^/]+$/, 'publish'],
  [/^found\/[^/]+$/, 'found'],
  [/^serial\/[^/]+$/, 'serial'],
];

const PLAIN: readonly (readonly [topic: RegExp, payload: RegExp])[] = [
  [/^state$/, /^(?:online|offline|stopped)$/],
  [/^stream\/[^/]+\/motion$/, /^(?:ON|OFF)$/],
  [/^stream\/[^/]+\/snapshot$/, /^.{2}/s],
];

export class PayloadSchemas {
  readonly document: OpenApi;
  readonly #ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false });

  private constructor(document: OpenApi) {
    this.document = document;
    // Both packages are CommonJS, whose default is the whole module for Node and the function for TypeScript.
    (formats as unknown as typeof formats.default)(this.#ajv);
  }

  static async read(): Promise<PayloadSchemas> {
    const document: OpenApi = JSON.parse(await readFile('deploy/openapi.json', 'utf8'));
    const schemas = new PayloadSchemas(document);
    for (const name of await readdir('deploy/mqtt')) {
      if (!name.endsWith('.schema.json')) continue;
      schemas.#ajv.addSchema(JSON.parse(await readFile(`deploy/mqtt/${name}`, 'utf8')));
    }
    const { components } = document;
    // Where OpenAPI has them, so that its references lead there.
    schemas.#ajv.addKeyword('components');
    schemas.#ajv.addSchema({ $id: DOCUMENT_ID, components });
    return schemas;
  }

  /** undefined: it is as the schema says. */
  problem(schema: string, payload: unknown): string | undefined {
    return this.#check({ $ref: `urn:sluice:mqtt:${schema}` }, payload);
  }

  /** Of one of OpenAPI's components. */
  answerProblem(component: string, answer: unknown): string | undefined {
    return this.#check({ $ref: `${DOCUMENT_ID}#/components/schemas/${component}` }, answer);
  }

  /** Of a verb that there is not, too. */
  replySchema(verb: string): string {
    const name = `res-${verb.replaceAll('/', '-')}`;
    return this.#ajv.getSchema(`urn:sluice:mqtt:${name}`) === undefined ? 'reply' : name;
  }

  /** A message below `B/`: which schema it was held against, and what is wrong with it. */
  message(topic: string, text: string): { readonly schema: string; readonly problem?: string } {
    const plain = PLAIN.find(([pattern]) => pattern.test(topic));
    if (plain !== undefined) {
      const schema = `plain ${topic.split('/').at(-1)}`;
      return plain[1].test(text) ? { schema } : { schema, problem: `unexpected ${text}` };
    }
    const verb = /^res\/(.+)$/.exec(topic)?.[1];
    const schema =
      verb === undefined
        ? SCHEMA_OF_TOPIC.find(([pattern]) => pattern.test(topic))?.[1]
        : this.replySchema(verb);
    if (schema === undefined) return { schema: 'none', problem: 'no schema is known for it' };
    const problem = this.problem(schema, JSON.parse(text));
    return problem === undefined ? { schema } : { schema, problem };
  }

  /** An answer of the API against what OpenAPI says of that path, method and status. */
  httpAnswer(
    method: 'get' | 'post',
    path: string,
    status: number,
    body: unknown,
  ): string | undefined {
    const operation = this.document.paths[path]?.[method];
    if (operation === undefined) return `${method} ${path} is not described`;
    const response = operation.responses[status] ?? operation.responses['default'];
    const schema = response?.content?.['application/json']?.schema;
    if (schema === undefined) return `${method} ${path}: nothing is said of ${status}`;
    const absolute = JSON.stringify(schema).replaceAll(
      '"#/components/',
      `"${DOCUMENT_ID}#/components/`,
    );
    return this.#check(JSON.parse(absolute), body);
  }

  #check(schema: object, value: unknown): string | undefined {
    if (this.#ajv.validate(schema, value)) return undefined;
    return this.#ajv.errorsText(this.#ajv.errors, { dataVar: '' });
  }
}
