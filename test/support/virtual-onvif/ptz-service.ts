/** A virtual camera's PTZ service: a head that goes where it is told at once, and notes what it was told. */
import { child, escapeXml, textAt, type XmlElement } from '../../../protocols/soap/xml.ts';
import { PTZ, SCHEMA, type VirtualCall, VirtualFault, type VirtualService } from './soap.ts';

export interface VirtualPtzOptions {
  /** Of its spaces: pan, tilt and zoom velocities, positions, zoom positions. Default: the generic ones. */
  readonly velocity?: readonly [number, number];
  readonly position?: readonly [number, number];
  readonly zoomPosition?: readonly [number, number];
  /** What it lacks. */
  readonly lacks?: readonly (
    | 'absolute'
    | 'zoom'
    | 'pan-tilt'
    | 'home'
    | 'presets'
    | 'nodes'
    | 'status'
  )[];
  /** Refuses moves that say how long they last. */
  readonly refusesTimeout?: boolean;
}

export interface VirtualPosition {
  readonly pan: number;
  readonly tilt: number;
  readonly zoom: number;
}

const GENERIC = 'http://www.onvif.org/ver10/tptz';

export class PtzService implements VirtualService {
  position: VirtualPosition = { pan: 0, tilt: 0, zoom: 0 };
  velocity: VirtualPosition = { pan: 0, tilt: 0, zoom: 0 };
  readonly presets = new Map<string, { name: string; position: VirtualPosition }>();
  readonly #options: VirtualPtzOptions;

  constructor(options: VirtualPtzOptions) {
    this.#options = options;
  }

  get isMoving(): boolean {
    return Object.values(this.velocity).some((speed) => speed !== 0);
  }

  configuration(tag: string): string {
    return (
      `<${tag} token="ptz"><tt:Name>ptz</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>node-1</tt:NodeToken>` +
      `<tt:DefaultAbsolutePantTiltPositionSpace>${GENERIC}/PanTiltSpaces/PositionGenericSpace</tt:DefaultAbsolutePantTiltPositionSpace>` +
      `<tt:DefaultContinuousPanTiltVelocitySpace>${GENERIC}/PanTiltSpaces/VelocityGenericSpace</tt:DefaultContinuousPanTiltVelocitySpace></${tag}>`
    );
  }

  perform({ name, operation }: VirtualCall): string | undefined {
    const answer = (content = '') =>
      `<tptz:${name}Response xmlns:tptz="${PTZ}" xmlns:tt="${SCHEMA}">${content}</tptz:${name}Response>`;
    switch (name) {
      case 'GetNodes':
        return this.#lacks('nodes') ? undefined : answer(this.#nodes());
      case 'ContinuousMove':
        if (this.#options.refusesTimeout && child(operation, 'Timeout') !== undefined) {
          throw new VirtualFault('ter:InvalidArgVal', 'timeout not supported');
        }
        this.velocity = { ...this.velocity, ...vector(child(operation, 'Velocity')) };
        return answer();
      case 'Stop':
        this.velocity = { pan: 0, tilt: 0, zoom: 0 };
        return answer();
      case 'AbsoluteMove':
        if (this.#lacks('absolute')) return undefined;
        this.position = { ...this.position, ...vector(child(operation, 'Position')) };
        return answer();
      case 'GetStatus':
        return this.#lacks('status') ? undefined : answer(this.#status());
      case 'GotoHomePosition':
        if (this.#lacks('home')) throw new VirtualFault('ter:NoHomePosition', 'no home position');
        this.position = { pan: 0, tilt: 0, zoom: 0 };
        return answer();
      default:
        return this.#lacks('presets') ? undefined : this.#presets(name, operation, answer);
    }
  }

  #presets(
    name: string,
    operation: XmlElement,
    answer: (content?: string) => string,
  ): string | undefined {
    const token = textAt(operation, 'PresetToken');
    const preset = this.presets.get(token ?? '');
    switch (name) {
      case 'GetPresets':
        return answer(
          Array.from(
            this.presets,
            ([each, { name: named }]) =>
              `<tptz:Preset token="${escapeXml(each)}"><tt:Name>${escapeXml(named)}</tt:Name></tptz:Preset>`,
          ).join(''),
        );
      case 'SetPreset': {
        const given = token ?? `preset-${this.presets.size + 1}`;
        const named = textAt(operation, 'PresetName') ?? given;
        this.presets.set(given, { name: named, position: this.position });
        return answer(`<tptz:PresetToken>${escapeXml(given)}</tptz:PresetToken>`);
      }
      case 'GotoPreset':
        if (preset === undefined) throw new VirtualFault('ter:NoToken', 'no such preset');
        this.position = preset.position;
        return answer();
      case 'RemovePreset':
        if (preset === undefined) throw new VirtualFault('ter:NoToken', 'no such preset');
        this.presets.delete(token ?? '');
        return answer();
      default:
        return undefined;
    }
  }

  #lacks(what: NonNullable<VirtualPtzOptions['lacks']>[number]): boolean {
    return this.#options.lacks?.includes(what) === true;
  }

  #status(): string {
    const { pan, tilt, zoom } = this.position;
    return `<tptz:PTZStatus><tt:Position><tt:PanTilt x="${pan}" y="${tilt}"/><tt:Zoom x="${zoom}"/></tt:Position></tptz:PTZStatus>`;
  }

  #nodes(): string {
    const { velocity = [-1, 1], position = [-1, 1], zoomPosition = [0, 1] } = this.#options;
    const range = (name: string, [min, max]: readonly [number, number]) =>
      `<tt:${name}><tt:Min>${min}</tt:Min><tt:Max>${max}</tt:Max></tt:${name}>`;
    const space = (name: string, uri: string, ...ranges: string[]) =>
      `<tt:${name}><tt:URI>${uri}</tt:URI>${ranges.join('')}</tt:${name}>`;
    const spaces = [
      // Another space first: what counts is the configuration's.
      space(
        'AbsolutePanTiltPositionSpace',
        `${GENERIC}/PanTiltSpaces/SphericalPositionSpaceDegrees`,
        range('XRange', [0, 360]),
        range('YRange', [0, 90]),
      ),
      space(
        'AbsolutePanTiltPositionSpace',
        `${GENERIC}/PanTiltSpaces/PositionGenericSpace`,
        range('XRange', position),
        range('YRange', position),
      ),
      space(
        'AbsoluteZoomPositionSpace',
        `${GENERIC}/ZoomSpaces/PositionGenericSpace`,
        range('XRange', zoomPosition),
      ),
      space(
        'ContinuousPanTiltVelocitySpace',
        `${GENERIC}/PanTiltSpaces/VelocityGenericSpace`,
        range('XRange', velocity),
        range('YRange', velocity),
      ),
      space(
        'ContinuousZoomVelocitySpace',
        `${GENERIC}/ZoomSpaces/VelocityGenericSpace`,
        range('XRange', velocity),
      ),
    ].filter(
      (xml) =>
        !(this.#lacks('absolute') && xml.startsWith('<tt:Absolute')) &&
        !(this.#lacks('zoom') && xml.includes('Zoom')) &&
        !(this.#lacks('pan-tilt') && xml.includes('PanTilt')),
    );
    return (
      '<tptz:PTZNode token="other"><tt:Name>other</tt:Name><tt:SupportedPTZSpaces/><tt:MaximumNumberOfPresets>0</tt:MaximumNumberOfPresets><tt:HomeSupported>false</tt:HomeSupported></tptz:PTZNode>' +
      `<tptz:PTZNode token="node-1"><tt:Name>node</tt:Name><tt:SupportedPTZSpaces>${spaces.join('')}</tt:SupportedPTZSpaces>` +
      `<tt:MaximumNumberOfPresets>${this.#lacks('presets') ? 0 : 255}</tt:MaximumNumberOfPresets><tt:HomeSupported>${!this.#lacks('home')}</tt:HomeSupported></tptz:PTZNode>`
    );
  }
}

function vector(element: XmlElement | undefined): Partial<VirtualPosition> {
  const panTilt = child(element, 'PanTilt')?.attributes;
  const zoom = child(element, 'Zoom')?.attributes;
  return {
    ...(panTilt === undefined
      ? {}
      : { pan: Number(panTilt.get('x')), tilt: Number(panTilt.get('y')) }),
    ...(zoom === undefined ? {} : { zoom: Number(zoom.get('x')) }),
  };
}
