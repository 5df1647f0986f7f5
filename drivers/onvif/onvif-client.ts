/** What one ONVIF device is asked: who it is, which profiles it has, where their streams and snapshots are. */
import { AuthenticationError, ParseError, ProtocolError } from '../../codecs/errors.ts';
import {
  child,
  descendants,
  escapeXml,
  numberAt,
  textAt,
  type XmlElement,
} from '../../protocols/soap/xml.ts';
import { parseMac } from '../../protocols/ws-discovery/scopes.ts';
import type { Credentials } from '../driver.ts';
import type { CamCall, CamReply } from './cam.ts';
import { encoderCodec, encoderGopFrames } from './encoder-configuration.ts';
import { atHost, type OnvifEndpoint } from './onvif-endpoint.ts';
import { OnvifSession, type OnvifSessionOptions } from './onvif-session.ts';
import { type PtzConfiguration, readPtzConfiguration } from './ptz-spaces.ts';
import { shownText } from './shown-text.ts';

const MAX_PROFILES = 256;

export interface DeviceDescription {
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  readonly firmware: string | undefined;
  readonly serial: string | undefined;
  /** Twelve lower-case hexadecimal digits; asked for only after a login. */
  readonly mac: string | undefined;
}

export interface OnvifProfile {
  readonly token: string;
  readonly name: string;
  /** `h264`, `h265`, `jpeg`, …; undefined when the profile has no video. */
  readonly codec: string | undefined;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly kbps: number;
  /** Frames from one keyframe to the next; undefined where the device does not tell. */
  readonly gopFrames?: number | undefined;
  /** The video source, which several profiles may share. */
  readonly sourceToken?: string | undefined;
  readonly encoderToken?: string | undefined;
  /** Where the camera can be moved by this profile. */
  readonly ptz?: PtzConfiguration | undefined;
}

export interface OnvifUrl {
  /** At the host that answered. */
  readonly url: string;
  /** As the device gave it, for diagnosis. May contain secrets. */
  readonly original: string;
}

export class OnvifClient {
  readonly session: OnvifSession;

  constructor(
    endpoint: OnvifEndpoint,
    credentials: Credentials | undefined,
    options: OnvifSessionOptions,
  ) {
    this.session = new OnvifSession(endpoint, credentials, options);
  }

  /** Logs in, and says who the device is. */
  async describeDevice(): Promise<DeviceDescription> {
    const reply = await this.session.logIn();
    const information = child(reply.body, 'GetDeviceInformationResponse');
    if (information === undefined) {
      throw new ProtocolError(
        'ONVIF_REPLY',
        'GetDeviceInformation: the reply is about something else',
      );
    }
    return {
      manufacturer: shortText(information, 'Manufacturer'),
      model: shortText(information, 'Model'),
      firmware: shortText(information, 'FirmwareVersion'),
      serial: shortText(information, 'SerialNumber'),
      mac: await this.#readMac(),
    };
  }

  async profiles(): Promise<OnvifProfile[]> {
    await this.session.findServices();
    const { camera } = this.session;
    if (!camera.hasMedia2) return await this.#readProfiles();
    try {
      const profiles = await this.#readProfiles();
      if (profiles.length > 0) return profiles;
    } catch (error) {
      if (!isDevicesFault(error) || !this.session.hasService('media')) throw error;
    }
    // Some firmwares list Media 2 and fail at it (D-Link DCS-8635LH).
    camera.hasMedia2 = false;
    return await this.#readProfiles();
  }

  async streamUri(profileToken: string): Promise<OnvifUrl> {
    const options = {
      protocol: 'RTSP',
      stream: 'RTP-Unicast',
      profileToken: escapeXml(profileToken),
    };
    return await this.#uri((cam, done) => cam.getStreamUri(options, done));
  }

  async snapshotUri(profileToken: string): Promise<OnvifUrl> {
    const options = { profileToken: escapeXml(profileToken) };
    return await this.#uri((cam, done) => cam.getSnapshotUri(options, done));
  }

  async #readProfiles(): Promise<OnvifProfile[]> {
    const { body } = await this.session.ask((cam, done) => cam.getProfiles(done));
    const answer = child(body, 'GetProfilesResponse');
    if (answer === undefined) {
      throw new ProtocolError('ONVIF_REPLY', 'GetProfiles: the reply is about something else');
    }
    return answer.children
      .filter((each) => each.name === 'Profiles' && each.closed)
      .slice(0, MAX_PROFILES)
      .flatMap((each) => readProfile(each) ?? []);
  }

  /** By Media 2, and where that fails by Media 1: a profile has the same token in both (ONVIF Media 2 §5.1). */
  async #uri(invoke: CamCall): Promise<OnvifUrl> {
    await this.session.findServices();
    const { camera } = this.session;
    try {
      return this.#readUrl(await this.session.ask(invoke));
    } catch (error) {
      const mayFallBack = camera.hasMedia2 && this.session.hasService('media');
      if (!mayFallBack || !isDevicesFault(error)) throw error;
    }
    camera.hasMedia2 = false;
    try {
      return this.#readUrl(await this.session.ask(invoke));
    } finally {
      camera.hasMedia2 = true;
    }
  }

  async #readMac(): Promise<string | undefined> {
    try {
      const reply = await this.session.ask((cam, done) => cam.getNetworkInterfaces(done));
      for (const each of descendants(reply.body, 'HwAddress')) {
        const mac = parseMac(each.text.trim());
        if (mac !== undefined) return mac;
      }
    } catch (error) {
      // Not every user may ask, and not every device answers: the description does without.
      const wantsLogin = error instanceof AuthenticationError && !error.credentialsSent;
      if (!wantsLogin && !isDevicesFault(error)) throw error;
    }
    return undefined;
  }

  #readUrl(reply: CamReply): OnvifUrl {
    const [element] = descendants(reply.body, 'Uri');
    const original = element?.text.trim() ?? '';
    const url = original.length > 2048 ? undefined : atHost(original, this.session.endpoint.host);
    if (url === undefined) {
      throw new ProtocolError('ONVIF_URI', 'the device gave no usable URL for this profile');
    }
    return { url, original };
  }
}

function isDevicesFault(error: unknown): boolean {
  return error instanceof ProtocolError || error instanceof ParseError;
}

function readProfile(element: XmlElement): OnvifProfile | undefined {
  const token = element.attributes.get('token');
  if (token === undefined || token === '') return undefined;
  // Media 1 has VideoEncoderConfiguration in the profile, Media 2 VideoEncoder in its Configurations; others likewise.
  const configurations = child(element, 'Configurations');
  const part = (name: string) =>
    child(element, `${name}Configuration`) ?? child(configurations, name);
  const video = part('VideoEncoder');
  return {
    token,
    name: shownText(textAt(element, 'Name') ?? token),
    codec: video === undefined ? undefined : encoderCodec(video),
    width: numberAt(video, 'Resolution', 'Width'),
    height: numberAt(video, 'Resolution', 'Height'),
    fps: numberAt(video, 'RateControl', 'FrameRateLimit'),
    kbps: numberAt(video, 'RateControl', 'BitrateLimit'),
    gopFrames: video === undefined ? undefined : encoderGopFrames(video),
    sourceToken: textAt(part('VideoSource'), 'SourceToken'),
    encoderToken: video?.attributes.get('token'),
    ptz: readPtzConfiguration(part('PTZ')),
  };
}

function shortText(element: XmlElement, name: string): string | undefined {
  const text = textAt(element, name);
  return text === undefined ? undefined : shownText(text);
}
