/**
 * Parameter sets of real H.265 streams. Made 2026-11-24 with ffmpeg 5.1.9 and libx265 3.5 from
 * `testsrc2=size=…:rate=…`, the `-x265-params` beside each.
 */
import type { H265Track } from '../../../codecs/track.ts';
import { hex } from '../../support/hex.ts';

/** 1920×1080, 25 fps: keyint=25:bframes=4:b-pyramid=1 */
export const MAIN: H265Track = {
  kind: 'video',
  codec: 'h265',
  vps: hex`40010c01ffff016000000300900000030000030078959809`,
  sps: hex`420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000c84`,
  pps: hex`4401c172b46240`,
};

/** 640×360, yuv422p10le, 25 fps: bframes=2:b-pyramid=0 */
export const MAIN_422_10: H265Track = {
  ...MAIN,
  vps: hex`40010c01ffff0408000003009d0800000300003f911009`,
  sps: hex`4201010408000003009d0800000300003fb00502016936591124932bc05a020000030002000003003210`,
};

/**
 * 640×360, 25 fps, setsar=10/11: overscan=show:videoformat=pal:range=full:colorprim=bt709:transfer=bt709:
 * colormatrix=bt709:chromaloc=1:hrd=1:vbv-bufsize=1000:vbv-maxrate=1000:bitrate=500:aud=1:scaling-list=default:
 * level-idc=5.1:temporal-layers=1 (which makes two)
 */
export const TWO_SUB_LAYERS: H265Track = {
  ...MAIN,
  vps: hex`40010c02ffff01600000030090000003000003009900009598acc048`,
  sps: hex`4201020160000003009000000300000300990000a005020169659598acd249caf03a7010101a41000003000100000300196014965e000f424001e84b8003d090007a1220`,
};

/** 1278×718, yuv420p10le, 30000/1001 fps: keyint=25:bframes=0 */
export const MAIN_10_SPS = hex`42010102200000030090000003000003005da00280802d1d536592a4932bc05a02000007d20000ea6010`;
/** 642×362, yuv444p, 50 fps */
export const MAIN_444_SPS = hex`4201010408000003009e0800000300005a9000a2402e39e7cb2b349265780b4040000003004000000c82`;
/** 642×362, yuv420p12le, 50 fps */
export const MAIN_12_SPS = hex`420101040800000300998800000300005aa005120171c9214a5959a4932bc05a020000030002000003006410`;
/** 642×362, gray, 50 fps */
export const MONOCHROME_SPS = hex`4201010408000003009fc800000300005ac0144805c73cf96566924caf016c080000030008000003019040`;
/** 704×576, 25 fps: interlace=tff:bframes=0 */
export const FIELDS_SPS = hex`42010101600000030040000003000003005aa0058200905964a924caf0168680000003008000000c84`;
/** By GStreamer 1.22.0's x265enc, 320×240, 25 fps: speed-preset=ultrafast bframes=3:b-adapt=0:b-pyramid=1 */
export const GSTREAMER_SPS = hex`42010101600000030090000003000003003fa00a080f16595952930bffc00040005a830303020000030002000003003210`;
