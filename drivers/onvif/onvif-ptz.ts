/**
 * A camera's pan, tilt and zoom by ONVIF (PTZ Service Specification).
 *
 * A move ends twice: by the Timeout we send with it, which not every camera heeds, and by a Stop of our own.
 */
import type { Logger } from 'pino';
import { ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import type { HeadPosition, HeadVelocity } from '../../protocols/head-language.ts';
import {
  child,
  descendants,
  escapeXml,
  textAt,
  type XmlElement,
} from '../../protocols/soap/xml.ts';
import type { PtzAbilities, PtzHead, PtzPreset } from '../ptz/ptz-head.ts';
import { type CamCall, type CamReply, soapRequest } from './cam.ts';
import type { OnvifSession } from './onvif-session.ts';
import {
  GENERIC_NODE,
  type PtzConfiguration,
  type PtzNode,
  type PtzVector,
  positionVector,
  readPtzNode,
  velocityVector,
} from './ptz-spaces.ts';
import { shownText } from './shown-text.ts';
import { isNotSupported } from './soap-reply.ts';

const PTZ = 'http://www.onvif.org/ver20/ptz/wsdl';
/** Whoever wants more asks again: it renews the time. */
const MAX_MOVE_MS = 5 * 60_000;
/** A head is steered by hand: an answer later than this is of no use. */
const PTZ_TIMEOUT_MS = 5_000;
/** Between two tries of a stop that fails. */
const STOP_AGAIN_MS = 1_000;
/** A camera that answers none of these is off, and its own timeout has ended the move. */
const MAX_STOP_TRIES = 5;
/** Axis and Hikvision have up to 300. */
const MAX_PRESETS = 512;

/** A session that is logged in, and how the camera is moved in it. */
export interface PtzLink {
  readonly session: OnvifSession;
  readonly profileToken: string;
  readonly configuration: PtzConfiguration;
}

export interface OnvifPtzOptions {
  /** Runs `use` in a session; a new one where the last failed. */
  readonly inSession: <T>(
    use: (link: PtzLink) => Promise<T>,
    signal: AbortSignal | undefined,
  ) => Promise<T>;
  readonly log: Logger;
}

export class OnvifPtz implements PtzHead {
  readonly #options: OnvifPtzOptions;
  #node: PtzNode | undefined;
  /** Some cameras refuse moves with a Timeout. */
  #sendsTimeout = true;
  /** What our last move set going. */
  #moving = { panTilt: false, zoom: false };
  #timer: NodeJS.Timeout | undefined;
  /** Requests go out one after the other: a stop never overtakes its move. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: OnvifPtzOptions) {
    this.#options = options;
  }

  async abilities(signal: AbortSignal): Promise<PtzAbilities> {
    const { position, hasHome, hasPresets } = await this.#inTurn(
      (link) => this.#nodeOf(link, signal),
      signal,
    );
    return {
      protocol: 'onvif',
      absolute: position.panTilt !== undefined || position.zoom !== undefined,
      home: hasHome,
      listsPresets: hasPresets,
    };
  }

  async move(velocity: HeadVelocity, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const isStill = velocity.pan === 0 && velocity.tilt === 0 && velocity.zoom === 0;
    if (isStill) return await this.stop(signal);
    const forMs = Math.min(MAX_MOVE_MS, Math.max(0, Number.isNaN(timeoutMs) ? 0 : timeoutMs));
    await this.#inTurn(async (link) => {
      const vector = velocityVector(velocity, await this.#nodeOf(link, signal));
      await this.#sendMove(link, this.#partsToMove(vector), forMs, signal);
    }, signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    // Not the caller's to give up: whoever wanted it to stop still does.
    await this.#stop();
  }

  async moveTo(position: HeadPosition, signal: AbortSignal): Promise<void> {
    await this.#inTurn(async (link) => {
      const node = await this.#nodeOf(link, signal);
      const isHalf = (position.pan === undefined) !== (position.tilt === undefined);
      const now = isHalf ? await this.#position(link, signal) : undefined;
      const vector = positionVector(position, node, now);
      if (vector.panTilt === undefined && vector.zoom === undefined) {
        throw new UnsupportedError('the camera cannot be moved to a position');
      }
      const { profileToken } = link;
      const options = { profileToken: escapeXml(profileToken), ...partsOf(vector) };
      await this.#ask(link, 'positions', signal, (cam, done) => cam.absoluteMove(options, done));
      this.#travels();
    }, signal);
  }

  async home(signal: AbortSignal): Promise<void> {
    await this.#inTurn(async (link) => {
      const options = ofProfile(link);
      await this.#ask(link, 'a home position', signal, (cam, done) =>
        cam.gotoHomePosition(options, done),
      );
      this.#travels();
    }, signal);
  }

  async presets(signal: AbortSignal): Promise<readonly PtzPreset[]> {
    return await this.#inTurn(async (link) => {
      const options = ofProfile(link);
      const { body } = await this.#ask(link, 'presets', signal, (cam, done) =>
        cam.getPresets(options, done),
      );
      const presets = child(body, 'GetPresetsResponse')?.children ?? [];
      return presets.slice(0, MAX_PRESETS).flatMap((each) => readPreset(each) ?? []);
    }, signal);
  }

  async goToPreset(token: string, signal: AbortSignal): Promise<void> {
    await this.#inTurn(async (link) => {
      const options = { ...ofProfile(link), preset: escapeXml(token) };
      await this.#ask(link, 'presets', signal, (cam, done) => cam.gotoPreset(options, done));
      this.#travels();
    }, signal);
  }

  async setPreset(
    { token, name }: { token?: string | undefined; name?: string | undefined },
    signal: AbortSignal,
  ): Promise<string> {
    return await this.#inTurn(async (link) => {
      // Our own: the package names a preset "undefined" that has no name.
      const request = soapRequest(
        `<SetPreset xmlns="${PTZ}"><ProfileToken>${escapeXml(link.profileToken)}</ProfileToken>` +
          (name === undefined ? '' : `<PresetName>${escapeXml(name)}</PresetName>`) +
          (token === undefined ? '' : `<PresetToken>${escapeXml(token)}</PresetToken>`) +
          '</SetPreset>',
        'ptz',
      );
      const timed = { ...request, timeoutMs: PTZ_TIMEOUT_MS };
      const { body } = await supported('presets', link.session.send(timed, signal));
      const given = textAt(body, 'SetPresetResponse', 'PresetToken') ?? token;
      if (given === undefined) {
        throw new ProtocolError('ONVIF_REPLY', 'SetPreset: the camera gave the preset no token');
      }
      return shownText(given);
    }, signal);
  }

  async removePreset(token: string, signal: AbortSignal): Promise<void> {
    await this.#inTurn(async (link) => {
      const options = { ...ofProfile(link), presetToken: escapeXml(token) };
      await this.#ask(link, 'presets', signal, (cam, done) => cam.removePreset(options, done));
    }, signal);
  }

  async #nodeOf(link: PtzLink, signal: AbortSignal): Promise<PtzNode> {
    this.#node ??= await this.#readNode(link, signal);
    return this.#node;
  }

  async #readNode({ session, configuration }: PtzLink, signal: AbortSignal): Promise<PtzNode> {
    try {
      const asked = { timeoutMs: PTZ_TIMEOUT_MS };
      const { body } = await session.ask((cam, done) => cam.getNodes(done), signal, asked);
      return readPtzNode(body, configuration) ?? GENERIC_NODE;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return GENERIC_NODE;
    }
  }

  /** Still parts are left out, unless they move: a Sony camera refuses both at once, others take a 0 for a move. */
  #partsToMove({ panTilt, zoom }: PtzVector): PtzVector {
    const turns = panTilt !== undefined && (panTilt.x !== 0 || panTilt.y !== 0);
    const zooms = zoom !== undefined && zoom !== 0;
    if (!turns && !zooms) throw new UnsupportedError('the camera cannot move this way');
    return {
      panTilt: turns || this.#moving.panTilt ? panTilt : undefined,
      zoom: zooms || this.#moving.zoom ? zoom : undefined,
    };
  }

  async #sendMove(
    link: PtzLink,
    vector: PtzVector,
    forMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const send = (timeout: object) => {
      const options = { ...ofProfile(link), ...partsOf(vector), ...timeout };
      return this.#ask(link, 'such moves', signal, (cam, done) =>
        cam.continuousMove(options, done),
      );
    };
    // Before it is sent: it may get through although the answer does not.
    this.#moving = { panTilt: vector.panTilt !== undefined, zoom: vector.zoom !== undefined };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#stopByItself(1), forMs);
    // Whole seconds, and more than ours: firmwares read fractions as 0.
    const timeout = { timeout: Math.ceil(forMs / 1000) * 1000 + 1000 };
    try {
      await send(this.#sendsTimeout ? timeout : {});
    } catch (error) {
      const isFault = error instanceof ProtocolError && error.code === 'ONVIF_FAULT';
      if (!isFault || !this.#sendsTimeout) {
        if (isFault || error instanceof UnsupportedError) this.#stands();
        throw error;
      }
      await send({});
      this.#sendsTimeout = false;
    }
  }

  /** One that only turns must be told the other half. */
  async #position(
    { session, profileToken }: PtzLink,
    signal: AbortSignal,
  ): Promise<{ x: number; y: number }> {
    // Our own: the package makes a 0 of what the camera does not tell, which the head would then travel to.
    const request = soapRequest(
      `<GetStatus xmlns="${PTZ}"><ProfileToken>${escapeXml(profileToken)}</ProfileToken></GetStatus>`,
      'ptz',
    );
    const timed = { ...request, timeoutMs: PTZ_TIMEOUT_MS };
    const { body } = await supported('its position', session.send(timed, signal));
    const [panTilt] = descendants(body, 'PanTilt');
    const x = Number(panTilt?.attributes.get('x') ?? 'none');
    const y = Number(panTilt?.attributes.get('y') ?? 'none');
    if (Number.isFinite(x) && Number.isFinite(y)) return { x, y };
    throw new UnsupportedError('the camera does not tell where it looks: give both pan and tilt');
  }

  async #ask(
    { session }: PtzLink,
    what: string,
    signal: AbortSignal | undefined,
    invoke: CamCall,
  ): Promise<CamReply> {
    return await supported(what, session.ask(invoke, signal, { timeoutMs: PTZ_TIMEOUT_MS }));
  }

  async #stop(isWanted = () => true): Promise<void> {
    await this.#inTurn(async (link) => {
      if (!isWanted()) return;
      const options = { ...ofProfile(link), panTilt: true, zoom: true };
      await this.#ask(link, 'stopping', new AbortController().signal, (cam, done) =>
        cam.stop(options, done),
      );
      this.#stands();
    }, undefined);
  }

  #stopByItself(attempt: number): void {
    clearTimeout(this.#timer);
    const timer = this.#timer;
    // A move that waited for its turn renews the time.
    this.#stop(() => timer === this.#timer).catch((err: unknown) => {
      // Stopped, or moved anew, meanwhile.
      if (timer !== this.#timer) return;
      this.#options.log.warn({ err, attempt }, 'onvif: a camera could not be stopped');
      if (attempt >= MAX_STOP_TRIES) return;
      this.#timer = setTimeout(() => this.#stopByItself(attempt + 1), STOP_AGAIN_MS);
    });
  }

  #stands(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#moving = { panTilt: false, zoom: false };
  }

  /** To a place of its own, where it stops by itself; that ends what moved before. */
  #travels(): void {
    this.#stands();
  }

  #inTurn<T>(use: (link: PtzLink) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const turn = this.#last.then(() => {
      signal?.throwIfAborted();
      return this.#options.inSession(use, signal);
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}

function ofProfile({ profileToken }: PtzLink): { profileToken: string } {
  return { profileToken: escapeXml(profileToken) };
}

/** As the package takes them. */
function partsOf({ panTilt, zoom }: PtzVector) {
  return {
    ...(panTilt === undefined ? { onlySendZoom: true } : panTilt),
    ...(zoom === undefined ? { onlySendPanTilt: true } : { zoom }),
  };
}

async function supported(what: string, reply: Promise<CamReply>): Promise<CamReply> {
  try {
    return await reply;
  } catch (error) {
    throw isNotSupported(error) ? new UnsupportedError(`the camera does not know ${what}`) : error;
  }
}

function readPreset(element: XmlElement): PtzPreset | undefined {
  const token = element.attributes.get('token');
  if (element.name !== 'Preset' || token === undefined || token === '' || token.length > 256)
    return undefined;
  return { token, name: shownText(textAt(element, 'Name') ?? token) };
}
