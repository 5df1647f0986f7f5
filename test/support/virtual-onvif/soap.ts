/** What the services of a virtual camera share: namespaces, envelopes, faults. */
import type { XmlElement } from '../../../protocols/soap/xml.ts';

export const DEVICE = 'http://www.onvif.org/ver10/device/wsdl';
export const MEDIA = 'http://www.onvif.org/ver10/media/wsdl';
export const MEDIA2 = 'http://www.onvif.org/ver20/media/wsdl';
export const PTZ = 'http://www.onvif.org/ver20/ptz/wsdl';
export const EVENTS = 'http://www.onvif.org/ver10/events/wsdl';
export const SCHEMA = 'http://www.onvif.org/ver10/schema';

export interface VirtualCall {
  readonly name: string;
  /** Of the request's element. */
  readonly namespace: string;
  readonly operation: XmlElement;
  readonly header: XmlElement | undefined;
  /** What it was posted to. */
  readonly path: string;
}

/** The answer's XML; undefined: it knows no such operation. May throw a VirtualFault. */
export interface VirtualService {
  perform(call: VirtualCall): string | undefined | Promise<string | undefined>;
}

export class VirtualFault extends Error {
  readonly subcode: string;

  constructor(subcode: string, reason: string) {
    super(reason);
    this.subcode = subcode;
  }
}

export function soapEnvelope(body: string): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">' +
    `<s:Header/><s:Body>${body}</s:Body></s:Envelope>`
  );
}

export function fault(subcode: string, reason: string): string {
  return (
    '<s:Fault><s:Code><s:Value>s:Sender</s:Value>' +
    `<s:Subcode><s:Value xmlns:ter="http://www.onvif.org/ver10/error">${subcode}</s:Value></s:Subcode></s:Code>` +
    `<s:Reason><s:Text xml:lang="en">${reason}</s:Text></s:Reason></s:Fault>`
  );
}
