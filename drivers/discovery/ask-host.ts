/**
 * Asks one address what it is, without a login: ONVIF's GetSystemDateAndTime, which needs none (ONVIF Core §5.9.3), and
 * RTSP's OPTIONS. For cameras that no multicast reaches, and those that do not answer WS-Discovery.
 */
import { connect } from 'node:net';
import { ParseError } from '../../codecs/errors.ts';
import { child, readXml } from '../../protocols/soap/xml.ts';
import { type OnvifEndpoint, urlHost } from '../onvif/onvif-endpoint.ts';
import { postSoap } from '../onvif/soap-http.ts';

/** A camera answers within a second, one behind a slow VPN in two. */
const ASK_TIMEOUT_MS = 3000;
const GET_TIME = 'http://www.onvif.org/ver10/device/wsdl/GetSystemDateAndTime';
const GET_TIME_ENVELOPE =
  '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>' +
  '<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>';
/** "RTSP/1.0 200" and nothing of the rest is looked at. */
const STATUS_LINE = /^RTSP\/\d\.\d \d{3}/;
const STATUS_LINE_BYTES = 12;

/** Whether an ONVIF device service answers there. Rejects only when `signal` aborts. */
export async function speaksOnvif(endpoint: OnvifEndpoint, signal: AbortSignal): Promise<boolean> {
  const request = { body: GET_TIME_ENVELOPE, action: GET_TIME, authorization: undefined };
  try {
    const { text } = await postSoap(endpoint, request, signal, ASK_TIMEOUT_MS);
    return isOnvifReply(text);
  } catch {
    signal.throwIfAborted();
    // Nobody there, or something else: both mean no.
    return false;
  }
}

/** The time, or a SOAP fault of one who wants a login first: no other service is at that path. */
export function isOnvifReply(text: string): boolean {
  try {
    const envelope = readXml(text);
    const answer = child(envelope, 'Body')?.children[0]?.name;
    return (
      envelope.name === 'Envelope' &&
      (answer === 'GetSystemDateAndTimeResponse' || answer === 'Fault')
    );
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}

/** Whether an RTSP server answers there. Rejects only when `signal` aborts. */
export async function speaksRtsp(
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted();
  const socket = connect({ host, port });
  const giveUp = () => socket.destroy();
  const limit = setTimeout(giveUp, ASK_TIMEOUT_MS);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    const url = `rtsp://${urlHost(host)}:${port}/`;
    socket.write(`OPTIONS ${url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: sluice\r\n\r\n`);
    let answer = '';
    for await (const chunk of socket) {
      answer += (chunk as Buffer).toString('latin1', 0, STATUS_LINE_BYTES);
      if (answer.length >= STATUS_LINE_BYTES) return STATUS_LINE.test(answer);
    }
    return false;
  } catch {
    // Nobody there, or something else: both mean no.
    return false;
  } finally {
    clearTimeout(limit);
    signal.removeEventListener('abort', giveUp);
    socket.destroy();
    signal.throwIfAborted();
  }
}
