/**
 * VISCA: what a head is told. The header says who speaks to whom (8x: the controller to head x), 0xff ends a packet.
 *
 * Sony EVI-D70/P technical manual, "Command List": p. 33 (packets), p. 39 to 42 (commands), p. 51 (positions). The later BRC and SRG
 * series and most imitators have the same commands; their ranges differ, and a head refuses (syntax error) what it does not
 * reach. What is used here is what the EVI-D70 has, but for tilt speeds, which end at 14h on the EVI-D100: it is
 * the smaller one nearly everywhere. Full turns of other heads are reached with presets and moves.
 */
import { ParseError } from '../../codecs/errors.ts';
import {
  type HeadLanguage,
  type HeadPosition,
  type HeadVelocity,
  speedLevel,
} from '../head-language.ts';

const END = 0xff;
const COMMAND = 0x01;
const INQUIRY = 0x09;
const CAMERA = 0x04;
const PAN_TILT = 0x06;
const MEMORY = 0x3f;

const FASTEST_PAN = 0x18;
const FASTEST_TILT = 0x14;
const FASTEST_ZOOM = 7;
const STAND = 0x03;

/** 170 degrees to either side. */
const PAN_END = 0x08db;
/** 90 degrees up, 30 down (with the picture not turned over). */
const TILT_TOP = 0x04b0;
const TILT_BOTTOM = 0x0190;
/** The end of the lens; digital zoom is beyond. */
const ZOOM_END = 0x4000;
/** The byte may not be 0xff. The EVI-D70 has 6 memories, later heads 16, 100 or 255. */
const LAST_MEMORY = 0xfe;

/** `address`: 1 to 7. */
export function visca(address: number): HeadLanguage {
  const packet = (...bytes: readonly number[]) => viscaPacket(address, bytes);
  const memory = (action: number, number: number) => [
    packet(COMMAND, CAMERA, MEMORY, action, number),
  ];
  return {
    protocol: 'visca',
    hasAbsolute: true,
    firstPreset: 0,
    lastPreset: LAST_MEMORY,
    move: (velocity, before) => movePackets(velocity, before).map((bytes) => packet(...bytes)),
    stop: () => [packet(...drive(0, 0)), packet(...zoomDrive(0))],
    positionInquiry: ({ pan, tilt }) =>
      (pan === undefined) === (tilt === undefined) ? undefined : packet(INQUIRY, PAN_TILT, 0x12),
    moveTo: (position, reply) => positionPackets(position, reply).map((bytes) => packet(...bytes)),
    home: () => [packet(COMMAND, PAN_TILT, 0x04)],
    removePreset: (number) => memory(0, number),
    setPreset: (number) => memory(1, number),
    goToPreset: (number) => memory(2, number),
  };
}

/** All heads of a chain take an address, one after another; the last tells how many there are. */
export const ADDRESS_SET = Uint8Array.of(0x88, 0x30, 0x01, END);
/** All heads give up what they do, and forget what waits. */
export const CLEAR_ALL = Uint8Array.of(0x88, COMMAND, 0x00, 0x01, END);

/** One head gives up what it does. */
export function viscaClear(address: number): Uint8Array {
  return viscaPacket(address, [COMMAND, 0x00, 0x01]);
}

/** A head gives up what it does in one of its two sockets. */
export function viscaCancel(address: number, socket: number): Uint8Array {
  return viscaPacket(address, [0x20 | socket]);
}

function viscaPacket(address: number, bytes: readonly number[]): Uint8Array {
  return Uint8Array.of(0x80 | address, ...bytes, END);
}

/** Only what moves, or did: heads without a zoom, or with nothing else, refuse the other half. */
function movePackets({ pan, tilt, zoom }: HeadVelocity, before: HeadVelocity): number[][] {
  const packets: number[][] = [];
  const turns = [pan, tilt, before.pan, before.tilt].some((speed) => speed !== 0);
  if (turns) packets.push(drive(pan, tilt));
  if (zoom !== 0 || before.zoom !== 0) packets.push(zoomDrive(zoom));
  return packets;
}

/** Speeds begin with 1 also for an axis that stands. */
function drive(pan: number, tilt: number): number[] {
  return [
    COMMAND,
    PAN_TILT,
    0x01,
    speedLevel(pan, 1, FASTEST_PAN) || 1,
    speedLevel(tilt, 1, FASTEST_TILT) || 1,
    direction(pan, 0x02, 0x01),
    direction(tilt, 0x01, 0x02),
  ];
}

function direction(speed: number, positive: number, negative: number): number {
  if (speed === 0) return STAND;
  return speed > 0 ? positive : negative;
}

function zoomDrive(zoom: number): number[] {
  const way = zoom > 0 ? 0x20 : 0x30;
  return [COMMAND, CAMERA, 0x07, zoom === 0 ? 0 : way | speedLevel(zoom, 0, FASTEST_ZOOM)];
}

function positionPackets(
  { pan, tilt, zoom }: HeadPosition,
  reply: Uint8Array | undefined,
): number[][] {
  const packets: number[][] = [];
  if (pan !== undefined || tilt !== undefined) {
    const now = reply === undefined ? { pan: 0, tilt: 0 } : parsePosition(reply);
    const there = [
      pan === undefined ? now.pan : Math.round(pan * PAN_END),
      tilt === undefined ? now.tilt : Math.round(tilt * (tilt > 0 ? TILT_TOP : TILT_BOTTOM)),
    ];
    packets.push([COMMAND, PAN_TILT, 0x02, FASTEST_PAN, FASTEST_TILT, ...there.flatMap(nibbles)]);
  }
  if (zoom !== undefined) {
    packets.push([COMMAND, CAMERA, 0x47, ...nibbles(Math.round(zoom * ZOOM_END))]);
  }
  return packets;
}

/** 16 bits, two's complement, four to a byte. */
function nibbles(value: number): number[] {
  return [12, 8, 4, 0].map((shift) => (value >> shift) & 0x0f);
}

/** The payload of the answer: 0w 0w 0w 0w 0z 0z 0z 0z. */
function parsePosition(reply: Uint8Array): { pan: number; tilt: number } {
  if (reply.length !== 8 || reply.some((byte) => byte > 0x0f)) {
    throw new ParseError(`a VISCA position of ${reply.length} bytes, expected 8 of four bits each`);
  }
  const word = (from: number) => {
    const unsigned = reply.subarray(from, from + 4).reduce((sum, byte) => (sum << 4) | byte, 0);
    return unsigned > 0x7fff ? unsigned - 0x1_0000 : unsigned;
  };
  return { pan: word(0), tilt: word(4) };
}
