/** A virtual camera's media services, 1 and 2: profiles, URLs, and encoders that can be set. */
import {
  child,
  escapeXml,
  numberAt,
  textAt,
  type XmlElement,
} from '../../../protocols/soap/xml.ts';
import { MEDIA2, SCHEMA, type VirtualCall, VirtualFault, type VirtualService } from './soap.ts';

export interface VirtualProfile {
  readonly token: string;
  readonly name: string;
  readonly encoding: 'H264' | 'H265' | 'JPEG';
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly kbps: number;
  readonly gopFrames?: number;
  /** Instead of the camera's `rtspUrl`. */
  readonly rtspUrl?: string;
}

const DEFAULT_PROFILES: readonly VirtualProfile[] = [
  {
    token: 'Profile_1',
    name: 'mainStream',
    encoding: 'H264',
    width: 1920,
    height: 1080,
    fps: 25,
    kbps: 4096,
    gopFrames: 50,
  },
  {
    token: 'Profile_2',
    name: 'subStream',
    encoding: 'H264',
    width: 640,
    height: 360,
    fps: 15,
    kbps: 512,
    gopFrames: 30,
  },
];

export interface MediaServiceOptions {
  readonly profiles: readonly VirtualProfile[] | undefined;
  readonly rtspUrl: string;
  /** Of every URL. */
  readonly host: string;
  readonly snapshotUrl: () => string | undefined;
  /** Its PTZConfiguration of the schema's type, or nothing. */
  readonly ptzConfiguration: (tag: string) => string;
}

export class MediaService implements VirtualService {
  /** As they are now. */
  readonly profiles: VirtualProfile[];
  readonly #options: MediaServiceOptions;

  constructor(options: MediaServiceOptions) {
    this.#options = options;
    this.profiles = [...(options.profiles ?? DEFAULT_PROFILES)];
  }

  perform({ name, namespace, operation }: VirtualCall): string | undefined {
    const isMedia2 = namespace === MEDIA2;
    const prefix = isMedia2 ? 'tr2' : 'trt';
    const answer = (content: string) =>
      `<${prefix}:${name}Response xmlns:${prefix}="${namespace}" xmlns:tt="${SCHEMA}">${content}</${prefix}:${name}Response>`;
    switch (name) {
      case 'GetProfiles':
        return answer(this.profiles.map((each) => this.#profile(each, isMedia2)).join(''));
      case 'GetStreamUri':
      case 'GetSnapshotUri': {
        const url = this.#url(name, textAt(operation, 'ProfileToken') ?? '');
        if (url === undefined) return undefined;
        const uri = escapeXml(url);
        return answer(
          isMedia2
            ? `<tr2:Uri>${uri}</tr2:Uri>`
            : `<trt:MediaUri><tt:Uri>${uri}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect></trt:MediaUri>`,
        );
      }
      case 'GetVideoEncoderConfigurations':
        return answer(
          this.profiles.map((each) => encoder(each, isMedia2, `${prefix}:Configurations`)).join(''),
        );
      case 'GetVideoEncoderConfigurationOptions':
        return answer(isMedia2 ? OPTIONS_2 : OPTIONS_1);
      case 'SetVideoEncoderConfiguration':
        this.#set(child(operation, 'Configuration'), isMedia2);
        return answer('');
      default:
        return undefined;
    }
  }

  #profile(profile: VirtualProfile, isMedia2: boolean): string {
    const source =
      '<tt:Name>src</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>VideoSource_1</tt:SourceToken>' +
      `<tt:Bounds x="0" y="0" width="1920" height="1080"/>`;
    const token = escapeXml(profile.token);
    const name = escapeXml(profile.name);
    const { ptzConfiguration } = this.#options;
    if (!isMedia2) {
      return (
        `<trt:Profiles token="${token}" fixed="true"><tt:Name>${name}</tt:Name>` +
        `<tt:VideoSourceConfiguration token="s">${source}</tt:VideoSourceConfiguration>` +
        `${encoder(profile, false, 'tt:VideoEncoderConfiguration')}${ptzConfiguration('tt:PTZConfiguration')}</trt:Profiles>`
      );
    }
    return (
      `<tr2:Profiles token="${token}" fixed="true"><tr2:Name>${name}</tr2:Name><tr2:Configurations>` +
      `<tr2:VideoSource token="s">${source}</tr2:VideoSource>` +
      `${encoder(profile, true, 'tr2:VideoEncoder')}${ptzConfiguration('tr2:PTZ')}</tr2:Configurations></tr2:Profiles>`
    );
  }

  #url(operation: string, token: string): string | undefined {
    if (operation === 'GetSnapshotUri') return this.#options.snapshotUrl();
    const profile = this.profiles.find((each) => each.token === token);
    const url = profile?.rtspUrl ?? this.#options.rtspUrl;
    return profile && url.replace(/(:\/\/)[^:/]+/, `$1${this.#options.host}`);
  }

  #set(configuration: XmlElement | undefined, isMedia2: boolean): void {
    const token = configuration?.attributes.get('token') ?? '';
    const at = this.profiles.findIndex((each) => encoderToken(each) === token);
    const profile = this.profiles[at];
    if (configuration === undefined || profile === undefined) {
      throw new VirtualFault('ter:NoConfig', 'no such configuration');
    }
    const encoding = textAt(configuration, 'Encoding') as VirtualProfile['encoding'];
    const gopFrames = isMedia2
      ? Number(configuration.attributes.get('GovLength'))
      : numberAt(configuration, 'H264', 'GovLength');
    const kbps = numberAt(configuration, 'RateControl', 'BitrateLimit');
    // What a strict camera says where something it told is missing.
    const isWhole = [
      'Name',
      'UseCount',
      'Encoding',
      'Resolution',
      'Quality',
      'RateControl',
      'Multicast',
    ].every((name) => child(configuration, name) !== undefined);
    if (!isWhole) throw new VirtualFault('ter:ConfigModify', 'incomplete configuration');
    this.profiles[at] = { ...profile, encoding, gopFrames, kbps };
  }
}

function encoderToken({ token }: VirtualProfile): string {
  return `enc-${token}`;
}

/** With everything the schema has, and a maker's own. */
function encoder(profile: VirtualProfile, isMedia2: boolean, tag: string): string {
  const { encoding, width, height, fps, kbps, gopFrames } = profile;
  const govLength =
    isMedia2 && gopFrames !== undefined ? ` GovLength="${gopFrames}" Profile="High"` : '';
  const inCodec =
    !isMedia2 && gopFrames !== undefined && encoding === 'H264'
      ? `<tt:H264><tt:GovLength>${gopFrames}</tt:GovLength><tt:H264Profile>High</tt:H264Profile></tt:H264>`
      : '';
  const multicast =
    '<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>239.0.0.1</tt:IPv4Address></tt:Address>' +
    '<tt:Port>8860</tt:Port><tt:TTL>5</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>';
  const rateControl = isMedia2
    ? `<tt:RateControl ConstantBitRate="true"><tt:FrameRateLimit>${fps}</tt:FrameRateLimit><tt:BitrateLimit>${kbps}</tt:BitrateLimit></tt:RateControl>`
    : `<tt:RateControl><tt:FrameRateLimit>${fps}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>${kbps}</tt:BitrateLimit></tt:RateControl>`;
  const quality = '<tt:Quality>3</tt:Quality>';
  const resolution = `<tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution>`;
  return (
    `<${tag} token="${escapeXml(encoderToken(profile))}"${govLength}><tt:Name>enc</tt:Name><tt:UseCount>1</tt:UseCount>` +
    `<tt:Encoding>${encoding}</tt:Encoding>${resolution}` +
    (isMedia2 ? rateControl + multicast + quality : quality + rateControl + inCodec + multicast) +
    (isMedia2 ? '' : '<tt:SessionTimeout>PT60S</tt:SessionTimeout>') +
    `<vc:SmartCodec xmlns:vc="urn:virtual" mode="a&amp;b"><vc:On>true</vc:On></vc:SmartCodec></${tag}>`
  );
}

const SIZES = [
  [1920, 1080],
  [640, 360],
]
  .map(
    ([width, height]) =>
      `<tt:ResolutionsAvailable><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:ResolutionsAvailable>`,
  )
  .join('');

function range(name: string, min: number, max: number): string {
  return `<tt:${name}><tt:Min>${min}</tt:Min><tt:Max>${max}</tt:Max></tt:${name}>`;
}

const H264_1 =
  `${SIZES}${range('GovLengthRange', 1, 400)}${range('FrameRateRange', 1, 25)}${range('EncodingIntervalRange', 1, 1)}` +
  '<tt:H264ProfilesSupported>Main</tt:H264ProfilesSupported><tt:H264ProfilesSupported>High</tt:H264ProfilesSupported>';

const OPTIONS_1 =
  `<trt:Options>${range('QualityRange', 0, 5)}<tt:JPEG>${SIZES}${range('FrameRateRange', 1, 25)}</tt:JPEG>` +
  `<tt:H264>${H264_1}</tt:H264><tt:Extension><tt:H264>${H264_1}${range('BitrateRange', 32, 16_384)}</tt:H264></tt:Extension></trt:Options>`;

const OPTIONS_2 = (['H264', 'H265'] as const)
  .map(
    (encoding) =>
      `<tr2:Options GovLengthRange="1 ${encoding === 'H264' ? 400 : 250}" FrameRatesSupported="25 15" ProfilesSupported="${encoding === 'H264' ? 'Baseline Main High' : 'Main'}">` +
      `<tt:Encoding>${encoding}</tt:Encoding>${range('QualityRange', 0, 5)}${SIZES}${range('BitrateRange', 32, 16_384)}</tr2:Options>`,
  )
  .join('');
