import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnsupportedError } from '../../../codecs/errors.ts';
import { SIGNAL, startControlled } from '../../support/controlled-camera.ts';

const MEDIA = 'http://www.onvif.org/ver10/media/wsdl';
const MEDIA2 = 'http://www.onvif.org/ver20/media/wsdl';
const T = 'xmlns="http://www.onvif.org/ver10/schema"';
/** Everything that was not to be changed, as the virtual camera has it. */
const MULTICAST =
  `<Multicast ${T}><Address><Type>IPv4</Type><IPv4Address>239.0.0.1</IPv4Address></Address>` +
  '<Port>8860</Port><TTL>5</TTL><AutoStart>false</AutoStart></Multicast>';
const VENDOR = '<SmartCodec xmlns="urn:virtual" mode="a&amp;b"><On>true</On></SmartCodec>';
const SIZE = `<Resolution ${T}><Width>1920</Width><Height>1080</Height></Resolution>`;

test('what the encoder of the pulled profile is set to, and may be: Media 1 and Media 2', async (t) => {
  const expected = {
    token: 'enc-Profile_1',
    ...{ codec: 'h264', width: 1920, height: 1080, fps: 25, kbps: 4096, gopFrames: 50 },
  };
  const one = await startControlled(t);
  assert.deepEqual(await one.controls.encoder(SIGNAL), {
    ...expected,
    options: {
      codecs: ['jpeg', 'h264'],
      kbps: { min: 32, max: 16_384 },
      gopFrames: { min: 1, max: 400 },
    },
  });
  const two = await startControlled(t, { media2: true });
  assert.deepEqual(await two.controls.encoder(SIGNAL), {
    ...expected,
    options: {
      codecs: ['h264', 'h265'],
      kbps: { min: 32, max: 16_384 },
      gopFrames: { min: 1, max: 400 },
    },
  });
});

test('Media 1: GOP and bit rate change, all else is sent as it was given', async (t) => {
  const { virtual, controls } = await startControlled(t);
  const settings = await controls.setEncoder({ gopFrames: 25, kbps: 2048 }, SIGNAL);
  assert.equal(
    virtual.lastBody('SetVideoEncoderConfiguration'),
    `<SetVideoEncoderConfiguration xmlns="${MEDIA}"><Configuration token="enc-Profile_1">` +
      `<Name ${T}>enc</Name><UseCount ${T}>1</UseCount><Encoding ${T}>H264</Encoding>${SIZE}<Quality ${T}>3</Quality>` +
      `<RateControl ${T}><FrameRateLimit>25</FrameRateLimit><EncodingInterval>1</EncodingInterval><BitrateLimit>2048</BitrateLimit></RateControl>` +
      `<H264 ${T}><GovLength>25</GovLength><H264Profile>High</H264Profile></H264>${MULTICAST}` +
      `<SessionTimeout ${T}>PT60S</SessionTimeout>${VENDOR}</Configuration><ForcePersistence>true</ForcePersistence></SetVideoEncoderConfiguration>`,
  );
  assert.deepEqual([settings.gopFrames, settings.kbps], [25, 2048], 'what the camera then says');
});

test('Media 2: the same, and the codec, with a profile and a GOP that it allows', async (t) => {
  const { virtual, controls } = await startControlled(t, { media2: true });
  await controls.setEncoder({ gopFrames: 100 }, SIGNAL);
  const configuration = (attributes: string, encoding: string) =>
    `<SetVideoEncoderConfiguration xmlns="${MEDIA2}"><Configuration token="enc-Profile_1" ${attributes}>` +
    `<Name ${T}>enc</Name><UseCount ${T}>1</UseCount><Encoding ${T}>${encoding}</Encoding>${SIZE}` +
    `<RateControl ${T} ConstantBitRate="true"><FrameRateLimit>25</FrameRateLimit><BitrateLimit>4096</BitrateLimit></RateControl>` +
    `${MULTICAST}<Quality ${T}>3</Quality>${VENDOR}</Configuration></SetVideoEncoderConfiguration>`;
  assert.equal(
    virtual.lastBody('SetVideoEncoderConfiguration'),
    configuration('GovLength="100" Profile="High"', 'H264'),
  );
  await controls.setEncoder({ gopFrames: 400 }, SIGNAL);
  assert.equal((await controls.setEncoder({ codec: 'h265' }, SIGNAL)).codec, 'h265');
  assert.equal(
    virtual.lastBody('SetVideoEncoderConfiguration'),
    configuration('GovLength="250" Profile="Main"', 'H265'),
    'H.265 allows 250 at most, and Main',
  );
  assert.equal((await controls.setEncoder({ codec: 'h264' }, SIGNAL)).codec, 'h264');
});

test('what the camera does not allow is never sent', async (t) => {
  const { virtual, controls } = await startControlled(t);
  const wrong = [
    { kbps: 31 },
    { kbps: 16_385 },
    { kbps: 1000.5 },
    { gopFrames: 0 },
    { gopFrames: 401 },
    { gopFrames: Number.NaN },
  ];
  for (const change of wrong) {
    await assert.rejects(
      controls.setEncoder(change, SIGNAL),
      { code: 'ENCODER_LIMITS' },
      JSON.stringify(change),
    );
  }
  await assert.rejects(controls.setEncoder({ codec: 'h265' }, SIGNAL), {
    name: 'UnsupportedError',
    message: /cannot encode h265, only jpeg, h264/,
  });
  assert.ok(!virtual.requests.includes('SetVideoEncoderConfiguration'));
  const odd = await startControlled(t, {
    media2: true,
    profiles: [
      { token: 'p', name: 'p', encoding: 'H264', width: 2560, height: 1440, fps: 25, kbps: 4000 },
    ],
  });
  await assert.rejects(odd.controls.setEncoder({ codec: 'h265' }, SIGNAL), {
    code: 'ENCODER_LIMITS',
    message: /h265 at 2560x1440/,
  });
});

test('a camera that fails at Media 2 is read and set by Media 1', async (t) => {
  const { virtual, controls } = await startControlled(t, {
    media2: true,
    mangle: (xml) => (xml.includes('xmlns:tr2') ? xml.replace(/<tr2.*<\/tr2:\w+>/, '') : xml),
  });
  await controls.setEncoder({ kbps: 1000 }, SIGNAL);
  assert.match(
    virtual.lastBody('SetVideoEncoderConfiguration'),
    /^<SetVideo\w+ xmlns="http:\/\/www\.onvif\.org\/ver10/,
  );
});

test('options that are not told: the camera is asked, and refuses by itself', async (t) => {
  const { virtual, controls } = await startControlled(t, {
    forbidden: ['GetVideoEncoderConfigurationOptions'],
  });
  const { options } = await controls.encoder(SIGNAL);
  assert.deepEqual(options, { codecs: [], kbps: undefined, gopFrames: undefined });
  await controls.setEncoder({ kbps: 99_999 }, SIGNAL);
  assert.equal(virtual.media.profiles[0]?.kbps, 99_999);
  await assert.rejects(controls.setEncoder({ codec: 'h265' }, SIGNAL), UnsupportedError);
});

test('junk instead of a configuration is an error of the camera', async (t) => {
  for (const junk of ['', '<a/>', '<trt:GetVideoEncoderConfigurationsResponse/>']) {
    const { controls } = await startControlled(t, {
      mangle: (xml, operation) =>
        operation === 'GetVideoEncoderConfigurations'
          ? xml.replace(/<s:Body>.*<\/s:Body>/, `<s:Body>${junk}</s:Body>`)
          : xml,
    });
    await assert.rejects(controls.encoder(SIGNAL), { code: 'ONVIF_REPLY' }, junk);
  }
});
