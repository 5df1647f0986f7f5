/**
 * What the virtual camera looks at: a ring of colour bars, grey steps and tiles under a sky with stars, above a chequered floor.
 * The camera sees a third of the ring. Over it: a square that wanders and rests, a clock, a counter, and where the camera looks.
 *
 * A tile is 8 × 8 pixels and has one colour; letters are made of dots of 4 × 4.
 */
import { CHROMA_STEP, LUMA_STEP, Mosaic } from '../../codecs/h264/mosaic.ts';
import { GLYPH_HEIGHT, GLYPH_WIDTH, hasDot } from './glyphs.ts';
import type { HeadPosition } from './virtual-head.ts';

export const PICTURE = { width: 640, height: 360, fps: 25 } as const;

const WIDTH_IN_MBS = 40;
const HEIGHT_IN_MBS = 23;
const TILES_X = WIDTH_IN_MBS * 2;
const TILES_Y = HEIGHT_IN_MBS * 2;
const RING_TILES = 3 * TILES_X;
/** Up and down to the ends of the head's range. */
const TILT_TILES = 30;
const MAX_ZOOM = 4;
const BAR_TILES = TILES_X / 8;
const STEP_TILES = TILES_X / 16;

/** In levels of a mosaic. */
interface Colour {
  readonly y: number;
  readonly cb: number;
  readonly cr: number;
}

/** 75 % colour bars, as EBU and SMPTE have them. */
const BARS = [
  colour(0.75, 0.75, 0.75),
  colour(0.75, 0.75, 0),
  colour(0, 0.75, 0.75),
  colour(0, 0.75, 0),
  colour(0.75, 0, 0.75),
  colour(0.75, 0, 0),
  colour(0, 0, 0.75),
  colour(0, 0, 0),
];
const BLACK = colour(0, 0, 0);
const WHITE = colour(1, 1, 1);
const SKY = colour(0.1, 0.15, 0.35);
const STAR = colour(0.9, 0.9, 0.6);
const FLOOR = [colour(0.35, 0.2, 0.1), colour(0.2, 0.1, 0.05)] as const;
const TILES = [colour(0.1, 0.45, 0.4), colour(0.6, 0.35, 0.1)] as const;

/** In tiles: whole macroblocks below the bars, where the letters are. */
const PLATE = { x: 4, y: 30, width: 72, height: 14 } as const;
/** The square wanders above the plate and below the first rows, which show the bars and nothing else. */
const SQUARE = { size: 4, fromY: 10, toY: 28 } as const;
/** Across in so many pictures, and down; no multiples of one another. */
const SQUARE_PICTURES = { across: 152, down: 70 } as const;

export class Scene {
  readonly mosaic = new Mosaic(WIDTH_IN_MBS, HEIGHT_IN_MBS);
  readonly #background = new Mosaic(WIDTH_IN_MBS, HEIGHT_IN_MBS);
  #seenFrom: HeadPosition | undefined;

  /** `clock`: the time of day as it is shown; `picture`: their number; `moved`: how many pictures the square has been moving for. */
  paint(position: HeadPosition, clock: string, picture: number, moved: number): void {
    if (position !== this.#seenFrom) this.#paintBackground(position);
    this.#seenFrom = position;
    this.mosaic.copyFrom(this.#background);
    this.#paintSquare(moved);
    const { x, y, width, height } = PLATE;
    this.#fill(this.mosaic, x, y, width, height, BLACK);
    this.#write(clock, 2 * x + 2, 2 * y + 3, 2);
    this.#write(String(picture % 1_000_000).padStart(6, '0'), 2 * x + 104, 2 * y + 10, 1);
    this.#write(whereWords(position), 2 * x + 2, 2 * y + 19, 1);
  }

  #paintBackground({ pan, tilt, zoom }: HeadPosition): void {
    const scale = 1 + (MAX_ZOOM - 1) * zoom;
    for (let y = 0; y < TILES_Y; y += 1) {
      const worldY = (y + 0.5 - TILES_Y / 2) / scale + TILES_Y / 2 - tilt * TILT_TILES;
      for (let x = 0; x < TILES_X; x += 1) {
        const worldX = (x + 0.5 - TILES_X / 2) / scale + TILES_X / 2 + (pan * RING_TILES) / 2;
        paintTile(this.#background, x, y, worldColour(Math.floor(worldX), Math.floor(worldY)));
      }
    }
  }

  #paintSquare(moved: number): void {
    const { size, fromY, toY } = SQUARE;
    const x = wander(moved, SQUARE_PICTURES.across, TILES_X - size);
    const y = fromY + wander(moved, SQUARE_PICTURES.down, toY - size - fromY);
    this.#fill(this.mosaic, x, y, size, size, BLACK);
    this.#fill(this.mosaic, x + 1, y + 1, size - 2, size - 2, WHITE);
  }

  #fill(mosaic: Mosaic, x: number, y: number, width: number, height: number, paint: Colour): void {
    for (let row = y; row < y + height; row += 1) {
      for (let column = x; column < x + width; column += 1) paintTile(mosaic, column, row, paint);
    }
  }

  /** White dots; `x` and `y` in dots, `size` in dots for one of the letter's. */
  #write(text: string, x: number, y: number, size: number): void {
    const { levels, stride } = this.mosaic.luma;
    for (const [index, letter] of [...text].entries()) {
      const left = x + index * (GLYPH_WIDTH + 1) * size;
      for (let row = 0; row < GLYPH_HEIGHT * size; row += 1) {
        for (let column = 0; column < GLYPH_WIDTH * size; column += 1) {
          const isDot = hasDot(letter, Math.floor(column / size), Math.floor(row / size));
          if (isDot) levels[(y + row) * stride + left + column] = WHITE.y;
        }
      }
    }
  }
}

/** To and fro between 0 and `most`. */
function wander(picture: number, pictures: number, most: number): number {
  const phase = (picture % (2 * pictures)) / pictures;
  return Math.round((phase > 1 ? 2 - phase : phase) * most);
}

function worldColour(x: number, y: number): Colour {
  const ringX = ((x % RING_TILES) + RING_TILES) % RING_TILES;
  if (y < 0) return (ringX * 7 + y * 13) % 31 === 0 ? STAR : SKY;
  if (y >= TILES_Y) return FLOOR[((ringX >> 2) + (y >> 2)) & 1] ?? BLACK;
  if (ringX < TILES_X) return BARS[Math.floor(ringX / BAR_TILES)] ?? BLACK;
  if (ringX < 2 * TILES_X) {
    const grey = Math.floor((ringX - TILES_X) / STEP_TILES) / 15;
    return colour(grey, grey, grey);
  }
  return TILES[((ringX >> 3) + (y >> 3)) & 1] ?? BLACK;
}

function whereWords({ pan, tilt, zoom }: HeadPosition): string {
  const percent = (value: number) => String(Math.round(Math.abs(value) * 100)).padStart(3, '0');
  const signed = (value: number) => `${value < 0 ? '-' : '+'}${percent(value)}`;
  return `PAN${signed(pan)} TILT${signed(tilt)} Z${percent(zoom)}`;
}

function paintTile(
  { luma, cb, cr }: Mosaic,
  x: number,
  y: number,
  { y: level, ...chroma }: Colour,
) {
  const at = 2 * y * luma.stride + 2 * x;
  luma.levels[at] = level;
  luma.levels[at + 1] = level;
  luma.levels[at + luma.stride] = level;
  luma.levels[at + luma.stride + 1] = level;
  cb.levels[y * cb.stride + x] = chroma.cb;
  cr.levels[y * cr.stride + x] = chroma.cr;
}

/** From R′G′B′ of 0 to 1: BT.709 with 8 bits and a limited range, BT.709 §3 and §4; to the nearest level. */
function colour(red: number, green: number, blue: number): Colour {
  const luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return {
    y: Math.round((16 + 219 * luma) / LUMA_STEP),
    cb: Math.round((128 + (224 * (blue - luma)) / 1.8556) / CHROMA_STEP),
    cr: Math.round((128 + (224 * (red - luma)) / 1.5748) / CHROMA_STEP),
  };
}
