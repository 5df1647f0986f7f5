/** The virtual camera's PTZ service, in the generic spaces only. ONVIF PTZ §5. */
import { descend, escapeXml, textAt, type XmlElement } from '../../protocols/soap/xml.ts';
import {
  durationMs,
  invalidArgument,
  OnvifFault,
  type OnvifOperations,
  type OnvifService,
} from './onvif-operation.ts';
import type { HeadPosition, HeadPreset, VirtualHead } from './virtual-head.ts';

const SPACES = 'http://www.onvif.org/ver10/tptz';
const TIMEOUT = 'PT10S';
const DEFAULT_TIMEOUT_MS = 10_000;
/** PTZ §5.3.3: what a device takes; longer ones are cut. */
const MAX_TIMEOUT_MS = 60_000;
const MAX_NAME_CHARACTERS = 64;

/** From its attributes on, for whatever element it is in. */
export const PTZ_CONFIGURATION =
  'token="ptz"><tt:Name>ptz</tt:Name><tt:UseCount>1</tt:UseCount><tt:NodeToken>head</tt:NodeToken>' +
  `<tt:DefaultAbsolutePantTiltPositionSpace>${SPACES}/PanTiltSpaces/PositionGenericSpace</tt:DefaultAbsolutePantTiltPositionSpace>` +
  `<tt:DefaultAbsoluteZoomPositionSpace>${SPACES}/ZoomSpaces/PositionGenericSpace</tt:DefaultAbsoluteZoomPositionSpace>` +
  `<tt:DefaultRelativePanTiltTranslationSpace>${SPACES}/PanTiltSpaces/TranslationGenericSpace</tt:DefaultRelativePanTiltTranslationSpace>` +
  `<tt:DefaultRelativeZoomTranslationSpace>${SPACES}/ZoomSpaces/TranslationGenericSpace</tt:DefaultRelativeZoomTranslationSpace>` +
  `<tt:DefaultContinuousPanTiltVelocitySpace>${SPACES}/PanTiltSpaces/VelocityGenericSpace</tt:DefaultContinuousPanTiltVelocitySpace>` +
  `<tt:DefaultContinuousZoomVelocitySpace>${SPACES}/ZoomSpaces/VelocityGenericSpace</tt:DefaultContinuousZoomVelocitySpace>` +
  `<tt:DefaultPTZTimeout>${TIMEOUT}</tt:DefaultPTZTimeout>`;

const SUPPORTED_SPACES = [
  space('AbsolutePanTiltPositionSpace', 'PanTiltSpaces/PositionGenericSpace', -1, true),
  space('AbsoluteZoomPositionSpace', 'ZoomSpaces/PositionGenericSpace', 0, false),
  space('RelativePanTiltTranslationSpace', 'PanTiltSpaces/TranslationGenericSpace', -1, true),
  space('RelativeZoomTranslationSpace', 'ZoomSpaces/TranslationGenericSpace', -1, false),
  space('ContinuousPanTiltVelocitySpace', 'PanTiltSpaces/VelocityGenericSpace', -1, true),
  space('ContinuousZoomVelocitySpace', 'ZoomSpaces/VelocityGenericSpace', -1, false),
].join('');
const NODE =
  'token="head" FixedHomePosition="false"><tt:Name>head</tt:Name>' +
  `<tt:SupportedPTZSpaces>${SUPPORTED_SPACES}</tt:SupportedPTZSpaces>` +
  '<tt:MaximumNumberOfPresets>32</tt:MaximumNumberOfPresets><tt:HomeSupported>true</tt:HomeSupported>';

export function ptzService(head: VirtualHead): OnvifService {
  return {
    path: '/onvif/ptz_service',
    namespace: 'http://www.onvif.org/ver20/ptz/wsdl',
    prefix: 'tptz',
    operations: {
      GetServiceCapabilities: () => '<tptz:Capabilities MoveStatus="true" StatusPosition="true"/>',
      GetNodes: () => `<tptz:PTZNode ${NODE}</tptz:PTZNode>`,
      GetNode: () => `<tptz:PTZNode ${NODE}</tptz:PTZNode>`,
      GetConfigurations: () =>
        `<tptz:PTZConfiguration ${PTZ_CONFIGURATION}</tptz:PTZConfiguration>`,
      GetConfiguration: () => `<tptz:PTZConfiguration ${PTZ_CONFIGURATION}</tptz:PTZConfiguration>`,
      GetConfigurationOptions: () =>
        `<tptz:PTZConfigurationOptions><tt:Spaces>${SUPPORTED_SPACES}</tt:Spaces>` +
        '<tt:PTZTimeout><tt:Min>PT0S</tt:Min><tt:Max>PT60S</tt:Max></tt:PTZTimeout></tptz:PTZConfigurationOptions>',
      GetStatus: () => status(head),
      ...moves(head),
      ...presets(head),
    },
  };
}

function moves(head: VirtualHead): OnvifOperations {
  const quietly = (act: (request: XmlElement) => void) => (request: XmlElement) => {
    act(request);
    return '';
  };
  const nowhere = { pan: 0, tilt: 0, zoom: 0 };
  return {
    ContinuousMove: quietly((request) => {
      const speed = readVector(request, 'Velocity', nowhere);
      head.move(speed, performance.now() + readTimeout(textAt(request, 'Timeout')));
    }),
    AbsoluteMove: quietly((request) => head.goTo(readVector(request, 'Position', head.position))),
    RelativeMove: quietly((request) => head.goBy(readVector(request, 'Translation', nowhere))),
    Stop: quietly(() => head.stop()),
    GotoHomePosition: quietly(() => head.goHome()),
    SetHomePosition: quietly(() => head.setHome()),
  };
}

function presets(head: VirtualHead): OnvifOperations {
  const checked = (isThere: boolean) => {
    if (!isThere) throw invalidArgument('ter:NoToken', 'The requested preset does not exist');
    return '';
  };
  return {
    GetPresets: () => [...head.presets].map(presetEntry).join(''),
    SetPreset: (request) => {
      const name = textAt(request, 'PresetName')?.slice(0, MAX_NAME_CHARACTERS);
      const wanted = textAt(request, 'PresetToken');
      const token = head.setPreset({ token: wanted, name });
      if (token !== undefined) return `<tptz:PresetToken>${token}</tptz:PresetToken>`;
      if (wanted !== undefined) return checked(false);
      throw new OnvifFault(['ter:Action', 'ter:TooManyPresets'], 'No preset is free');
    },
    GotoPreset: (request) => checked(head.goToPreset(textAt(request, 'PresetToken') ?? '')),
    RemovePreset: (request) => checked(head.removePreset(textAt(request, 'PresetToken') ?? '')),
  };
}

function presetEntry({ token, name, position }: HeadPreset): string {
  return (
    `<tptz:Preset token="${token}"><tt:Name>${escapeXml(name)}</tt:Name>` +
    `<tt:PTZPosition>${vector(position)}</tt:PTZPosition></tptz:Preset>`
  );
}

function status(head: VirtualHead): string {
  const moving = head.isMoving ? 'MOVING' : 'IDLE';
  return (
    `<tptz:PTZStatus><tt:Position>${vector(head.position)}</tt:Position>` +
    `<tt:MoveStatus><tt:PanTilt>${moving}</tt:PanTilt><tt:Zoom>${moving}</tt:Zoom></tt:MoveStatus>` +
    `<tt:UtcTime>${new Date().toISOString()}</tt:UtcTime></tptz:PTZStatus>`
  );
}

function vector({ pan, tilt, zoom }: HeadPosition): string {
  return (
    `<tt:PanTilt x="${pan.toFixed(4)}" y="${tilt.toFixed(4)}" space="${SPACES}/PanTiltSpaces/PositionGenericSpace"/>` +
    `<tt:Zoom x="${zoom.toFixed(4)}" space="${SPACES}/ZoomSpaces/PositionGenericSpace"/>`
  );
}

/** What is left out is as in `rest`. */
function readVector(request: XmlElement, name: string, rest: HeadPosition): HeadPosition {
  const panTilt = descend(request, name, 'PanTilt');
  const zoom = descend(request, name, 'Zoom');
  return {
    pan: readAxis(panTilt, 'x', rest.pan),
    tilt: readAxis(panTilt, 'y', rest.tilt),
    zoom: readAxis(zoom, 'x', rest.zoom),
  };
}

function readAxis(element: XmlElement | undefined, name: string, rest: number): number {
  const text = element?.attributes.get(name);
  if (text === undefined) return rest;
  const value = Number(text);
  if (text.trim() !== '' && value >= -1 && value <= 1) return value;
  throw invalidArgument('ter:InvalidPosition', 'The requested position or speed is out of bounds');
}

function readTimeout(text: string | undefined): number {
  const timeoutMs = text === undefined ? DEFAULT_TIMEOUT_MS : durationMs(text);
  if (timeoutMs !== undefined) return Math.min(MAX_TIMEOUT_MS, timeoutMs);
  throw invalidArgument('ter:TimeoutNotSupported', 'The timeout is not within the range');
}

function space(element: string, uri: string, min: number, hasTwoAxes: boolean): string {
  const range = (axis: string) =>
    `<tt:${axis}Range><tt:Min>${min}</tt:Min><tt:Max>1</tt:Max></tt:${axis}Range>`;
  const ranges = range('X') + (hasTwoAxes ? range('Y') : '');
  return `<tt:${element}><tt:URI>${SPACES}/${uri}</tt:URI>${ranges}</tt:${element}>`;
}
