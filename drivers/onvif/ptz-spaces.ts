/**
 * The coordinates a PTZ node works in (ONVIF PTZ Service §4.1, §5.1), and ours put into them.
 *
 * No request names a space: Hikvision answers those that do with an error (monibuca PR#341). So what counts are the ranges of
 * the spaces that the configuration has as its defaults.
 */
import type { HeadPosition, HeadVelocity } from '../../protocols/head-language.ts';
import { child, descendants, textAt, type XmlElement } from '../../protocols/soap/xml.ts';

export interface PtzConfiguration {
  readonly nodeToken: string | undefined;
  /** URIs of the spaces that count where a request names none. */
  readonly defaultSpaces: readonly string[];
}

interface Range {
  readonly min: number;
  readonly max: number;
}

interface PanTiltRange {
  readonly x: Range;
  readonly y: Range;
}

/** What a node can do; a part it does not list is undefined. */
export interface PtzNode {
  readonly position: {
    readonly panTilt: PanTiltRange | undefined;
    readonly zoom: Range | undefined;
  };
  readonly velocity: {
    readonly panTilt: PanTiltRange | undefined;
    readonly zoom: Range | undefined;
  };
  readonly hasHome: boolean;
  readonly hasPresets: boolean;
}

/** In the node's own numbers; a part left out stays as it is. */
export interface PtzVector {
  readonly panTilt?: { readonly x: number; readonly y: number } | undefined;
  readonly zoom?: number | undefined;
}

const FULL: Range = { min: -1, max: 1 };
const FULL_PAN_TILT: PanTiltRange = { x: FULL, y: FULL };

/** Of a camera that will not say: the generic spaces (§5.1), with everything there; what is not answers so when it is asked for. */
export const GENERIC_NODE: PtzNode = {
  position: { panTilt: FULL_PAN_TILT, zoom: { min: 0, max: 1 } },
  velocity: { panTilt: FULL_PAN_TILT, zoom: FULL },
  hasHome: true,
  hasPresets: true,
};

export function readPtzConfiguration(
  element: XmlElement | undefined,
): PtzConfiguration | undefined {
  if (element === undefined) return undefined;
  const defaults = element.children.filter(({ name }) =>
    /^Default(?:Abs|Cont)\w+Space$/.test(name),
  );
  return {
    nodeToken: textAt(element, 'NodeToken'),
    defaultSpaces: defaults.map(({ text }) => text.trim()),
  };
}

/** The configuration's node of those in a reply to GetNodes; undefined where the reply has none. */
export function readPtzNode(
  body: XmlElement,
  { nodeToken, defaultSpaces }: PtzConfiguration,
): PtzNode | undefined {
  const nodes = [...descendants(body, 'PTZNode')];
  const node = nodes.find(({ attributes }) => attributes.get('token') === nodeToken) ?? nodes[0];
  const spaces = child(node, 'SupportedPTZSpaces');
  if (node === undefined || spaces === undefined) return undefined;
  const space = (name: string) => {
    const offered = spaces.children.filter((each) => each.name === name);
    const uri = (each: XmlElement) => textAt(each, 'URI') ?? '';
    return (
      offered.find((each) => defaultSpaces.includes(uri(each))) ??
      offered.find((each) => /GenericSpace$/.test(uri(each))) ??
      offered[0]
    );
  };
  return {
    position: {
      panTilt: panTiltRange(space('AbsolutePanTiltPositionSpace')),
      zoom: rangeAt(space('AbsoluteZoomPositionSpace'), 'XRange'),
    },
    velocity: {
      panTilt: panTiltRange(space('ContinuousPanTiltVelocitySpace')),
      zoom: rangeAt(space('ContinuousZoomVelocitySpace'), 'XRange'),
    },
    hasHome: textAt(node, 'HomeSupported') !== 'false',
    hasPresets: textAt(node, 'MaximumNumberOfPresets') !== '0',
  };
}

/** Only the parts that the node has. */
export function velocityVector(velocity: HeadVelocity, { velocity: ranges }: PtzNode): PtzVector {
  const { panTilt, zoom } = ranges;
  return {
    panTilt: panTilt && {
      x: speed(velocity.pan, panTilt.x),
      y: speed(velocity.tilt, panTilt.y),
    },
    zoom: zoom && speed(velocity.zoom, zoom),
  };
}

/** `now`: where the head looks, in its own numbers; taken for one of pan and tilt that is to stay. */
export function positionVector(
  position: HeadPosition,
  { position: ranges }: PtzNode,
  now: { readonly x: number; readonly y: number } | undefined,
): PtzVector {
  const { panTilt, zoom } = ranges;
  const movesPanTilt = position.pan !== undefined || position.tilt !== undefined;
  return {
    panTilt:
      panTilt === undefined || !movesPanTilt
        ? undefined
        : {
            x: position.pan === undefined ? (now?.x ?? 0) : between(position.pan, -1, panTilt.x),
            y: position.tilt === undefined ? (now?.y ?? 0) : between(position.tilt, -1, panTilt.y),
          },
    zoom:
      zoom === undefined || position.zoom === undefined
        ? undefined
        : between(position.zoom, 0, zoom),
  };
}

/** From -1 to 1 into a range around 0. */
function speed(value: number, { min, max }: Range): number {
  const wanted = Number.isNaN(value) ? 0 : Math.min(1, Math.max(-1, value));
  return rounded(wanted < 0 ? -wanted * Math.min(min, 0) : wanted * max);
}

/** From `from`…1 into the range. */
function between(value: number, from: number, { min, max }: Range): number {
  const wanted = Number.isNaN(value) ? from : Math.min(1, Math.max(from, value));
  return rounded(min + ((wanted - from) / (1 - from)) * (max - min));
}

/** No exponent, no -0: firmwares read numbers by hand. */
function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000 + 0;
}

function panTiltRange(space: XmlElement | undefined): PanTiltRange | undefined {
  const x = rangeAt(space, 'XRange');
  const y = rangeAt(space, 'YRange');
  return x === undefined || y === undefined ? undefined : { x, y };
}

function rangeAt(space: XmlElement | undefined, name: string): Range | undefined {
  if (space === undefined) return undefined;
  const min = Number(textAt(space, name, 'Min'));
  const max = Number(textAt(space, name, 'Max'));
  // Offered without a usable range: the generic one.
  return min < max && Number.isFinite(max - min) ? { min, max } : FULL;
}
