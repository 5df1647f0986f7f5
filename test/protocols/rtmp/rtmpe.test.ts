import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicKeyOf, sharedSecret } from '../../../protocols/rtmp/diffie-hellman.ts';
import { rtmpeCiphers } from '../../../protocols/rtmp/rtmpe.ts';
import { hex } from '../../support/hex.ts';

const privateKey = new Uint8Array(32).fill(0x11);
const publicKey = publicKeyOf(privateKey);
const peerKey = publicKeyOf(new Uint8Array(32).fill(0x22));
const secret = sharedSecret({ privateKey, publicKey }, peerKey);

test('the key streams are those that Python computes, 1536 bytes later', () => {
  const ciphers = rtmpeCiphers(secret, publicKey, peerKey);
  const sent = new Uint8Array(16);
  ciphers.encrypt(sent);
  assert.deepEqual(sent, hex`03ba78a2ff369a5a85459de8332726ae`);
  const received = new Uint8Array(16);
  ciphers.decrypt(received);
  assert.deepEqual(received, hex`bd342b98fabf6607735db24e25492b7e`);
});

test('each side reads what the other writes', () => {
  const ours = rtmpeCiphers(secret, publicKey, peerKey);
  const theirs = rtmpeCiphers(secret, peerKey, publicKey);
  const bytes = hex`01 02 03 04 05`;
  ours.encrypt(bytes);
  theirs.decrypt(bytes);
  assert.deepEqual(bytes, hex`01 02 03 04 05`);
  theirs.encrypt(bytes);
  ours.decrypt(bytes);
  assert.deepEqual(bytes, hex`01 02 03 04 05`);
});
