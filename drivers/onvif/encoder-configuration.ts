/**
 * A video encoder's configuration, of Media 1 and Media 2 alike (ONVIF Media §5.3, Media 2 §5.2): what it says, what may be set,
 * and the same with a change. What is not changed stays as the device gave it, element by element.
 */
import { ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import { child, descendants, numberAt, textAt, type XmlElement } from '../../protocols/soap/xml.ts';
import type { EncoderChange } from '../camera/camera-controls.ts';

export const SCHEMA = 'http://www.onvif.org/ver10/schema';
/** A device lists each size at most once for each codec. */
const MAX_LISTED = 256;

interface Range {
  readonly min: number;
  readonly max: number;
}

/** What may be set while one codec is on; a part the device does not tell is undefined or empty. */
export interface CodecLimits {
  readonly kbps: Range | undefined;
  readonly gopFrames: Range | undefined;
  /** `Main`, `High`, … */
  readonly profiles: readonly string[];
  /** `1920x1080` */
  readonly resolutions: readonly string[];
}

/** By codec, as `encoderCodec` names them. */
export type EncoderLimits = ReadonlyMap<string, CodecLimits>;

/** `h264`, `h265`, `jpeg`; Media 2 has IANA names, such as `MPV4-ES`. */
export function encoderCodec(configuration: XmlElement): string | undefined {
  return codecName(textAt(configuration, 'Encoding'));
}

/** Media 2: an attribute; Media 1: in the codec's own element. */
export function encoderGopFrames(configuration: XmlElement): number | undefined {
  const inCodec = codecElement(configuration, encoderCodec(configuration));
  const frames =
    Number(configuration.attributes.get('GovLength')) || numberAt(inCodec, 'GovLength');
  return frames > 0 ? frames : undefined;
}

/** Those of a reply to GetVideoEncoderConfigurationOptions. */
export function readEncoderLimits(body: XmlElement, isMedia2: boolean): EncoderLimits {
  const limits = new Map<string, CodecLimits>();
  const options = [...descendants(body, 'Options')].slice(0, MAX_LISTED);
  for (const each of isMedia2 ? options : []) {
    const codec = encoderCodec(each);
    if (codec !== undefined) limits.set(codec, media2Limits(each));
  }
  for (const name of isMedia2 ? [] : ['JPEG', 'MPEG4', 'H264', 'H265']) {
    const [inOptions, inExtension] = [options[0], child(options[0], 'Extension')].map((each) =>
      child(each, name),
    );
    // The extension's has the bit rate (Media §5.3.3), and repeats the rest.
    const codec = codecName(name);
    const found = inExtension ?? inOptions;
    if (found !== undefined && codec !== undefined)
      limits.set(codec, media1Limits(found, inOptions));
  }
  return limits;
}

/** A configuration that is as this one but for the change. Throws where the device says that it cannot be so. */
export function changedConfiguration(
  configuration: XmlElement,
  change: EncoderChange,
  limits: EncoderLimits,
  isMedia2: boolean,
): XmlElement {
  const before = encoderCodec(configuration);
  const codec = change.codec ?? before;
  const allowed = codec === undefined ? undefined : limits.get(codec);
  if (codec !== before && allowed === undefined) {
    throw new UnsupportedError(
      `the camera cannot encode ${codec}, only ${[...limits.keys()].join(', ') || before}`,
    );
  }
  checkRange('kbps', change.kbps, allowed?.kbps);
  checkRange('gopFrames', change.gopFrames, allowed?.gopFrames);
  let changed = configuration;
  if (codec !== undefined && codec !== before && allowed !== undefined) {
    changed = withCodec(changed, codec, allowed, isMedia2);
  }
  if (change.kbps !== undefined) {
    changed = withText(changed, ['RateControl', 'BitrateLimit'], change.kbps);
  }
  if (change.gopFrames !== undefined) changed = withGop(changed, codec, change.gopFrames, isMedia2);
  return changed;
}

function withCodec(
  configuration: XmlElement,
  codec: string,
  allowed: CodecLimits,
  isMedia2: boolean,
): XmlElement {
  const size = `${numberAt(configuration, 'Resolution', 'Width')}x${numberAt(configuration, 'Resolution', 'Height')}`;
  if (allowed.resolutions.length > 0 && !allowed.resolutions.includes(size)) {
    throw new ProtocolError('ENCODER_LIMITS', `the camera cannot encode ${codec} at ${size}`);
  }
  const encoded = withText(configuration, ['Encoding'], codec.toUpperCase());
  const gop = clamp(encoderGopFrames(configuration) ?? 0, allowed.gopFrames);
  const isAllowed = (name: string | undefined) =>
    name !== undefined && allowed.profiles.includes(name);
  if (isMedia2) {
    const attributes = new Map(encoded.attributes);
    const profile = attributes.get('Profile');
    if (!isAllowed(profile)) setOrDrop(attributes, 'Profile', usualProfile(allowed));
    setOrDrop(attributes, 'GovLength', gop > 0 ? String(gop) : undefined);
    return { ...encoded, attributes };
  }
  const name = codec.toUpperCase();
  if (child(encoded, name) !== undefined) return encoded;
  // Media §5.3.1 VideoEncoderConfiguration: the codec's element is wanted, before Multicast.
  const profile = usualProfile(allowed);
  const element = made(name, [
    made('GovLength', [], String(Math.max(1, gop))),
    ...(profile === undefined ? [] : [made(`${name}Profile`, [], profile)]),
  ]);
  const at = encoded.children.findIndex(
    (each) => each.name === 'Multicast' || each.name === 'SessionTimeout',
  );
  return {
    ...encoded,
    children: encoded.children.toSpliced(at === -1 ? encoded.children.length : at, 0, element),
  };
}

function withGop(
  configuration: XmlElement,
  codec: string | undefined,
  gopFrames: number,
  isMedia2: boolean,
): XmlElement {
  const inCodec = codecElement(configuration, codec);
  if (!isMedia2) return withText(configuration, [inCodec?.name ?? 'H264', 'GovLength'], gopFrames);
  const attributes = new Map([...configuration.attributes, ['GovLength', String(gopFrames)]]);
  return { ...configuration, attributes };
}

/** With another text at `path`, which must be there. */
function withText(
  element: XmlElement,
  [name, ...path]: readonly string[],
  text: string | number,
): XmlElement {
  if (name === undefined) return { ...element, text: String(text) };
  const at = element.children.findIndex((each) => each.name === name);
  const found = element.children[at];
  if (found === undefined) {
    throw new UnsupportedError(`the camera does not let its ${name} be set`);
  }
  return { ...element, children: element.children.with(at, withText(found, path, text)) };
}

function made(name: string, children: readonly XmlElement[], text = ''): XmlElement {
  return { name, namespace: SCHEMA, attributes: new Map(), children, text, closed: true };
}

function usualProfile({ profiles }: CodecLimits): string | undefined {
  return profiles.includes('Main') ? 'Main' : profiles[0];
}

function setOrDrop(attributes: Map<string, string>, name: string, value: string | undefined): void {
  if (value === undefined) attributes.delete(name);
  else attributes.set(name, value);
}

function checkRange(what: string, value: number | undefined, range: Range | undefined): void {
  if (value === undefined) return;
  const isWithin = range === undefined || (value >= range.min && value <= range.max);
  if (Number.isInteger(value) && value > 0 && isWithin) return;
  const expected = range === undefined ? 'a whole number above 0' : `${range.min} to ${range.max}`;
  throw new ProtocolError('ENCODER_LIMITS', `${what}: expected ${expected}, got ${value}`);
}

function clamp(value: number, range: Range | undefined): number {
  return range === undefined ? value : Math.min(range.max, Math.max(range.min, value));
}

function media2Limits(options: XmlElement): CodecLimits {
  const [min, max] = (options.attributes.get('GovLengthRange') ?? '')
    .trim()
    .split(/\s+/)
    .map(Number);
  const profiles = (options.attributes.get('ProfilesSupported') ?? '').split(/\s+/);
  return {
    kbps: rangeAt(options, 'BitrateRange'),
    gopFrames: rangeOf(min, max),
    profiles: profiles.filter((name) => name !== '').slice(0, MAX_LISTED),
    resolutions: resolutionsOf(options),
  };
}

function media1Limits(found: XmlElement, inOptions: XmlElement | undefined): CodecLimits {
  const gopFrames = rangeAt(found, 'GovLengthRange') ?? rangeAt(inOptions, 'GovLengthRange');
  const listed = [found, inOptions].flatMap((each) => each?.children ?? []);
  return {
    kbps: rangeAt(found, 'BitrateRange'),
    gopFrames,
    profiles: listed
      .filter(({ name }) => name.endsWith('ProfilesSupported'))
      .map(({ text }) => text.trim())
      .slice(0, MAX_LISTED),
    resolutions: resolutionsOf(found),
  };
}

function resolutionsOf(options: XmlElement): string[] {
  return options.children
    .filter(({ name }) => name === 'ResolutionsAvailable')
    .slice(0, MAX_LISTED)
    .map((each) => `${numberAt(each, 'Width')}x${numberAt(each, 'Height')}`);
}

function rangeAt(element: XmlElement | undefined, name: string): Range | undefined {
  const range = child(element, name);
  return range && rangeOf(numberAt(range, 'Min'), numberAt(range, 'Max'));
}

function rangeOf(min: number | undefined, max: number | undefined): Range | undefined {
  if (min === undefined || max === undefined || !(max > 0) || !(min <= max)) return undefined;
  return { min: Math.max(1, min), max };
}

function codecElement(
  configuration: XmlElement,
  codec: string | undefined,
): XmlElement | undefined {
  return configuration.children.find(
    ({ name }) => /^(?:H26|MPEG)\d$/.test(name) && codecName(name) === codec,
  );
}

function codecName(text: string | undefined): string | undefined {
  return text?.toLowerCase().replace(/[^a-z0-9]/g, '');
}
