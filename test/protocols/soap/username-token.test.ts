import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passwordDigest, usernameTokenHeader } from '../../../protocols/soap/username-token.ts';
import { readXml, textAt } from '../../../protocols/soap/xml.ts';

test("the example of the ONVIF Application Programmer's Guide §6.1.1.3", () => {
  const nonce = Buffer.from('LKqI6G/AikKCQrN0zqZFlg==', 'base64');
  assert.equal(
    passwordDigest(nonce, '2010-09-16T07:50:45Z', 'userpassword'),
    'tuOSpGlFlIXsozq4HFNeeGeFLEI=',
  );
});

test('names with markup and passwords beyond ASCII', () => {
  const header = usernameTokenHeader('a<&>"b', 'пароль', 0, new Uint8Array(16));
  const token = readXml(header).children[0];
  assert.equal(textAt(token, 'Username'), 'a<&>"b');
  assert.equal(textAt(token, 'Created'), '1970-01-01T00:00:00.000Z');
  assert.equal(
    textAt(token, 'Password'),
    passwordDigest(new Uint8Array(16), '1970-01-01T00:00:00.000Z', 'пароль'),
  );
});
