/**
 * One SOAP request over HTTP: a connection of its own, ten seconds for the whole exchange, a reply
 * of bounded size. HTTP errors are replies here; only a broken exchange throws.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ProtocolError } from '../../codecs/errors.ts';
import { describeEndpoint, type OnvifEndpoint } from './onvif-endpoint.ts';

/** Cameras answer in well under a second; recorders with many channels take a few. */
export const SOAP_TIMEOUT_MS = 10_000;
/** GetProfiles of a 64-channel recorder is about 600 KB. */
export const MAX_REPLY_BYTES = 1024 * 1024;

export interface SoapRequest {
  readonly body: string;
  /** SOAP 1.2 action, in the content type. */
  readonly action: string;
  readonly authorization: string | undefined;
}

export interface SoapReply {
  readonly status: number;
  readonly text: string;
  /** WWW-Authenticate headers, one each. */
  readonly challenges: readonly string[];
  /** The Date header in ms since the epoch. */
  readonly dateMs: number | undefined;
}

export async function postSoap(
  endpoint: OnvifEndpoint,
  soap: SoapRequest,
  signal: AbortSignal,
  timeoutMs: number = SOAP_TIMEOUT_MS,
): Promise<SoapReply> {
  signal.throwIfAborted();
  const options: RequestOptions & { rejectUnauthorized: boolean } = {
    host: endpoint.host,
    port: endpoint.port,
    path: endpoint.path,
    method: 'POST',
    agent: false,
    // Firmwares end header lines with a bare LF, or send two Content-Lengths.
    insecureHTTPParser: true,
    // Cameras sign their own certificates; the password only travels as a digest.
    rejectUnauthorized: false,
    headers: {
      'Content-Type': `application/soap+xml; charset=utf-8; action="${soap.action}"`,
      'Content-Length': Buffer.byteLength(soap.body),
      Connection: 'close',
      ...(soap.authorization === undefined ? {} : { Authorization: soap.authorization }),
    },
  };
  return new Promise((resolve, reject) => {
    const request = (endpoint.secure ? httpsRequest : httpRequest)(options);
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      settle();
      request.destroy();
    };
    const fail = (error: unknown) => finish(() => reject(describeFailure(error, endpoint)));
    const abort = () => finish(() => reject(signal.reason));
    const timer = setTimeout(() => fail(timeoutError(endpoint, timeoutMs)), timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    request.on('error', fail);
    request.on('response', (response) => {
      readReply(response).then((reply) => finish(() => resolve(reply)), fail);
    });
    request.end(soap.body);
  });
}

async function readReply(response: IncomingMessage): Promise<SoapReply> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response) {
    const bytes = chunk as Uint8Array;
    length += bytes.length;
    if (length > MAX_REPLY_BYTES) {
      throw new ProtocolError('ONVIF_REPLY_TOO_LONG', `reply longer than ${MAX_REPLY_BYTES} bytes`);
    }
    chunks.push(bytes);
  }
  const dateMs = Date.parse(response.headers.date ?? '');
  return {
    status: response.statusCode ?? 0,
    text: Buffer.concat(chunks).toString('utf8'),
    challenges: response.rawHeaders.filter(
      (_value, index, headers) =>
        headers[index - 1]?.toLowerCase() === 'www-authenticate' && index % 2 === 1,
    ),
    dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
  };
}

function timeoutError(endpoint: OnvifEndpoint, timeoutMs: number): Error {
  return Object.assign(
    new Error(`no ONVIF answer from ${describeEndpoint(endpoint)} within ${timeoutMs} ms`),
    { code: 'ETIMEDOUT' },
  );
}

/** Network errors stay as they are; what Node's HTTP parser refuses is the device's fault. */
function describeFailure(error: unknown, endpoint: OnvifEndpoint): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('HPE_') || !(error instanceof Error)) return error;
  return new ProtocolError(
    'ONVIF_HTTP',
    `${describeEndpoint(endpoint)} does not speak HTTP: ${error.message}`,
  );
}
