/**
 * WS-Security UsernameToken with a password digest: Base64(SHA-1(nonce + created + password)).
 * WSS UsernameToken Profile 1.0 §3.1; ONVIF Core §5.9.2.
 */
import { createHash, randomBytes } from 'node:crypto';
import { escapeXml } from './xml.ts';

const WSS = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss';

/** The Security header. `createdMs` is the device's time: devices refuse tokens too old or from the future. */
export function usernameTokenHeader(
  username: string,
  password: string,
  createdMs: number,
  nonce: Uint8Array = randomBytes(16),
): string {
  const created = new Date(createdMs).toISOString();
  return (
    `<Security s:mustUnderstand="1" xmlns="${WSS}-wssecurity-secext-1.0.xsd"><UsernameToken>` +
    `<Username>${escapeXml(username)}</Username>` +
    `<Password Type="${WSS}-username-token-profile-1.0#PasswordDigest">` +
    `${passwordDigest(nonce, created, password)}</Password>` +
    `<Nonce EncodingType="${WSS}-soap-message-security-1.0#Base64Binary">` +
    `${Buffer.from(nonce).toString('base64')}</Nonce>` +
    `<Created xmlns="${WSS}-wssecurity-utility-1.0.xsd">${created}</Created>` +
    '</UsernameToken></Security>'
  );
}

export function passwordDigest(nonce: Uint8Array, created: string, password: string): string {
  return createHash('sha1').update(nonce).update(created).update(password).digest('base64');
}
