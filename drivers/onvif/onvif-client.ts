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
import type { CamReply } from './cam.ts';
import { atHost, type OnvifEndpoint } from './onvif-endpoint.ts';
import { OnvifSession, type OnvifSessionOptions } from './onvif-session.ts';
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
}

export interface OnvifUrl {
  /** At the host that answered. */
  readonly url: string;
  /** As the device gave it, for diagnosis. May contain secrets. */
  readonly original: string;
}

export class OnvifClient {
  readonly #session: OnvifSession;

  constructor(
    endpoint: OnvifEndpoint,
    credentials: Credentials | undefined,
    options: OnvifSessionOptions,
  ) {
    this.#session = new OnvifSession(endpoint, credentials, options);
  }

  /** Logs in, and says who the device is. */
  async describeDevice(): Promise<DeviceDescription> {
    const reply = await this.#session.logIn();
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
    await this.#session.findServices();
    let reply: CamReply;
    try {
      reply = await this.#session.call((cam, done) => cam.getProfiles(done));
    } catch (error) {
      // Some firmwares list Media 2 and fail at it (D-Link DCS-8635LH).
      const mayFallBack =
        (await this.#session.camera()).hasMedia2 && error instanceof ProtocolError;
      if (!mayFallBack) throw error;
      (await this.#session.camera()).hasMedia2 = false;
      reply = await this.#session.call((cam, done) => cam.getProfiles(done));
    }
    const answer = child(reply.body, 'GetProfilesResponse');
    return (answer?.children ?? [])
      .filter((each) => each.name === 'Profiles' && each.closed)
      .slice(0, MAX_PROFILES)
      .flatMap((each) => readProfile(each) ?? []);
  }

  async streamUri(profileToken: string): Promise<OnvifUrl> {
    await this.#session.findServices();
    const options = {
      protocol: 'RTSP',
      stream: 'RTP-Unicast',
      profileToken: escapeXml(profileToken),
    };
    return this.#readUrl(await this.#session.call((cam, done) => cam.getStreamUri(options, done)));
  }

  async snapshotUri(profileToken: string): Promise<OnvifUrl> {
    await this.#session.findServices();
    const options = { profileToken: escapeXml(profileToken) };
    return this.#readUrl(
      await this.#session.call((cam, done) => cam.getSnapshotUri(options, done)),
    );
  }

  async #readMac(): Promise<string | undefined> {
    try {
      const reply = await this.#session.call((cam, done) => cam.getNetworkInterfaces(done));
      for (const each of descendants(reply.body, 'HwAddress')) {
        const mac = parseMac(each.text.trim());
        if (mac !== undefined) return mac;
      }
    } catch (error) {
      // Not every user may ask, and not every device answers: the description does without.
      const isHarmless =
        error instanceof ProtocolError ||
        error instanceof ParseError ||
        (error instanceof AuthenticationError && !error.credentialsSent);
      if (!isHarmless) throw error;
    }
    return undefined;
  }

  #readUrl(reply: CamReply): OnvifUrl {
    const [element] = descendants(reply.body, 'Uri');
    const original = element?.text.trim() ?? '';
    const url = original.length > 2048 ? undefined : atHost(original, this.#session.endpoint.host);
    if (url === undefined) {
      throw new ProtocolError('ONVIF_URI', 'the device gave no usable URL for this profile');
    }
    return { url, original };
  }
}

function readProfile(element: XmlElement): OnvifProfile | undefined {
  const token = element.attributes.get('token');
  if (token === undefined || token === '') return undefined;
  // Media 1 has VideoEncoderConfiguration, Media 2 Configurations/VideoEncoder.
  const video =
    child(element, 'VideoEncoderConfiguration') ??
    child(child(element, 'Configurations'), 'VideoEncoder');
  return {
    token,
    name: shownText(textAt(element, 'Name') ?? token),
    codec: textAt(video, 'Encoding')
      ?.toLowerCase()
      .replace(/[^a-z0-9]/g, ''),
    width: numberAt(video, 'Resolution', 'Width'),
    height: numberAt(video, 'Resolution', 'Height'),
    fps: numberAt(video, 'RateControl', 'FrameRateLimit'),
    kbps: numberAt(video, 'RateControl', 'BitrateLimit'),
  };
}

function shortText(element: XmlElement, name: string): string | undefined {
  const text = textAt(element, name);
  return text === undefined ? undefined : shownText(text);
}
