/** Reads and sets the encoder of one profile, by Media 2 where the device has it, else by Media 1. */
import { ParseError, ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import {
  descendants,
  escapeXml,
  numberAt,
  writeXml,
  type XmlElement,
} from '../../protocols/soap/xml.ts';
import type { EncoderChange, EncoderSettings } from '../camera/camera-controls.ts';
import { soapRequest } from './cam.ts';
import {
  changedConfiguration,
  type EncoderLimits,
  encoderCodec,
  encoderGopFrames,
  readEncoderLimits,
  SCHEMA,
} from './encoder-configuration.ts';
import type { OnvifProfile } from './onvif-client.ts';
import type { OnvifSession } from './onvif-session.ts';

const MEDIA = 'http://www.onvif.org/ver10/media/wsdl';
const MEDIA2 = 'http://www.onvif.org/ver20/media/wsdl';

interface Encoder {
  readonly token: string;
  readonly configuration: XmlElement;
  readonly limits: EncoderLimits;
  readonly isMedia2: boolean;
}

export async function readEncoder(
  session: OnvifSession,
  profile: OnvifProfile,
  signal: AbortSignal,
): Promise<EncoderSettings> {
  return settingsOf(await findEncoder(session, profile, signal));
}

/** Returns what the device then says. */
export async function setEncoder(
  session: OnvifSession,
  profile: OnvifProfile,
  change: EncoderChange,
  signal: AbortSignal,
): Promise<EncoderSettings> {
  const { configuration, limits, isMedia2 } = await findEncoder(session, profile, signal);
  const changed = changedConfiguration(configuration, change, limits, isMedia2);
  // Our own: the package sends some of the fields only, so that cameras set the others to what they like.
  const namespace = isMedia2 ? MEDIA2 : MEDIA;
  const body =
    `<SetVideoEncoderConfiguration xmlns="${namespace}">${asSet(changed, namespace)}` +
    (isMedia2 ? '' : '<ForcePersistence>true</ForcePersistence>') +
    '</SetVideoEncoderConfiguration>';
  await session.send(soapRequest(body, isMedia2 ? 'media2' : 'media'), signal);
  return await readEncoder(session, profile, signal);
}

async function findEncoder(
  session: OnvifSession,
  profile: OnvifProfile,
  signal: AbortSignal,
): Promise<Encoder> {
  await session.findServices(signal);
  const { camera } = session;
  if (!camera.hasMedia2) return await askEncoder(session, profile, false, signal);
  try {
    return await askEncoder(session, profile, true, signal);
  } catch (error) {
    const isDevicesFault = error instanceof ProtocolError || error instanceof ParseError;
    if (!isDevicesFault || !session.hasService('media')) throw error;
  }
  camera.hasMedia2 = false;
  return await askEncoder(session, profile, false, signal);
}

async function askEncoder(
  session: OnvifSession,
  profile: OnvifProfile,
  isMedia2: boolean,
  signal: AbortSignal,
): Promise<Encoder> {
  const token = profile.encoderToken;
  if (token === undefined || token === '') {
    throw new UnsupportedError('the camera does not tell which encoder this profile has');
  }
  const { body } = await session.ask(
    (cam, done) => cam.getVideoEncoderConfigurations(done),
    signal,
  );
  const configuration = [...descendants(body, 'Configurations')].find(
    (each) => each.closed && each.attributes.get('token') === token,
  );
  if (configuration === undefined) {
    throw new ProtocolError('ONVIF_REPLY', 'the camera does not list the encoder of this profile');
  }
  return {
    token,
    configuration,
    isMedia2,
    limits: await askLimits(session, token, profile, isMedia2, signal),
  };
}

/** Empty where the device does not tell: it will refuse by itself. */
async function askLimits(
  session: OnvifSession,
  encoderToken: string,
  profile: OnvifProfile,
  isMedia2: boolean,
  signal: AbortSignal,
): Promise<EncoderLimits> {
  const options = {
    configurationToken: escapeXml(encoderToken),
    profileToken: escapeXml(profile.token),
  };
  try {
    const { body } = await session.ask(
      (cam, done) => cam.getVideoEncoderConfigurationOptions(options, done),
      signal,
    );
    return readEncoderLimits(body, isMedia2);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return new Map();
  }
}

function settingsOf({ token, configuration, limits }: Encoder): EncoderSettings {
  const codec = encoderCodec(configuration) ?? '';
  const allowed = limits.get(codec);
  return {
    token,
    codec,
    width: numberAt(configuration, 'Resolution', 'Width'),
    height: numberAt(configuration, 'Resolution', 'Height'),
    fps: numberAt(configuration, 'RateControl', 'FrameRateLimit'),
    kbps: numberAt(configuration, 'RateControl', 'BitrateLimit'),
    gopFrames: encoderGopFrames(configuration),
    options: {
      codecs: [...limits.keys()],
      kbps: allowed?.kbps,
      gopFrames: allowed?.gopFrames,
    },
  };
}

/** `Configurations` of the reply as the `Configuration` of the request. */
function asSet(configuration: XmlElement, namespace: string): string {
  const children = configuration.children.map((each) => inSchema(each));
  return writeXml({ ...configuration, name: 'Configuration', namespace, children }, namespace);
}

/** Where a firmware uses a prefix that it does not declare. */
function inSchema(element: XmlElement): XmlElement {
  return {
    ...element,
    namespace: element.namespace ?? SCHEMA,
    children: element.children.map(inSchema),
  };
}
