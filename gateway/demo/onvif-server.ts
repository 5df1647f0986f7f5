/**
 * The virtual camera's ONVIF services over HTTP: one login by WS-UsernameToken, checked as strictly as a camera does, and
 * SOAP in and out. ONVIF Core §5.
 */
import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ParseError } from '../../codecs/errors.ts';
import type { Credentials } from '../../drivers/driver.ts';
import { passwordDigest } from '../../protocols/soap/username-token.ts';
import {
  child,
  descend,
  escapeXml,
  readXml,
  textAt,
  type XmlElement,
} from '../../protocols/soap/xml.ts';
import { OnvifFault, type OnvifService } from './onvif-operation.ts';

/** Requests to cameras are small. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 32;
const REQUEST_TIMEOUT_MS = 10_000;
/** How old a token may be, or from the future; a nonce is not taken twice within it. */
const TOKEN_LIFETIME_MS = 60_000;
/** Whoever brings more in a minute waits. */
const MAX_NONCES = 4096;
/** Before a login: ONVIF Core §5.9.3, access class PRE_AUTH. */
const PRE_AUTH: ReadonlySet<string> = new Set([
  'GetSystemDateAndTime',
  'GetServices',
  'GetServiceCapabilities',
  'GetCapabilities',
]);
const NOT_AUTHORIZED = new OnvifFault(['ter:NotAuthorized'], 'Sender not authorized');

export class OnvifServer {
  readonly #login: Credentials;
  readonly #server: Server;
  #services: readonly OnvifService[] = [];
  #namespaces = '';
  /** With the time of their tokens. */
  readonly #nonces = new Map<string, number>();

  constructor(login: Credentials) {
    this.#login = login;
    this.#server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Resolves with the port. `services` come after that: they tell where they are. */
  async listen(address: string): Promise<number> {
    this.#server.listen(0, address);
    await once(this.#server, 'listening');
    // A server that listens has this form of address.
    return (this.#server.address() as AddressInfo).port;
  }

  serve(services: readonly OnvifService[]): void {
    this.#services = services;
    const namespaces = services.map(({ prefix, namespace }) => ` xmlns:${prefix}="${namespace}"`);
    this.#namespaces = [...new Set(namespaces)].join('');
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path, query = ''] = (request.url ?? '').split('?');
    const services = this.#services.filter((service) => service.path === path);
    if (services.length === 0 || request.method !== 'POST') {
      response.writeHead(404).end();
      return;
    }
    const text = await readBody(request);
    if (text === undefined) {
      response.writeHead(413, { Connection: 'close' }).end();
      return;
    }
    const { status, body } = await this.#answer(services, text, query);
    response.writeHead(status, { 'Content-Type': 'application/soap+xml; charset=utf-8' });
    response.end(this.#envelope(body));
  }

  async #answer(
    services: readonly OnvifService[],
    text: string,
    query: string,
  ): Promise<{ readonly status: number; readonly body: string }> {
    try {
      return { status: 200, body: await this.#perform(services, text, query) };
    } catch (error) {
      if (error instanceof ParseError) {
        return { status: 400, body: faultBody(new OnvifFault(['ter:WellFormed'], error.message)) };
      }
      if (error instanceof OnvifFault) return { status: 400, body: faultBody(error) };
      throw error;
    }
  }

  async #perform(services: readonly OnvifService[], text: string, query: string): Promise<string> {
    const envelope = readXml(text);
    const request = child(envelope, 'Body')?.children[0];
    if (request === undefined) throw new ParseError('SOAP: no operation');
    const { name } = request;
    if (!PRE_AUTH.has(name) && !this.#isLoggedIn(envelope)) throw NOT_AUTHORIZED;
    const service = services.find(({ operations }) => Object.hasOwn(operations, name));
    const operation = service?.operations[name];
    if (service === undefined || operation === undefined) {
      throw new OnvifFault(['ter:ActionNotSupported'], 'Optional action not implemented');
    }
    const content = await operation(request, query);
    const element = `${service.prefix}:${name}Response`;
    return `<${element}>${content}</${element}>`;
  }

  /** WSS UsernameToken Profile 1.0 §3.1, with a digest. */
  #isLoggedIn(envelope: XmlElement): boolean {
    const token = descend(envelope, 'Header', 'Security', 'UsernameToken');
    const nonce = textAt(token, 'Nonce') ?? '';
    const created = textAt(token, 'Created') ?? '';
    const { username, password } = this.#login;
    const wanted = passwordDigest(Buffer.from(nonce, 'base64'), created, password);
    const isRight =
      textAt(token, 'Username') === username && isSame(textAt(token, 'Password') ?? '', wanted);
    return isRight && this.#isNew(nonce, Date.parse(created));
  }

  #isNew(nonce: string, createdMs: number): boolean {
    const nowMs = Date.now();
    for (const [known, atMs] of this.#nonces) {
      if (nowMs - atMs > TOKEN_LIFETIME_MS) this.#nonces.delete(known);
    }
    const isFresh = Math.abs(nowMs - createdMs) <= TOKEN_LIFETIME_MS;
    if (!isFresh || this.#nonces.has(nonce) || this.#nonces.size >= MAX_NONCES) return false;
    this.#nonces.set(nonce, createdMs);
    return true;
  }

  #envelope(body: string): string {
    return (
      '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"' +
      ` xmlns:ter="http://www.onvif.org/ver10/error" xmlns:tt="http://www.onvif.org/ver10/schema"${this.#namespaces}>` +
      `<s:Body>${body}</s:Body></s:Envelope>`
    );
  }
}

/** Undefined: it is too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    // A request without an encoding gives buffers.
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > MAX_BODY_BYTES) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function faultBody({ subcodes, message }: OnvifFault): string {
  const subcode = subcodes.reduceRight(
    (inner, value) => `<s:Subcode><s:Value>${value}</s:Value>${inner}</s:Subcode>`,
    '',
  );
  return (
    `<s:Fault><s:Code><s:Value>s:Sender</s:Value>${subcode}</s:Code>` +
    `<s:Reason><s:Text xml:lang="en">${escapeXml(message)}</s:Text></s:Reason></s:Fault>`
  );
}
