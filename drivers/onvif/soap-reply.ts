/** What a device's reply to a SOAP request amounts to: an answer, a refusal of the login, or an error. */
import { ParseError, ProtocolError } from '../../codecs/errors.ts';
import { child, descendants, readXml, textAt, type XmlElement } from '../../protocols/soap/xml.ts';
import { shownText } from './shown-text.ts';
import type { SoapReply } from './soap-http.ts';

/** The SOAP Body; undefined: the login is wanted, or refused. */
export function answerOf(reply: SoapReply, action: string): XmlElement | undefined {
  const body = readBody(reply);
  const fault = body === undefined ? undefined : child(body, 'Fault');
  if (isRefusal(reply, fault)) return undefined;
  if (fault !== undefined) {
    const code = isUnsupported(fault) ? 'ONVIF_NOT_SUPPORTED' : 'ONVIF_FAULT';
    throw new ProtocolError(code, `${action}: ${faultText(fault)}`, reply.status);
  }
  if (reply.status < 200 || reply.status > 299) {
    throw new ProtocolError('ONVIF_HTTP', `HTTP status ${reply.status}`, reply.status);
  }
  if (body === undefined) throw new ParseError('ONVIF: the reply is not a SOAP envelope');
  return body;
}

/** The device knows of no such thing: it will not do for asking again. */
export function isNotSupported(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === 'ONVIF_NOT_SUPPORTED';
}

function readBody(reply: SoapReply): XmlElement | undefined {
  try {
    const envelope = readXml(reply.text);
    return envelope.name === 'Envelope' && envelope.closed ? child(envelope, 'Body') : undefined;
  } catch (error) {
    // An HTML error page, or nothing at all: the status tells.
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** ONVIF Core §5.9.1: 401 for HTTP Digest; a fault with subcode NotAuthorized for WS-Security. */
function isRefusal(reply: SoapReply, fault: XmlElement | undefined): boolean {
  if (reply.status === 401 || reply.status === 403) return true;
  if (fault === undefined) return false;
  return [
    ...descendants(fault, 'Value'),
    ...descendants(fault, 'Text'),
    ...descendants(fault, 'faultcode'),
  ].some(({ text }) =>
    /not ?authorized|failedauthentication|invalidsecurity|unauthorized/i.test(text),
  );
}

/** ONVIF Core §5.8.2.2 (ActionNotSupported); PTZ Service §5 (PTZNotSupported, NoHomePosition, …). */
function isUnsupported(fault: XmlElement): boolean {
  return [...descendants(fault, 'Value'), ...descendants(fault, 'faultcode')].some(({ text }) =>
    /notsupported|notimplemented|noptzprofile|nohomeposition|unknownaction/i.test(text),
  );
}

function faultText(fault: XmlElement): string {
  const text =
    textAt(fault, 'Reason', 'Text') ??
    textAt(fault, 'faultstring') ??
    textAt(fault, 'Code', 'Subcode', 'Value') ??
    'SOAP fault without a reason';
  return shownText(text);
}
